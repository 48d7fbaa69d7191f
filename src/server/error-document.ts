// The text of an error, in the types that clients ask for: a page without anything to be fetched for people, JSON for
// programs, a line for everybody else. It says nothing but the status and, where there is one, the request's id.

import { createHash } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import { chooseMediaType } from '../message/accept.ts';

/** The types that there are. */
export type ErrorType = 'text/plain' | 'text/html' | 'application/json' | 'application/problem+json';

const style = `
:root{color-scheme:light dark;--dim:#59636e;--page:#fff;--text:#1f2328}
@media(prefers-color-scheme:dark){:root{--dim:#9198a1;--page:#0f141a;--text:#e6edf3}}
body{margin:0;min-height:100vh;display:flex;flex-direction:column;align-items:center;justify-content:center;background:var(--page);color:var(--text);font:16px/1.5 system-ui,sans-serif;text-align:center}
h1{margin:0;font-size:4rem;line-height:1.1;font-weight:700}
p{margin:.5rem 1rem 0}
small{margin:1.5rem 1rem 0;color:var(--dim);overflow-wrap:anywhere}
`;

/** What a browser may do with the page: show it. */
export const errorPolicy = `default-src 'none'; style-src 'sha256-${createHash('sha256')
  .update(style)
  .digest('base64')}'; base-uri 'none'; form-action 'none'`;

// Browsers and programs send a handful of values.
const maxKnownLength = 256;
const maxKnown = 64;
const known = new Map<string, ErrorType>();

/** The type that a value of Accept prefers. Plain text, without the field or when it does not matter. */
export function chooseErrorType(accept: string | undefined): ErrorType {
  if (accept === undefined || accept === '*/*') return 'text/plain';
  const remembered = known.get(accept);
  if (remembered !== undefined) return remembered;
  const chosen = choose(accept);
  if (accept.length > maxKnownLength) return chosen;
  // Whoever sends many must not keep out what browsers send.
  if (known.size >= maxKnown) known.clear();
  known.set(accept, chosen);
  return chosen;
}

function choose(accept: string): ErrorType {
  const chosen = chooseMediaType(accept, [
    'text/plain',
    'text/html',
    'application/json',
    'application/problem+json',
  ]);
  if (chosen !== 'text/plain' || !accept.toLowerCase().includes('text/plain')) return chosen;
  // Who names plain text beside something with more in it can read that as well.
  return chooseMediaType(accept, ['application/json', 'application/problem+json', 'text/html', 'text/plain']);
}

/** Renders an error. Without an id of the request none is told. */
export function renderError(status: number, type: ErrorType, requestId: string | null): string {
  const reason = STATUS_CODES[status] ?? 'Error';
  const told = requestId === null ? {} : { requestId };
  if (type === 'text/html') return renderPage(status, reason, requestId);
  if (type === 'application/json') return `${JSON.stringify({ status, error: reason, ...told })}\n`;
  // RFC 9457: "about:blank" says that there is nothing to know beyond the status.
  if (type === 'application/problem+json') {
    return `${JSON.stringify({ type: 'about:blank', title: reason, status, ...told })}\n`;
  }
  return `${status} ${reason}\n`;
}

function renderPage(status: number, reason: string, requestId: string | null): string {
  const text = escapeHtml(reason);
  const id = requestId === null ? '' : `<small>Request ${escapeHtml(requestId)}</small>\n`;
  return (
    `<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n` +
    `<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>${status} ${text}</title>\n` +
    `<style>${style}</style>\n</head>\n<body>\n<h1>${status}</h1>\n<p>${text}</p>\n${id}</body>\n</html>\n`
  );
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
