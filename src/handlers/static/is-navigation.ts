// Tells a browser that goes to a page of a single-page app from one that asks for a part of it. A missing script must
// be a 404: the app's page under a script's name breaks the app, for as long as a cache keeps it.

import type { Exchange } from '../../message/exchange.ts';
import { getField, joinField } from '../../message/fields.ts';

const navigationTargets: ReadonlySet<string> = new Set(['document', 'iframe', 'frame']);
const refusedQuality = /;[\t ]*q=0(?:\.0{0,3})?[\t ]*(?:;|$)/i;

/**
 * Whether a GET or HEAD is a navigation: it accepts text/html by name, the last segment of its path has no
 * extension, and its Sec-Fetch-Dest, if any, is that of a page.
 */
export function isNavigation(exchange: Exchange): boolean {
  const target = getField(exchange.fields, 'sec-fetch-dest');
  if (target !== undefined && !navigationTargets.has(target.trim().toLowerCase())) return false;
  if (hasExtension(exchange.path)) return false;
  return acceptsHtml(joinField(exchange.fields, 'accept') ?? '');
}

function hasExtension(path: string): boolean {
  const end = path.endsWith('/') ? path.length - 1 : path.length;
  return path.slice(path.lastIndexOf('/', end - 1) + 1, end).includes('.');
}

function acceptsHtml(accept: string): boolean {
  for (const item of accept.toLowerCase().split(',')) {
    const [type] = item.split(';', 1);
    if (type.trim() === 'text/html') return !refusedQuality.test(item);
  }
  return false;
}
