// Connections to servers that we cannot open for want of descriptors.

import { request } from 'node:http';
import { expect, it } from 'vitest';
import { startNodeUpstream } from '../support/node-upstream.ts';
import { describeWithTool } from '../support/require-tool.ts';
import { startServer } from '../support/start-server.ts';
import { waitUntil } from '../support/wait-until.ts';

describeWithTool('prlimit', 'a server process with few descriptors', (prlimit) => {
  it('V17: answers 503 when it has none left for a server, blames no server, and goes on when there are some', async () => {
    const held: (() => void)[] = [];
    const listener = (name: string) => (_: unknown, response: { end(text: string): void }) =>
      void held.push(() => response.end(name));
    const peers = await Promise.all(['a', 'b'].map((name) => startNodeUpstream(name, listener(name))));
    const server = await startServer(
      {
        workers: 0,
        upstreams: { app: { servers: peers.map(({ url }) => url) } },
        routes: [
          { path: '/', proxy: 'app' },
          { path: '= /ping', return: 204 },
        ],
      },
      { before: [prlimit, '--nofile=64'] },
    );
    const statuses: number[] = [];
    const ask = () =>
      new Promise<void>((resolve) => {
        const sent = request(server.url, { agent: false }, (response) => {
          statuses.push(response.statusCode ?? 0);
          response.resume().once('end', resolve);
        });
        sent.once('error', () => resolve());
        sent.end();
      });
    const all: Promise<void>[] = [];
    // One more at a time, so that it is a server's connection that finds none left, not always a client's.
    while (!statuses.includes(503) && all.length < 64) {
      const [before, answered] = [held.length, statuses.length];
      all.push(ask());
      await waitUntil('it is held, or answered', () => held.length > before || statuses.length > answered);
    }
    expect(statuses).toEqual([503]);
    await server.process.waitForStderr(/TSS_OVERLOADED: 127\.0\.0\.1:\d+: connect: .*EMFILE/);

    for (const answer of held.splice(0)) answer();
    await Promise.all(all);
    expect(new Set(statuses)).toEqual(new Set([200, 503]));
    expect((await fetch(`${server.url}/ping`)).status).toBe(204);
    const last = ask();
    await waitUntil('a request is there again', () => held.length === 1);
    held[0]();
    await last;
    expect(statuses.at(-1)).toBe(200);
    expect(server.process.stderr).not.toContain('is out for a while');
  });
});
