// A listing as a page for people: one document without scripts and without anything to be fetched. Whatever names hold,
// they are text here.

import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { encodePath } from '../../message/location.ts';
import { type ListingOrder, type SortKey, toOrderQuery } from './listing-order.ts';
import type { FolderContents, FolderEntry } from './read-folder.ts';

const style = `
:root{color-scheme:light dark;--line:#d8dee4;--dim:#59636e;--hover:#f3f5f8;--link:#0a56c2;--page:#fff;--text:#1f2328}
@media(prefers-color-scheme:dark){:root{--line:#30363d;--dim:#9198a1;--hover:#1a2029;--link:#79b2ff;--page:#0f141a;--text:#e6edf3}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:64rem;padding:2rem 1rem 4rem;background:var(--page);color:var(--text);font:15px/1.5 system-ui,sans-serif}
h1{font-size:1.25rem;font-weight:600;margin:0 0 1rem;overflow-wrap:anywhere}
table{width:100%;border-collapse:collapse}
th{text-align:left;font-weight:600;border-bottom:2px solid var(--line)}
td{border-bottom:1px solid var(--line)}
th,td{padding:.4rem .6rem}
tbody tr:hover{background:var(--hover)}
td:first-child{overflow-wrap:anywhere}
td:nth-child(n+2),th:nth-child(n+2){white-space:nowrap;text-align:right;font-variant-numeric:tabular-nums;color:var(--dim)}
a{color:var(--link);text-decoration:none}
a:hover{text-decoration:underline}
th a{color:inherit}
p{color:var(--dim)}
@media(max-width:36rem){td:nth-child(3),th:nth-child(3){display:none}}
`;

/** What a browser may do with the page: show it. */
export const listingPolicy = `default-src 'none'; style-src 'sha256-${createHash('sha256')
  .update(style)
  .digest('base64')}'; base-uri 'none'; form-action 'none'`;

const rowsAtOnce = 500;

/** Renders the page of a folder, whose path is a decoded one that ends in a slash. Entries are sorted already. */
export async function renderListing(
  path: string,
  contents: FolderContents,
  order: ListingOrder,
  hasParent: boolean,
): Promise<string> {
  const { entries, isComplete } = contents;
  const title = escapeHtml(path);
  let page =
    `<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n` +
    `<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>${title}</title>\n` +
    `<style>${style}</style>\n</head>\n<body>\n<h1>${title}</h1>\n<table>\n<thead><tr>` +
    renderHeading('name', 'Name', order) +
    renderHeading('size', 'Size', order) +
    renderHeading('time', 'Changed (UTC)', order) +
    '</tr></thead>\n<tbody>\n';
  if (hasParent) page += '<tr><td><a href="../">../</a></td><td></td><td></td></tr>\n';
  for (let i = 0; i < entries.length; i += rowsAtOnce) {
    if (i > 0) await setImmediate();
    for (const entry of entries.slice(i, i + rowsAtOnce)) page += renderRow(entry);
  }
  page += '</tbody>\n</table>\n';
  if (entries.length === 0) page += '<p>Nothing here.</p>\n';
  if (!isComplete) page += `<p>There is more: only ${entries.length} entries are shown.</p>\n`;
  return `${page}</body>\n</html>\n`;
}

function renderHeading(key: SortKey, text: string, order: ListingOrder): string {
  const isCurrent = order.key === key;
  const query = escapeHtml(toOrderQuery({ key, isDescending: isCurrent && !order.isDescending }));
  const direction = order.isDescending ? 'descending' : 'ascending';
  const arrow = order.isDescending ? ' ↓' : ' ↑';
  const sort = isCurrent ? ` aria-sort="${direction}"` : '';
  return `<th scope="col"${sort}><a href="${query}">${text}${isCurrent ? arrow : ''}</a></th>`;
}

function renderRow({ name, isFolder, size, modifiedAtMs }: FolderEntry): string {
  const slash = isFolder ? '/' : '';
  // Without "./" a name such as "javascript:x" would be a scheme.
  const href = escapeHtml(`./${encodePath(name)}${slash}`);
  const time = toIsoTime(modifiedAtMs);
  const shownTime = time.slice(0, 16).replace('T', ' ');
  const shownSize = isFolder ? '' : formatBytes(size);
  return (
    `<tr><td><a href="${href}"><bdi>${escapeHtml(name)}</bdi>${slash}</a></td>` +
    `<td title="${isFolder ? '' : size}">${shownSize}</td><td><time datetime="${time}">${shownTime}</time></td></tr>\n`
  );
}

/** A time that a file system may give, and a Date may not hold. */
function toIsoTime(epochMs: number): string {
  const date = new Date(epochMs);
  return Number.isNaN(date.getTime()) ? '' : date.toISOString();
}

const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/** A size for people: at most three digits and a unit. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  const digits = unit === 0 || value >= 99.5 ? 0 : value >= 9.95 ? 1 : 2;
  return `${value.toFixed(digits)} ${units[unit]}`;
}

const special = /[&<>"']/g;
const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escapeHtml(text: string): string {
  return text.replace(special, (character) => entities[character]);
}
