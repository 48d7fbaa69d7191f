// The judgement: we may refuse what Node takes, never take what it refuses, and where both take, all must agree.

import { METHODS } from 'node:http';
import { parseReplies } from '../support/parse-replies.ts';
import type { ReadRequest, ReadResult } from './read-requests.ts';

/** What is wrong with our reading, given Node's; null when nothing is. */
export function findDisagreement(ours: ReadResult, node: ReadResult): string | null {
  for (const [index, request] of ours.requests.entries()) {
    // Any token is a method (RFC 9110 9.1); Node's parser has a list, and can not judge beyond it.
    if (!METHODS.includes(request.method)) break;
    const other = node.requests[index];
    if (other === undefined) return `request ${index}: we took ${describe(request)}, Node took none`;
    const difference = compareRequests(request, other);
    if (difference !== null) return `request ${index}: ${difference}`;
    // Node hands the connection over behind such a request: it has no opinion on what follows.
    if (request.fields.some((text, i) => i % 2 === 0 && text.toLowerCase() === 'upgrade')) break;
  }
  return checkReplies(ours);
}

function compareRequests(ours: ReadRequest, node: ReadRequest): string | null {
  if (ours.method !== node.method) return `method ${ours.method}, Node has ${node.method}`;
  if (ours.target !== toOriginForm(node.target)) return `target ${ours.target}, Node has ${node.target}`;
  if (JSON.stringify(ours.fields) !== JSON.stringify(node.fields)) {
    return `fields ${JSON.stringify(ours.fields)}, Node has ${JSON.stringify(node.fields)}`;
  }
  if (!ours.complete) return null;
  if (!node.complete) return `a complete body of ${ours.body.length} bytes, Node's is not complete`;
  return ours.body === node.body
    ? null
    : `body ${JSON.stringify(ours.body)}, Node has ${JSON.stringify(node.body)}`;
}

/** Node gives an absolute-form target as it came. */
function toOriginForm(target: string): string {
  const rest = /^https?:\/\/[^/?]+(.*)$/i.exec(target)?.[1];
  if (rest === undefined) return target;
  return rest.startsWith('/') ? rest : `/${rest}`;
}

/** Whatever came in, what goes out must be whole replies: one for each request, and at most one refusal. */
function checkReplies(ours: ReadResult): string | null {
  let replies: ReturnType<typeof parseReplies>;
  try {
    const methods = ours.requests.map(({ method }) => method);
    replies = parseReplies(ours.written, methods, true).filter(({ status }) => status >= 200);
  } catch (error) {
    return `our replies cannot be read: ${String(error)}`;
  }
  const answered = ours.requests.filter(({ complete }) => complete).length;
  if (replies.length < answered || replies.length > ours.requests.length + 1) {
    return `${ours.requests.length} requests (${answered} complete), but ${replies.length} replies`;
  }
  // The refusal of a HEAD has no body, but which request it refused only we know.
  const known = replies.slice(0, ours.requests.length);
  return known.every(({ complete }) => complete) ? null : 'a reply of ours is not complete';
}

function describe(request: ReadRequest): string {
  return `${request.method} ${request.target}${request.complete ? '' : ' (incomplete)'}`;
}
