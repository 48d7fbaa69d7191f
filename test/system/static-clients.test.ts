// Static files as the clients of everyday life ask for them: curl, wget, and many at once.

import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, test } from 'vitest';
import { describeWithTool } from '../support/require-tool.ts';
import { type StartedServer, startServer } from '../support/start-server.ts';

const run = promisify(execFile);
const script = 'export const line = 1;\n'.repeat(5_000);
// Too large to be kept whole: sent in pieces.
const large = Buffer.from(Array.from({ length: 1_500_000 }, (_, i) => (i * 7 + (i >> 8)) & 0xff));
let server: StartedServer;

beforeAll(async () => {
  server = await startServer(
    {
      workers: 1,
      routes: [
        { path: '/', static: { root: 'public', precompressed: true, autoindex: true } },
        { path: '/slow/', static: { root: 'public', stripPrefix: '/slow' }, limitRate: '200k' },
      ],
    },
    {
      files: {
        'public/app.js': script,
        'public/app.js.br': brotliCompressSync(script),
        'public/app.js.gz': gzipSync(script),
        'public/large.bin': large,
        'public/many/file.txt': '',
      },
    },
  );
});

describeWithTool('curl', 'curl', (curl) => {
  const get = async (...args: string[]): Promise<Buffer> => {
    const { stdout } = await run(curl, ['-sS', '--max-time', '30', ...args], {
      encoding: 'buffer',
      maxBuffer: 2 ** 24,
    });
    return stdout;
  };

  test.each([
    ['0-0', large.subarray(0, 1)],
    ['1000-600000', large.subarray(1_000, 600_001)],
    ['-5', large.subarray(-5)],
    ['1499990-', large.subarray(1_499_990)],
    ['700000-9999999', large.subarray(700_000)],
  ])('T26: -r %s', async (range, expected) => {
    expect((await get('-r', range, `${server.url}/large.bin`)).equals(expected)).toBe(true);
  });

  test('-r with several ranges', async () => {
    const body = await get('-r', '0-9,1000000-1000009,-10', `${server.url}/large.bin`);
    for (const [first, last] of [
      [0, 10],
      [1_000_000, 1_000_010],
      [1_499_990, 1_500_000],
    ])
      expect(body.includes(large.subarray(first, last))).toBe(true);
    expect(body.length).toBeLessThan(1_000);
  });

  test('--compressed, and without', async () => {
    expect((await get('--compressed', `${server.url}/app.js`)).toString()).toBe(script);
    expect((await get(`${server.url}/app.js`)).toString()).toBe(script);
    const gzip = await get('-H', 'Accept-Encoding: gzip', `${server.url}/app.js`);
    expect(gzip.equals(gzipSync(script))).toBe(true);
  });

  test('-C - takes up a transfer that was cut', async () => {
    const file = join(server.folder, 'curl.bin');
    writeFileSync(file, large.subarray(0, 400_000));
    await get('-C', '-', '-o', file, `${server.url}/large.bin`);
    expect(readFileSync(file).equals(large)).toBe(true);
  });

  test('limitRate holds, whatever is sent', async () => {
    const startedAtMs = performance.now();
    expect(
      (await get('-r', '0-199999', `${server.url}/slow/large.bin`)).equals(large.subarray(0, 200_000)),
    ).toBe(true);
    expect(performance.now() - startedAtMs).toBeGreaterThan(600);
  });
});

describeWithTool('wget', 'wget', (wget) => {
  test('-c takes up a transfer that was cut', async () => {
    const file = join(server.folder, 'wget.bin');
    writeFileSync(file, large.subarray(0, 1_234_567));
    await run(wget, ['-q', '-c', '-T', '30', '-O', file, `${server.url}/large.bin`]);
    expect(readFileSync(file).equals(large)).toBe(true);
  });
});

describe('a listing of 10,000 entries', () => {
  test('leaves others their turn', { timeout: 120_000 }, async () => {
    for (let i = 0; i < 10_000; i++) writeFileSync(join(server.folder, 'public/many', `file-${i}.txt`), '');
    let isDone = false;
    const listing = fetch(`${server.url}/many/`, { headers: { accept: 'application/json' } })
      .then((answer) => answer.json() as Promise<unknown[]>)
      .finally(() => {
        isDone = true;
      });
    let answered = 0;
    while (!isDone) {
      const answer = await fetch(`${server.url}/app.js`, { method: 'HEAD' });
      if (answer.status === 200 && !isDone) answered++;
      await sleep(1);
    }
    expect(await listing).toHaveLength(10_001);
    expect(answered).toBeGreaterThan(2);
  });
});
