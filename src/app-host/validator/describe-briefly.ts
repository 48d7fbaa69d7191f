// What was thrown, in one line with the place in the application, and which rule it speaks of.

import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { RuleId } from '../../base/check-messages.ts';
import { listOwnFrames } from '../describe-load-failure.ts';

const longestMessage = 200;

/** "TypeError: no such thing (at api.ts:3:5)". Never throws. */
export function describeBriefly(thrown: unknown): string {
  try {
    if (!(thrown instanceof Error)) return `${typeof thrown} ${cut(String(thrown))}`;
    const place = findPlace(thrown);
    return `${thrown.name}: ${cut(thrown.message)}${place === null ? '' : ` (at ${place})`}`;
  } catch {
    return 'a value that cannot be shown';
  }
}

/** Where in the application an error was made: "api.ts:3:5", or null. */
export function findPlace(error: Error): string | null {
  const frames = listOwnFrames(error);
  const frame = frames.find((line) => !line.includes('/node_modules/')) ?? frames[0];
  const match = /\(?((?:file:\/\/)?\/[^()]+?)(:\d+:\d+)\)?$/.exec(frame ?? '');
  if (match === null) return null;
  const file = match[1].startsWith('file:') ? fileURLToPath(match[1]) : match[1];
  const path = relative(process.cwd(), file);
  return `${path.startsWith('..') ? file : path}${match[2]}`;
}

function cut(text: string): string {
  const [line] = text.split('\n', 1);
  return line.length > longestMessage ? `${line.slice(0, longestMessage)} …` : line;
}

/** Errors by which Node refuses what a listener does. */
const rulesByCode: Readonly<Record<string, RuleId>> = {
  ERR_HTTP_HEADERS_SENT: 'G51',
  ERR_STREAM_WRITE_AFTER_END: 'G51',
  ERR_HTTP_CONTENT_LENGTH_MISMATCH: 'G27',
  ERR_INVALID_CHAR: 'G28',
  ERR_INVALID_HTTP_TOKEN: 'G28',
  ERR_HTTP_INVALID_HEADER_VALUE: 'G28',
};

/** Errors of the host and of the platform, by what they say. */
const rulesByMessage: readonly [pattern: RegExp, rule: RuleId][] = [
  [/^the request is over: its body can no longer be read/, 'G16'],
  [/^a chunk of the response body is not a Uint8Array/, 'G22'],
  [/\bdeclare[sd]\b.*(?:\bbytes\b|\blength\b)|\bdeclared bytes\b/, 'G27'],
  [/^the body of the returned Response was already read|is locked to a reader$/, 'G25'],
  [/^the Response has a header that is no pair/, 'G28'],
  [/^the gateway function returned|is no web stream$/, 'G21'],
];

/** The rule that an error speaks of, or `otherwise`. */
export function findRule(thrown: unknown, otherwise: RuleId): RuleId {
  if (!(thrown instanceof Error)) return otherwise;
  const { code, message } = thrown as NodeJS.ErrnoException;
  if (typeof code === 'string' && Object.hasOwn(rulesByCode, code)) return rulesByCode[code];
  return rulesByMessage.find(([pattern]) => pattern.test(message))?.[1] ?? otherwise;
}

/** Whether it is the refusal to read a body a second time. */
export function isSecondRead(thrown: unknown): boolean {
  return (
    thrown instanceof TypeError &&
    /already (?:been )?read|is unusable|is disturbed or locked/.test(thrown.message)
  );
}
