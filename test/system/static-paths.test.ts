// Every way to write a path, on the wire, against folders with secrets around and inside of them.

import { symlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { findFreePort } from '../support/free-port.ts';
import { parseReplies } from '../support/parse-replies.ts';
import { startTsserve } from '../support/run-tsserve.ts';
import { waitUntilListening } from '../support/start-server.ts';
import { createTempFolder } from '../support/temp-folder.ts';

const secret = 'PLANTED-SECRET';

/** What each server of the table serves: the same folder in another manner. */
const manners: Record<string, object> = {
  plain: {},
  listed: { autoindex: true },
  clean: { cleanUrls: true, fallback: '/index.html' },
  tried: { tryFiles: ['$uri', '$uri.html', '$uri/', '/$arg_x/index.html', '=404'] },
  compressed: { precompressed: true },
  strict: { symlinks: 'deny', autoindex: 'json' },
  below: { stripPrefix: '/files' },
};

let port: number;

beforeAll(async () => {
  port = await findFreePort();
  const servers = Object.entries(manners).map(([name, settings]) => ({
    listen: `127.0.0.1:${port}`,
    names: [name],
    routes: [{ path: '/', static: { root: 'public', ...settings } }],
  }));
  const folder = createTempFolder({
    'site.json': JSON.stringify({ workers: 1, servers }),
    'public/index.html': 'public',
    'public/sub/a.txt': 'public',
    'public/sub/page.html': 'public',
    'public/evil.example/a.txt': 'public',
    'public/.env': secret,
    'public/.git/config': secret,
    'public/.env.html': secret,
    'public/.env.br': secret,
    'public/CON': secret,
    'public/a.txt.': secret,
    'public/back\\slash': secret,
    'public/x.txt::$DATA': secret,
    'public/tab\tname': secret,
    'public-secret/index.html': secret,
    'public-secret/a.txt': secret,
    'secret.txt': secret,
    'secret.html': secret,
    'index.html': secret,
  });
  const root = join(folder, 'public');
  symlinkSync('../secret.txt', join(root, 'link'));
  symlinkSync('../secret.html', join(root, 'page.html'));
  symlinkSync('../secret.txt', join(root, 'index.html.br'));
  symlinkSync('..', join(root, 'up'));
  await waitUntilListening(startTsserve(['-c', join(folder, 'site.json')]), port);
});

/** The ways to write a dot segment, a slash, and what is to be reached by them. */
function listTraversals(): string[] {
  const dots = ['..', '.%2e', '%2E%2e', '%252e%252e', '..;', '%c0%ae%c0%ae'];
  const slashes = ['/', '//', '/./', '%2f', '%252F', '\\', '%5c', '%c0%af', '/;/'];
  const goals = ['secret.txt', 'secret', 'public-secret/a.txt', 'public-secret/', 'etc/passwd'];
  const paths: string[] = [];
  for (const dot of dots)
    for (const slash of slashes)
      for (const [i, goal] of goals.entries()) {
        const start = ['/', '/sub/', '/files/', '/sub/..', '/up/'][i];
        paths.push(`${start}${dot}${slash}${goal}`, `${start}${dot}${slash}${dot}${slash}${goal}`);
      }
  return paths;
}

const hidden = [
  ...[
    '/.env',
    '/%2eenv',
    '/./.env',
    '/sub/../.env',
    '//.env',
    '/.env/',
    '/.git/config',
    '/.git/',
    '/.git%2fconfig',
  ],
  ...[
    '/sub/%2e%2e/.git/config',
    '/.env.html',
    '/.env.br',
    '/files/.env',
    '/.env%20',
    '/.ENV',
    '/x/../.git/config',
  ],
];
const windows = [
  ...[
    '/CON',
    '/con',
    '/CON.txt',
    '/a.txt.',
    '/a.txt%20',
    '/x.txt::$DATA',
    '/index.html::$DATA',
    '/C:/secret.txt',
  ],
  ...[
    '/C:%5csecret.txt',
    '/back%5cslash',
    '/back\\slash',
    '/\\\\host\\share',
    '//host/share/secret.txt',
    '/aux/',
  ],
];
const controls = [
  '/index.html%00',
  '/%00',
  '/tab%09name',
  '/index.html%0d%0aX:y',
  '/%7f',
  '/index.html%0a',
  '/\x01',
];
const links = [
  '/link',
  '/up/',
  '/up/secret.txt',
  '/up/public-secret/a.txt',
  '/page',
  '/page.html',
  '/up/public/.env',
];
const redirects = [
  ...[
    '//evil.example',
    '/\\evil.example',
    '/%2f%2fevil.example',
    '/%5cevil.example',
    '///evil.example',
    '/.//evil.example',
  ],
  ...[
    '//evil.example/index.html',
    '/%09/evil.example',
    '/evil.example',
    '/evil.example?next=//evil.example',
    '/sub/..//evil.example',
  ],
];
const all = [...listTraversals(), ...hidden, ...windows, ...controls, ...links, ...redirects];

interface Answer {
  path: string;
  status: number;
  location: string | undefined;
  text: string;
}

/** Asks for all paths, a few at a time. */
async function askAll(host: string, paths: readonly string[], fields = ''): Promise<Answer[]> {
  const waiting = [...paths];
  const answers: Answer[] = [];
  const work = async (): Promise<void> => {
    for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
      answers.push(await ask(host, path, fields));
    }
  };
  await Promise.all(Array.from({ length: 16 }, work));
  return answers;
}

