// What is wrong with what a gateway function returned: looked at before the host does, and by itself, so that neither
// hides a mistake of the other.

import { measureBody } from '../kept-body.ts';
import { peekKeptResponse } from '../lean-response.ts';
import { PlatformHeaders } from '../platform-web.ts';
import type { Problem } from './ledger.ts';

/** What can be seen of a returned value without touching its body. */
export interface Inspection {
  readonly problems: readonly Problem[];
  readonly hasBody: boolean;
  /** Whether the body comes as a stream. */
  readonly isStream: boolean;
}

const connectionFields = [
  'connection',
  'keep-alive',
  'proxy-connection',
  'trailer',
  'transfer-encoding',
  'upgrade',
];

const members = [
  'status',
  'statusText',
  'headers',
  'ok',
  'body',
  'bodyUsed',
  'text',
  'json',
  'arrayBuffer',
  'blob',
];

/** @param method of the request */
export function inspectReturned(returned: unknown, method: string): Inspection {
  const problems: Problem[] = [];
  const add = (rule: Problem['rule'], detail: string, level: Problem['level'] = 'broken') =>
    void problems.push({ rule, level, detail });
  if (typeof returned !== 'object' || returned === null) {
    add('G21', `it returned ${describeValue(returned)}, not a Response`);
    return { problems, hasBody: false, isStream: false };
  }
  const kept = peekKeptResponse(returned);
  const response = returned as Partial<Response>;
  const { status, headers } = response;
  if (typeof status !== 'number' || typeof headers?.forEach !== 'function') {
    add('G21', `it returned ${describeValue(returned)}, not a Response`);
    return { problems, hasBody: false, isStream: false };
  }
  if (!Number.isInteger(status) || status < 200 || status > 599) {
    add('G21', `it returned a Response of status ${status}, not 200 to 599`);
  }
  const body = kept === null ? (response.body ?? null) : null;
  const hasBody = body !== null || (kept !== null && kept.body !== null);
  inspectBody(response, body, add);
  inspectHeaders(headers, add);
  const isSent = method !== 'HEAD' && status !== 204 && status !== 304;
  const length = kept === null ? null : kept.body === null ? 0 : measureBody(kept.body);
  inspectLength(headers, isSent ? (hasBody ? length : 0) : null, add);
  if (hasBody && (status === 204 || status === 304)) {
    add('G30', `a Response of status ${status} has a body, which is not sent`, 'advice');
  }
  const defined = Object.getOwnPropertyNames(returned).filter((name) => members.includes(name));
  if (Object.getPrototypeOf(returned) === Response.prototype && defined.length > 0) {
    add('G47', `${defined.join(', ')} was defined on a single Response`);
  }
  return { problems, hasBody, isStream: body !== null };
}

type Add = (rule: Problem['rule'], detail: string, level?: Problem['level']) => void;

function describeValue(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value !== 'object') return `a ${typeof value}`;
  return `an object of ${value.constructor?.name ?? 'no class'}`;
}

function inspectBody(response: Partial<Response>, body: ReadableStream | null, add: Add): void {
  if (body !== null && typeof body.getReader !== 'function') add('G21', 'its body is no web stream');
  else if (response.bodyUsed) add('G25', 'the body of the returned Response was already read');
  else if (body?.locked) add('G25', 'the body of the returned Response is locked to a reader');
}

function inspectHeaders(headers: Headers, add: Add): void {
  for (const [name, value] of headers) {
    try {
      new PlatformHeaders([[name, value]]);
    } catch {
      add('G28', `the field ${JSON.stringify(String(name))} is none that Headers allow`);
      continue;
    }
    if (connectionFields.includes(name.toLowerCase())) {
      add('G26', `the field ${name} is left out: it is the server's`, 'advice');
    }
  }
}

/** @param length of the body in bytes, null when it is not known or not sent */
function inspectLength(headers: Headers, length: number | null, add: Add): void {
  // Other classes may say undefined where there is none.
  const declared = headers.get('content-length') ?? null;
  if (declared === null) return;
  if (!/^\d{1,15}$/.test(declared)) add('G27', `it declares a length of "${declared}", which is no number`);
  else if (length !== null && Number(declared) !== length) {
    add('G27', `it declares ${declared} bytes, and its body has ${length}`);
  }
}
