// Peers that do everything peers do to those who rely on them, under a load that does not stop.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { type ChaosMode, type ChaosPeer, chaosModes, startChaosPeer } from '../support/chaos-peer.ts';
import { countStatuses, startRequests } from '../support/send-requests.ts';
import { startServer } from '../support/start-server.ts';

/** How long one peer is sure to be well, and how long the next one is so with it: longer than a request may take. */
const dutyMs = 3200;
const overlapMs = 1600;
const rounds = 4;

/** Changes the mode of every peer that is not on duty again and again, until told to stop. */
function startChaos(peers: readonly ChaosPeer[]) {
  const onDuty = new Set<ChaosPeer>([peers[0]]);
  const seen = new Map<ChaosMode, number>();
  let running = true;
  let turn = 0;
  const change = async (): Promise<void> => {
    while (running) {
      const free = peers.filter((peer) => !onDuty.has(peer));
      const peer = free[turn % free.length];
      const mode = chaosModes[turn++ % chaosModes.length];
      seen.set(mode, (seen.get(mode) ?? 0) + 1);
      await peer.setMode(mode);
      await sleep(90);
    }
  };
  const changing = change();
  return {
    seen,
    async run(): Promise<void> {
      for (let round = 0; round < rounds; round++) {
        const next = peers[(round + 1) % peers.length];
        onDuty.add(next);
        await next.setMode('healthy');
        await sleep(overlapMs);
        onDuty.delete(peers[round % peers.length]);
        await sleep(dutyMs - overlapMs);
      }
      running = false;
      await changing;
    },
  };
}

it('T8, T9, T11: no GET fails while one of four peers is well, and none is given a POST twice', async () => {
  const peers = await Promise.all(['a', 'b', 'c', 'd'].map(startChaosPeer));
  const server = await startServer({
    workers: 1,
    upstreams: {
      chaos: {
        servers: peers.map(({ url }) => ({ url, failTimeout: '300ms' })),
        timeouts: { connect: '300ms', read: '300ms' },
      },
    },
    routes: [{ path: '/', proxy: 'chaos' }],
    accessLog: { path: 'access.log', format: '$request_method $status $upstream_status $upstream_outcome' },
  });
  const chaos = startChaos(peers);
  const gets = startRequests(server.url, { method: 'GET', senders: 24, perSecond: 250 });
  const posts = startRequests(server.url, { method: 'POST', senders: 24, perSecond: 100 });
  await chaos.run();
  const [getOutcomes, postOutcomes] = await Promise.all([gets.stop(), posts.stop()]);
  await sleep(200);
  const lines = readFileSync(join(server.folder, 'access.log'), 'latin1').split('\n');
  const retried = lines.filter((line) => line.startsWith('GET') && line.includes(','));
  const executed = peers.flatMap(({ received }) => [...received].filter(([id]) => id.startsWith('POST')));
  const twice = executed.filter(
    ([id, count], i) => count > 1 || executed.findIndex(([other]) => other === id) !== i,
  );
  console.log(
    `chaos: ${getOutcomes.length} GETs ${JSON.stringify(countStatuses(getOutcomes))}, ${retried.length} of them saved ` +
      `by another try; ${postOutcomes.length} POSTs ${JSON.stringify(countStatuses(postOutcomes))}, ` +
      `${twice.length} executed twice; modes ${JSON.stringify(Object.fromEntries(chaos.seen))}`,
  );
  const failedLines = lines.filter((line) => /^GET [45]/.test(line));
  expect(failedLines).toEqual([]);
  expect(countStatuses(getOutcomes)).toEqual({ 200: getOutcomes.length });
  expect(twice).toEqual([]);
  // The chaos was real: requests had to be saved, and POSTs that could not be were failed.
  expect(retried.length).toBeGreaterThan(20);
  expect(postOutcomes.filter(({ status }) => status >= 500).length).toBeGreaterThan(0);
  expect(chaos.seen.size).toBe(chaosModes.length);
});
