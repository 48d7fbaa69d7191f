import { execFile } from 'node:child_process';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { chromium } from 'playwright-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { cleanUpLater } from '../support/clean-up.ts';
import { findFreePort } from '../support/free-port.ts';
import { describeWithTool } from '../support/require-tool.ts';
import { type RunningProcess, repositoryRoot, startTsserve } from '../support/run-tsserve.ts';
import { waitUntilListening } from '../support/start-server.ts';
import { createTempFolder } from '../support/temp-folder.ts';
import { waitUntil } from '../support/wait-until.ts';

const run = promisify(execFile);

let port = 0;
let url = '';
let folder = '';
let server: RunningProcess;

// A copy of what a newcomer gets, on a free port.
beforeAll(async () => {
  port = await findFreePort();
  url = `http://127.0.0.1:${port}`;
  folder = createTempFolder();
  for (const name of ['config', 'public', 'package.json']) {
    cpSync(join(repositoryRoot, name), join(folder, name), { recursive: true });
  }
  const configFile = join(folder, 'config/site.json');
  const config = readFileSync(configFile, 'utf8');
  expect(config).toContain('"listen": 8080');
  writeFileSync(configFile, config.replace('"listen": 8080', `"listen": "127.0.0.1:${port}"`));
  server = startTsserve(['-c', 'config/site.json'], { cwd: folder });
  await waitUntilListening(server, port);
});

describe('the default site', () => {
  it('answers within 2 s of its start', async () => {
    const other = await findFreePort();
    const config = readFileSync(join(folder, 'config/site.json'), 'utf8');
    writeFileSync(
      join(folder, 'config/other.json'),
      config.replace(`:${port}"`, `:${other}"`).replace('tsserve.pid', 'other.pid'),
    );
    const startedAtMs = performance.now();
    const second = startTsserve(['-c', 'config/other.json'], { cwd: folder });
    await waitUntilListening(second, other);
    expect((await fetch(`http://127.0.0.1:${other}/api/`)).status).toBe(200);
    expect(performance.now() - startedAtMs).toBeLessThan(2000);
    await second.stop();
  });

  it('serves a file that is dropped into public/, and its edit within a second', async () => {
    writeFileSync(join(folder, 'public/dropped.txt'), 'first');
    expect(await (await fetch(`${url}/dropped.txt`)).text()).toBe('first');
    writeFileSync(join(folder, 'public/dropped.txt'), 'second');
    await waitUntil(
      'the edit shows',
      async () => (await (await fetch(`${url}/dropped.txt`)).text()) === 'second',
      1100,
    );
  });

  it('answers every route of its application, also streams that go on', async () => {
    const hello = await fetch(`${url}/api/hello?name=you`);
    expect(await hello.json()).toMatchObject({ hello: 'you' });
    const echo = await fetch(`${url}/api/echo`, { method: 'POST', body: 'some body' });
    expect(await echo.text()).toBe('some body');
    expect((await fetch(`${url}/api/nowhere`)).status).toBe(404);
    const controller = new AbortController();
    const events = await fetch(`${url}/api/events`, { signal: controller.signal });
    const reader = (events.body as ReadableStream<Uint8Array>).getReader();
    const startedAtMs = performance.now();
    expect(new TextDecoder().decode((await reader.read()).value)).toMatch(/^data: /);
    expect(performance.now() - startedAtMs).toBeLessThan(500);
    expect(new TextDecoder().decode((await reader.read()).value)).toMatch(/^data: /);
    controller.abort();
  });

  it('keeps an access log in the combined format', async () => {
    await fetch(`${url}/robots.txt?from=test`, {
      headers: { 'User-Agent': 'agent "with" quotes', Referer: 'http://r.example/' },
    });
    const readLog = () => readFileSync(join(folder, 'access.log'), 'utf8');
    await waitUntil('the line is there', () => readLog().includes('from=test'));
    const line = readLog()
      .split('\n')
      .find((text) => text.includes('from=test'));
    expect(line).toMatch(
      /^127\.0\.0\.1 - - \[\d\d\/[A-Z][a-z]{2}\/\d{4}(:\d\d){3} [+-]\d{4}\] "GET \/robots\.txt\?from=test HTTP\/1\.1" 200 \d+ "http:\/\/r\.example\/" "agent \\x22with\\x22 quotes"$/,
    );
  });
});

describeWithTool('curl', 'curl and the default site', (curl) => {
  it('agree on GET, HEAD, ranges, conditions, uploads and keep-alive', async () => {
    const ask = async (...args: string[]) => (await run(curl, ['-sS', '--max-time', '10', ...args])).stdout;
    expect(await ask(`${url}/`)).toBe(readFileSync(join(folder, 'public/index.html'), 'utf8'));
    const head = await ask('-I', `${url}/`);
    expect(head).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    const etag = /etag: (.*)\r/i.exec(head)?.[1] ?? '';
    expect(
      await ask('-o', '/dev/null', '-w', '%{http_code}', '-H', `If-None-Match: ${etag}`, `${url}/`),
    ).toBe('304');
    expect(await ask('-r', '0-8', `${url}/`)).toBe('<!doctype');
    expect(await ask('-d', 'posted', '-H', 'Expect: 100-continue', `${url}/api/echo`)).toBe('posted');
    expect(await ask('-H', 'Transfer-Encoding: chunked', '-d', 'chunked', `${url}/api/echo`)).toBe('chunked');
    const connects = await ask(
      '-o',
      '/dev/null',
      '-o',
      '/dev/null',
      '-w',
      '%{num_connects} ',
      `${url}/`,
      `${url}/api/`,
    );
    expect(connects).toBe('1 0 ');
  });
});

describeWithTool('chromium', 'the default page in Chromium', (executablePath) => {
  it('shows which instances answer, without an error on its console', async () => {
    const args = [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
    ];
    const browser = await chromium.launch({
      executablePath,
      args: [...args, '--disable-component-update', '--disable-sync'],
    });
    cleanUpLater(() => browser.close());
    const page = await browser.newPage();
    const problems: string[] = [];
    page.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
    page.on('pageerror', (error) => problems.push(String(error)));
    await page.goto(url);
    expect(await page.title()).toBe('tsserve is running');
    const instances = page.locator('#instances > *');
    await waitUntil(
      'three instances have answered',
      async () => (await instances.allTextContents()).filter((text) => /pid \d+/.test(text)).length === 3,
      15_000,
    );
    expect(problems).toEqual([]);
    await browser.close();
  });
});