async function ask(host: string, path: string, fields: string): Promise<Answer> {
  const socket = connect(port, '127.0.0.1');
  socket.end(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n${fields}\r\n`, 'latin1');
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk);
  const [{ status, fields: answered, body }] = parseReplies(Buffer.concat(chunks));
  const location = answered.find(([name]) => name === 'Location')?.[1];
  return { path, status, location, text: body.toString('latin1') };
}

describe.each(Object.keys(manners))('a folder served %s', (host) => {
  test('V5 V7 V8 V9 V10 V12: no path leads to a secret or off the site', { timeout: 120_000 }, async () => {
    const answers = await askAll(host, all);
    for (const fields of ['Accept: text/html\r\n', 'Accept-Encoding: br, gzip\r\n', 'Range: bytes=0-99\r\n'])
      answers.push(...(await askAll(host, [...hidden, ...windows, ...links, ...redirects], fields)));
    expect(answers.filter(({ text }) => text.includes(secret) || text.includes('root:x:'))).toEqual([]);
    expect(answers.filter(({ status }) => ![200, 206, 301, 400, 404].includes(status))).toEqual([]);
    const strays = answers.filter(
      ({ location }) => location !== undefined && !/^\/(?![/\\])[!-~]*$/.test(location),
    );
    expect(strays).toEqual([]);
    expect(answers.some(({ location }) => location !== undefined)).toBe(!['below', 'tried'].includes(host));
  });

  test('V7: control bytes are refused before any file is looked for', async () => {
    for (const { path, status } of await askAll(host, controls)) expect([path, status]).toEqual([path, 400]);
  });
});

test('V10: a listing shows none of them either', async () => {
  for (const host of ['listed', 'strict']) {
    const [{ text }] = await askAll(host, ['/evil.example/']);
    expect(text).toContain('a.txt');
    for (const name of ['.env', '.git', 'CON', 'link', 'up', 'back', '$DATA'])
      expect(text).not.toContain(`"${name}`);
  }
});

test('S2: a variable in tryFiles leads nowhere', async () => {
  const paths = ['..', '../public-secret', '..%2fpublic-secret', '.git', '%2e%2e', '/', '\\..', 'up'].map(
    (value) => `/none?x=${value}`,
  );
  for (const { path, text } of await askAll('tried', paths)) expect([path, text]).not.toEqual([path, secret]);
});
