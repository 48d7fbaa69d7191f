// npm run schema: writes config/site.schema.json from the shapes, after any change of a setting.

import { writeFileSync } from 'node:fs';
import { renderSiteSchema } from '../../src/server/site-schema.ts';

writeFileSync(new URL('../../config/site.schema.json', import.meta.url), renderSiteSchema());
