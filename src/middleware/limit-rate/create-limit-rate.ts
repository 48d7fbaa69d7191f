// Sends bodies at a limited rate, each response by itself (nginx's limit_rate).

import type { TimerWheel } from '../../base/timer-wheel.ts';
import type { Exchange } from '../../message/exchange.ts';
import type { Handle, Middleware } from '../../message/handler.ts';
import { limitBody } from '../../message/limited-body.ts';
import { type Answer, Reply } from '../../message/reply.ts';

/** How fast bodies may be. */
export interface LimitRateSettings {
  /** Bytes a second. */
  readonly rate: number;
  /** Bytes at the start of each body that are sent at any rate. */
  readonly after: number;
}

/** Compiles a limit. Nothing that has no body, or is answered to HEAD, is touched. */
export function createLimitRate({ rate, after }: LimitRateSettings, timers: TimerWheel): Middleware {
  const limit = (exchange: Exchange, answer: Answer): Answer => {
    if (!(answer instanceof Reply) || exchange.method === 'HEAD') return answer;
    const body = limitBody(answer.body, rate, timers, after);
    return body === answer.body ? answer : new Reply(answer.status, answer.fields, body);
  };
  return (next: Handle): Handle =>
    (exchange) => {
      const answer = next(exchange);
      if (answer instanceof Promise) return answer.then((settled) => limit(exchange, settled));
      return limit(exchange, answer);
    };
}
