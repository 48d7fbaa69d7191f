// A site as Vite builds it, served as a folder, in Chromium: visited, revisited, deployed anew while it is open.

import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { beforeAll, expect, test } from 'vitest';
import { cleanUpLater } from '../support/clean-up.ts';
import { findFreePort } from '../support/free-port.ts';
import { makeWebm, readWebpFrame } from '../support/make-webm.ts';
import { describeWithTool } from '../support/require-tool.ts';
import { repositoryRoot, startProcess, startTsserve } from '../support/run-tsserve.ts';
import { waitUntilListening } from '../support/start-server.ts';
import { createTempFolder } from '../support/temp-folder.ts';

const secondsOfVideo = 30;
const paddingSize = 1 << 20;
const side = 64;

const sources = {
  'index.html':
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>built</title><link rel="icon" href="data:,">' +
    '<h1>…</h1><button>more</button><p></p><img src="/logo.svg" alt=""><img src="./picture.svg" alt="">' +
    '<script type="module" src="./main.js"></script></html>',
  'main.js': `
    import './style.css';
    document.querySelector('h1').textContent = location.pathname;
    document.querySelector('button').onclick = async () => {
      const text = await import('./more.js').then((more) => more.text, () => 'gone');
      document.querySelector('p').textContent = text;
    };`,
  'more.js': 'export const text = "the first";',
  'style.css': `h1 { color: rgb(1, 2, 3) }\n${'.unused { margin: 0 }\n'.repeat(200)}`,
  'picture.svg': '<svg xmlns="http://www.w3.org/2000/svg" width="4" height="4"><path d="M0 0h4v4z"/></svg>',
  'public/video.html': `<!doctype html><title>video</title><link rel="icon" href="data:,"><body><script>
    const size = ${side};
    // The two pictures of which the video is: red for its first half, blue for the rest.
    const drawPictures = () => {
      const canvas = Object.assign(document.createElement('canvas'), { width: size, height: size });
      const drawing = canvas.getContext('2d', { alpha: false });
      return ['#f00', '#00f'].map((color) => {
        drawing.fillStyle = color;
        drawing.fillRect(0, 0, size, size);
        return canvas.toDataURL('image/webp', 0.8);
      });
    };
    // What colour a video has at its beginning, near its end, and near its beginning again.
    const seekInVideo = async (source) => {
      const video = Object.assign(document.createElement('video'), { muted: true, preload: 'auto', src: source });
      const happens = (name) => new Promise((resolve, reject) => {
        video.addEventListener(name, resolve, { once: true });
        video.addEventListener('error', () => reject(new Error(video.error.message)), { once: true });
      });
      const drawing = document.createElement('canvas').getContext('2d');
      const look = () => {
        drawing.drawImage(video, 0, 0);
        const [red, , blue] = drawing.getImageData(8, 8, 1, 1).data;
        return red > blue ? 'red' : 'blue';
      };
      document.body.append(video);
      await happens('loadeddata');
      const seen = [look()];
      for (const part of [0.9, 0.1]) {
        const sought = happens('seeked');
        video.currentTime = video.duration * part;
        await sought;
        seen.push(look());
      }
      return seen;
    };
  </script>`,
  'public/logo.svg': '<svg xmlns="http://www.w3.org/2000/svg" width="2" height="2"/>',
};

/** One response, as the browser's network log has it. */
interface LoggedResponse {
  readonly path: string;
  /** As it came over the wire; null when nothing was asked because the cache had it. */
  status: number | null;
  readonly fields: Readonly<Record<string, string>>;
}

let folder = '';
let url = '';

async function build(): Promise<void> {
  const vite = `${repositoryRoot}node_modules/vite/bin/vite.js`;
  const words = ['build', '--assetsInlineLimit', '0', '--logLevel', 'error', '--minify', 'false'];
  const running = startProcess([process.execPath, vite, ...words], { cwd: folder });
  expect(await running.exit, running.stderr).toEqual({ code: 0, signal: null });
}

const findAsset = (pattern: RegExp): string =>
  `/assets/${readdirSync(join(folder, 'dist/assets')).find((name) => pattern.test(name))}`;

beforeAll(async () => {
  folder = createTempFolder(sources);
  await build();
  const port = await findFreePort();
  url = `http://localhost:${port}`;
  const server = startTsserve(['dist', '--spa', '--port', String(port)], { cwd: folder });
  await waitUntilListening(server, port);
});

/** What a page asks for from now on, by path. */
async function readNetworkLog(page: Page): Promise<Map<string, LoggedResponse>> {
  const log = new Map<string, LoggedResponse>();
  const statuses = new Map<string, number>();
  const responses = new Map<string, LoggedResponse>();
  const session = await page.context().newCDPSession(page);
  session.on('Network.responseReceivedExtraInfo', ({ requestId, statusCode }) => {
    statuses.set(requestId, statusCode);
    const response = responses.get(requestId);
    if (response !== undefined) response.status = statusCode;
  });
  session.on('Network.responseReceived', ({ requestId, response }) => {
    const fields = Object.entries(response.headers).map(([name, value]) => [name.toLowerCase(), value]);
    const entry: LoggedResponse = {
      path: response.url.replace(url, ''),
      status: statuses.get(requestId) ?? null,
      fields: Object.fromEntries(fields) as Record<string, string>,
    };
    responses.set(requestId, entry);
    log.set(entry.path, entry);
  });
  await session.send('Network.enable');
  return log;
}

