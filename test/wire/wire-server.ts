// The server under test with its upstreams: one site with every kind of route that the corpus speaks of, and a secret
// outside the root that no answer may hold.

import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { type StartedServer, startServer } from '../support/start-server.ts';

/** Text of the files outside the root. */
export const secret = 'the-secret-outside-the-root';

/** Starts the binary: `/` static, `/fixed` a return, `/up/` and `/res/` proxied, `/move/` and others redirected. */
export function startWireServer(upPort: number, resPort: number): Promise<StartedServer> {
  const server = (port: number) => ({ servers: [`http://127.0.0.1:${port}`], timeouts: { read: '5s' } });
  return startServer(
    {
      workers: 1,
      errorLog: { level: 'info' },
      accessLog: false,
      upstreams: { up: server(upPort), res: server(resPort) },
      routes: [
        { path: '= /fixed', return: { status: 200, body: 'fixed\n' } },
        { path: '/up/', proxy: 'up' },
        { path: '/res/', proxy: 'res' },
        { path: '/move/', redirect: '/new$uri$is_args$args' },
        { path: '/query/', redirect: '/found?to=$arg_to' },
        { path: '/slash', redirect: '$uri/' },
        {
          path: '/say/',
          return: { status: 200, body: 'said' },
          headers: { 'X-Said': '$arg_say|$uri|$http_x_say' },
        },
        { path: '/', static: { root: 'public' } },
      ],
    },
    {
      files: {
        'public/index.html': 'index\n',
        'public/a.txt': 'a\n',
        'public/folder/index.html': 'folder\n',
        'public/.env': secret,
        'secret.txt': secret,
        'public-secret/secret.txt': secret,
      },
    },
  );
}

/** The codes of the error log's lines from a position of its text on. */
export function readCodes(server: StartedServer, from: number): string[] {
  return [...server.process.stderr.slice(from).matchAll(/\bTSS_[A-Z_]+(?=:)/g)].map(([code]) => code);
}

/** Waits until the error log names a code so many times behind a position, and gives all codes that it names there. */
export async function awaitCodes(
  server: StartedServer,
  from: number,
  code: string,
  count: number,
): Promise<string[]> {
  const endMs = performance.now() + 3000;
  for (;;) {
    const codes = readCodes(server, from);
    if (codes.filter((each) => each === code).length >= count) return codes;
    if (performance.now() > endMs)
      throw new Error(`${code} is not ${count} times in the error log: ${server.process.stderr.slice(from)}`);
    await sleep(2);
  }
}

/** The server has come through the whole corpus: the same processes, and no error of its own. */
export function expectHealth(server: StartedServer): void {
  expect(server.process.isRunning, 'the server lives').toBe(true);
  const stopped = /\bworker \d+ (?:was killed|aborted|ended|exited)/;
  expect(server.process.stderr, 'no worker stopped').not.toMatch(stopped);
  expect(server.process.stderr, 'no bug').not.toContain('TSS_BUG');
}
