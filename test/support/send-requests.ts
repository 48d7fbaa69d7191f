// Requests one after the other on a few keep-alive connections until told to stop, each with an id of its own, so that
// an application can tell whether it has seen one twice. Nothing is retried here.

import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

/** What became of the requests. */
export interface Outcome {
  readonly id: string;
  /** 0 when no whole answer came. */
  readonly status: number;
  readonly body: string;
}

/** A load that runs. */
export interface RunningLoad {
  readonly outcomes: readonly Outcome[];
  /** Sends nothing new; resolves when every request has its outcome. */
  stop(): Promise<readonly Outcome[]>;
}

/** Begins. With `perSecond` the senders keep to that rate together; without, each sends as fast as it is answered. */
export function startRequests(
  url: string,
  options: { method?: string; senders?: number; perSecond?: number } = {},
): RunningLoad {
  const { method = 'GET', senders = 4, perSecond } = options;
  const agent = new Agent({ keepAlive: true });
  const outcomes: Outcome[] = [];
  const startedAtMs = performance.now();
  let running = true;
  let lastId = 0;
  const sendOn = async (): Promise<void> => {
    while (running) {
      const number = ++lastId;
      if (perSecond !== undefined) {
        const dueAtMs = startedAtMs + (number * 1000) / perSecond;
        if (dueAtMs > performance.now()) await sleep(dueAtMs - performance.now());
      }
      outcomes.push(await send(url, method, `${method}-${number}`, agent));
    }
  };
  const done = Promise.all(Array.from({ length: senders }, sendOn));
  return {
    outcomes,
    async stop() {
      running = false;
      await done;
      agent.destroy();
      return outcomes;
    },
  };
}

function send(url: string, method: string, id: string, agent: Agent): Promise<Outcome> {
  return new Promise((resolve) => {
    const sent = request(url, { method, agent, headers: { 'X-Id': id } }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => {
        body += text;
      });
      response.once('end', () => resolve({ id, status: response.statusCode ?? 0, body }));
      response.once('error', () => resolve({ id, status: 0, body }));
    });
    sent.setTimeout(20_000, () => sent.destroy(new Error('no answer in time')));
    sent.once('error', (error) => resolve({ id, status: 0, body: error.message }));
    sent.end();
  });
}

/** How many outcomes there are of each status. */
export function countStatuses(outcomes: readonly Outcome[]): Record<number, number> {
  const counts: Record<number, number> = {};
  for (const { status } of outcomes) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}