const immutable = 'public, max-age=31536000, immutable';

const readField = (log: ReadonlyMap<string, LoggedResponse>, path: string, name: string) =>
  log.get(path)?.fields[name];

const showStatuses = (log: ReadonlyMap<string, LoggedResponse>): Record<string, number | null> =>
  Object.fromEntries(Array.from(log.values(), ({ path, status }) => [path, status]));

describeWithTool('chromium', 'a build of Vite in Chromium', (executablePath) => {
  let browser: Browser;
  let context: BrowserContext;

  beforeAll(async () => {
    const args = ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'];
    browser = await chromium.launch({ executablePath, args });
    cleanUpLater(() => browser.close());
    context = await browser.newContext();
  });

  const visit = async (path: string): Promise<{ page: Page; log: Map<string, LoggedResponse> }> => {
    const page = await context.newPage();
    const log = await readNetworkLog(page);
    await page.goto(url + path, { waitUntil: 'networkidle' });
    return { page, log };
  };

  const askForMore = async (page: Page): Promise<string | null> => {
    await page.click('button');
    return page.locator('p', { hasText: /./ }).textContent();
  };

  test('is whole at the first visit, and revisited asks about what may have changed and nothing else', async () => {
    const first = await visit('/');
    const assets = [/^index-.*\.js$/, /\.css$/, /^picture-.*\.svg$/].map(findAsset);
    const paths = ['/', '/logo.svg', ...assets];
    expect(showStatuses(first.log)).toEqual(Object.fromEntries(paths.map((path) => [path, 200])));
    const isImmutable = (path: string) => readField(first.log, path, 'cache-control') === immutable;
    // A hash that could be a word with a number is not taken for one, and such a file is asked about.
    const isWordy = (path: string) => /-[A-Za-z]+[_-]?\d+\./.test(path);
    expect(assets.filter((path) => !isImmutable(path) && !isWordy(path))).toEqual([]);
    expect(assets.some(isImmutable)).toBe(true);
    expect(readField(first.log, '/', 'cache-control')).toBe('no-cache');
    expect(readField(first.log, assets[1], 'content-encoding')).toMatch(/^(br|zstd|gzip)$/);
    const color = 'getComputedStyle(document.querySelector("h1")).color';
    expect(await first.page.evaluate(color)).toBe('rgb(1, 2, 3)');
    await first.page.close();

    const second = await visit('/');
    const expected = paths.map((path) => [path, isImmutable(path) ? null : 304]);
    expect(showStatuses(second.log)).toEqual(Object.fromEntries(expected));
    expect(await second.page.evaluate(color)).toBe('rgb(1, 2, 3)');
    await second.page.close();
  });

  test('has its page for every navigation', async () => {
    const { page, log } = await visit('/users/7');
    expect(log.get('/users/7')?.status).toBe(200);
    expect(await page.textContent('h1')).toBe('/users/7');
    await page.close();
  });

  test('T22: whose chunk is of an earlier deployment gets an honest 404, and the new one once reloaded', async () => {
    const { page, log } = await visit('/users/8');
    const chunk = findAsset(/^more-/);
    writeFileSync(join(folder, 'more.js'), 'export const text = "the second";');
    await build();
    expect(findAsset(/^more-/)).not.toBe(chunk);
    expect(await askForMore(page)).toBe('gone');
    expect(log.get(chunk)?.status).toBe(404);
    expect(log.get(chunk)?.fields['cache-control']).toBe('no-store');
    expect(log.get(chunk)?.fields['content-type']).not.toMatch(/javascript/);
    await page.reload({ waitUntil: 'networkidle' });
    expect(await askForMore(page)).toBe('the second');
    expect(log.get(findAsset(/^more-/))?.status).toBe(200);
    await page.close();
  });

  test('has a video that is sought in by ranges', async () => {
    const { page } = await visit('/video.html');
    const pictures = await page.evaluate<string[]>('drawPictures()');
    writeFileSync(join(folder, 'dist/video.webm'), makeVideo(pictures));
    const pieces: { status: number; start: number }[] = [];
    page.on('response', (response) => {
      if (!response.url().endsWith('.webm')) return;
      const start = /^bytes (\d+)-/.exec(response.headers()['content-range'] ?? '')?.[1];
      pieces.push({ status: response.status(), start: Number(start) });
    });
    expect(await page.evaluate('seekInVideo("/video.webm")')).toEqual(['red', 'blue', 'red']);
    expect(pieces[0]).toEqual({ status: 206, start: 0 });
    // Asked for by itself, not reached by reading on.
    const isFar = ({ start }: { start: number }) => start > secondsOfVideo * 0.7 * paddingSize;
    expect(pieces.find(isFar)).toMatchObject({ status: 206 });
    await page.close();
  });
});

/** A video of two pictures, as data URLs: a frame each second. */
function makeVideo(pictures: readonly string[]): Buffer {
  const drawn = pictures.map((picture) => readWebpFrame(Buffer.from(picture.split(',')[1], 'base64')));
  const frames = Array.from({ length: secondsOfVideo }, (_, second) => ({
    data: drawn[second < secondsOfVideo / 2 ? 0 : 1],
    timeMs: second * 1000,
  }));
  return makeWebm(frames, { width: side, height: side, durationMs: secondsOfVideo * 1000, paddingSize });
}
