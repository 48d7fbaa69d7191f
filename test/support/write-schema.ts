// npm run schema: writes config/site.schema.json and the reference in docs/configuration.md from the shapes, after any
// change of a setting.

import { readFileSync, writeFileSync } from 'node:fs';
import { renderSiteSchema } from '../../src/server/site-schema.ts';
import { replaceReference } from './render-configuration.ts';

const document = new URL('../../docs/configuration.md', import.meta.url);
const schema = renderSiteSchema();

writeFileSync(new URL('../../config/site.schema.json', import.meta.url), schema);
writeFileSync(document, replaceReference(readFileSync(document, 'utf8'), JSON.parse(schema)));
