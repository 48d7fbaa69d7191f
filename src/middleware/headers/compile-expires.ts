// Expires and Cache-Control by a rule, as nginx's `expires`: on success and redirects, in place of the handler's own.

import { epochSecond } from '../../base/clock.ts';
import type { Exchange } from '../../message/exchange.ts';
import { getField, setField } from '../../message/fields.ts';
import { parseHttpDate, toHttpDate } from '../../message/http-date.ts';
import { Reply } from '../../message/reply.ts';

/** When an answer expires: so many seconds from now, from Last-Modified or from midnight; null says nothing of it. */
export type ExpiresSettings = {
  readonly from: 'now' | 'modified' | 'midnight' | 'epoch' | 'max';
  readonly seconds: number;
} | null;

/** Gives a reply its fields: the same reply, changed, or another one in place of a shared reply. */
export type ApplyExpires = (exchange: Exchange, reply: Reply) => Reply;

const statuses: ReadonlySet<number> = new Set([200, 201, 204, 206, 301, 302, 303, 304, 307, 308]);
const daySeconds = 86_400;
const lastSecond = 'Thu, 31 Dec 2037 23:55:55 GMT';
const tenYears = 'max-age=315360000';

/** Compiles a rule. */
export function compileExpires(settings: NonNullable<ExpiresSettings>): ApplyExpires {
  // The copy of a cached file's reply is good for a second.
  const derived = new WeakMap<Reply, { second: number; copy: Reply }>();
  return (_exchange, reply) => {
    if (!statuses.has(reply.status)) return reply;
    const second = epochSecond();
    if (!reply.shared) {
      apply(settings, reply, second);
      return reply;
    }
    const known = derived.get(reply);
    if (known !== undefined && known.second === second) return known.copy;
    const copy = new Reply(reply.status, [...reply.fields], reply.body, true);
    apply(settings, copy, second);
    derived.set(reply, { second, copy });
    return copy;
  };
}

function apply(settings: NonNullable<ExpiresSettings>, { fields }: Reply, now: number): void {
  if (settings.from === 'max' || settings.from === 'epoch') {
    const isMax = settings.from === 'max';
    setField(fields, 'Expires', isMax ? lastSecond : toHttpDate(1));
    setField(fields, 'Cache-Control', isMax ? tenYears : 'no-cache');
    return;
  }
  const expiresAt = settings.seconds + findStart(settings, getField(fields, 'last-modified'), now);
  const maxAge = expiresAt - now;
  setField(fields, 'Expires', toHttpDate(expiresAt));
  setField(fields, 'Cache-Control', maxAge < 0 ? 'no-cache' : `max-age=${maxAge}`);
}

/** The second that the rule counts from. */
function findStart(
  { from, seconds }: NonNullable<ExpiresSettings>,
  modified: string | undefined,
  now: number,
): number {
  if (from === 'modified') return parseHttpDate(modified ?? '') ?? now;
  if (from === 'now') return now;
  const midnight = new Date(now * 1000).setHours(0, 0, 0, 0) / 1000;
  return midnight + seconds > now ? midnight : midnight + daySeconds;
}
