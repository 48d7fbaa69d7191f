// The JSON Schema of the config file, for editors: generated from the shapes, so it cannot disagree with them.

import { z } from 'zod';
import { siteShape } from './site-shape.ts';

/** The schema (draft 2020-12) as the text of config/site.schema.json: the same shapes always give the same text. */
export function renderSiteSchema(): string {
  const schema = z.toJSONSchema(siteShape, { io: 'input', target: 'draft-2020-12' });
  return `${JSON.stringify(schema, null, 2)}\n`;
}
