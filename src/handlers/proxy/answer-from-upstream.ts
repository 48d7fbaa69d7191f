// What becomes of an upstream's response: a reply for the client, or, when the upstream may ask for it, a redirect
// inside the site. Compiled so that a route without such settings does no more than copy fields.

import type { TimerWheel } from '../../base/timer-wheel.ts';
import type { Exchange } from '../../message/exchange.ts';
import type { Fields } from '../../message/fields.ts';
import { HttpError } from '../../message/http-error.ts';
import { limitBody } from '../../message/limited-body.ts';
import { type Answer, Reply, type ReplyBody } from '../../message/reply.ts';
import type { ClientResponse } from '../../message/upstream-connection.ts';
import { pickCarriedFields, readAccelOrders } from './accel-fields.ts';
import { BodyStore } from './body-store.ts';
import { standardBuffer } from './buffer-settings.ts';
import { BufferedSource } from './buffered-source.ts';
import type { ProxySettings } from './proxy-shape.ts';
import type { ReadResponseFields } from './response-fields.ts';

/** Turns the response to an exchange into an answer. */
export type AnswerFromUpstream = (exchange: Exchange, response: ClientResponse) => Answer;

/** Compiles the settings of a route that speak of responses. */
export function compileAnswer(
  { accel, limitRate, buffering }: ProxySettings,
  readFields: ReadResponseFields,
  timers: TimerWheel,
): AnswerFromUpstream {
  if (!accel && limitRate === 0 && buffering === null) {
    return (exchange, { status, fields, body }) => new Reply(status, readFields(exchange, fields), body);
  }
  const store = new BodyStore(buffering ?? standardBuffer);
  return (exchange, { status, fields, body }) => {
    const orders = accel ? readAccelOrders(fields) : null;
    if (orders !== null && orders.redirectTo !== null) {
      cancelBody(body);
      return createRedirect(orders.redirectTo, pickCarriedFields(readFields(exchange, fields)));
    }
    const buffered = (orders?.buffering ?? buffering !== null) ? bufferBody(body, store) : body;
    const rate = orders?.limitRate ?? limitRate;
    const limited = rate === 0 ? buffered : limitBody(buffered, rate, timers);
    return new Reply(status, readFields(exchange, fields), limited);
  };
}

function createRedirect(redirectTo: string, fields: Fields): Answer {
  if (redirectTo.startsWith('/')) return { redirectTo, fields, asGet: true };
  const detail = `X-Accel-Redirect to ${JSON.stringify(redirectTo)}, which is no path of this site`;
  return new HttpError('TSS_UPSTREAM_RESPONSE', detail);
}

function bufferBody(body: ReplyBody, store: BodyStore): ReplyBody {
  if (body === null || body.kind !== 'stream') return body;
  return { kind: 'stream', source: new BufferedSource(body.source, store) };
}

function cancelBody(body: ReplyBody): void {
  if (body !== null && body.kind === 'stream') body.source.cancel();
}
