import { execFileSync, spawn } from 'node:child_process';
import { closeSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createStatic } from '../../../src/handlers/static/create-static.ts';
import { isServablePath } from '../../../src/handlers/static/is-servable-path.ts';
import { StaticRoot } from '../../../src/handlers/static/static-root.ts';
import type { StaticSettings } from '../../../src/handlers/static/static-shape.ts';
import { getField } from '../../../src/message/fields.ts';
import type { Handler } from '../../../src/message/handler.ts';
import { HttpError } from '../../../src/message/http-error.ts';
import type { Reply } from '../../../src/message/reply.ts';
import { answer, createDeps, createExchange, readBody } from '../exchange.ts';
import { countOpenFiles, createSettings, SiteFolder, secret, waitForClosedFiles } from './site-folder.ts';

let folder: SiteFolder;

beforeAll(() => {
  folder = new SiteFolder();
  folder.write('index.html', 'public');
  folder.write('sub/a.txt', 'public');
  folder.write('.well-known/acme', 'public');
  folder.write('.well-known/.hidden', secret);
  folder.write('at 10:30.txt', 'public');
  for (const name of [
    '.env',
    '.git/config',
    'sub/.htpasswd',
    'CON',
    'nul.txt',
    'x.',
    'x ',
    'com1',
    'a\\b',
    'y/COM²',
  ]) {
    folder.write(name, secret);
  }
  for (const name of [
    'x.txt::$DATA',
    'C:',
    'c:secret',
    'new\nline',
    'del\x7f',
    'tab\tx',
    '..%2f',
    '...',
    'sub/..b',
  ]) {
    folder.write(name, secret);
  }
  writeFileSync(join(folder.base, 'secret.txt'), secret);
  mkdirSync(`${folder.root}-secret`);
  writeFileSync(join(`${folder.root}-secret`, 'secret.txt'), secret);
  writeFileSync(join(`${folder.root}-secret`, 'index.html'), secret);
  writeFileSync(join(folder.base, 'index.html'), secret);
});

afterAll(() => folder.remove());

function create(settings: Partial<StaticSettings> = {}): Handler {
  return createStatic(createSettings(folder.root, settings), createDeps());
}

async function getText(handler: Handler, path: string): Promise<string> {
  const result = answer(handler, createExchange(path, ['Accept', 'text/html']));
  return result instanceof HttpError ? result.code : (await readBody(result)).toString();
}

const traversals = [
  '/../secret.txt',
  '/..',
  '/../',
  '/sub/../../secret.txt',
  '/sub/../../public-secret/secret.txt',
  '/../public-secret/secret.txt',
  '/../public-secret/',
  '-secret/secret.txt',
  '/-secret/secret.txt',
  '../secret.txt',
  'secret.txt',
  '',
  '*',
  '/./../secret.txt',
  '/.../secret.txt',
  '//../secret.txt',
  '/\\..\\secret.txt',
  '/..\\secret.txt',
  '/sub\\..\\..\\secret.txt',
  '/%2e%2e/secret.txt',
  '/..%2fsecret.txt',
  '/%2e%2e%2fsecret.txt',
  '/%252e%252e%252fsecret.txt',
  '/..%5csecret.txt',
  '/\udcc0\udcae\udcc0\udcae/secret.txt',
  '/..\udcc0\udcafsecret.txt',
  '/\uff0e\uff0e/secret.txt',
  '/..\0/secret.txt',
  '/../secret.txt\0.html',
  '/\\\\host\\share\\secret.txt',
  '//host/share/secret.txt',
  '/C:/secret.txt',
  '/file:///etc/passwd',
  '/proc/self/root/etc/passwd',
  '/~/secret.txt',
  '/etc/passwd',
];
const hidden = ['/.env', '/.git/config', '/sub/.htpasswd', '/./.env', '/.git', '/.git/', '/sub/..b', '/...'];
const windows = [
  '/CON',
  '/con',
  '/nul.txt',
  '/COM1',
  '/y/COM²',
  '/com1:x',
  '/x.',
  '/x ',
  '/x.txt::$DATA',
  '/index.html::$data',
  '/index.html:stream:$DATA',
  '/C:',
  '/c:secret',
  '/a\\b',
];
const controls = ['/new\nline', '/del\x7f', '/tab\tx', '/index.html\0', '/\0', '/index.html\r\n', '/\x1b[2J'];

describe.each([
  ['with the defaults', {}],
  ['following links', { symlinks: 'follow' as const }],
  ['denying links', { symlinks: 'deny' as const }],
  ['with dotfiles', { dotfiles: true }],
  ['with a fallback', { fallback: '/index.html' }],
  ['with tryFiles', { tryFiles: ['$uri', '$uri.html', '$uri/', '=404'] }],
  ['with clean URLs', { cleanUrls: true }],
  ['with neighbours', { precompressed: ['br' as const, 'gzip' as const] }],
])('%s', (name, settings) => {
  it.each(traversals)('V5: %j leads nowhere', async (path) => {
    const text = await getText(create(settings), path);
    // A harmless name that is no file may be a page of a single-page app, never more.
    if (name === 'with a fallback') expect(['TSS_NOT_FOUND', 'public']).toContain(text);
    else expect(text).toBe('TSS_NOT_FOUND');
  });

  it.each(controls)('V7: %j is no file', async (path) => {
    expect(await getText(create(settings), path)).toBe('TSS_NOT_FOUND');
  });

  it.each(windows)('V9: %j is no file on any platform', async (path) => {
    expect(await getText(create(settings), path)).toBe('TSS_NOT_FOUND');
  });
});

describe('names that begin with a dot', () => {
  it.each(hidden)('V10: %j is hidden, whatever else is set', async (path) => {
    const tryFiles = ['$uri', '$uri.html', '$uri/', '=404'];
    for (const settings of [{}, { symlinks: 'follow' as const }, { fallback: '/index.html' }, { tryFiles }]) {
      expect(await getText(create(settings), path)).toBe('TSS_NOT_FOUND');
    }
  });

  it('V10: short names of Windows, streams and wildcards are refused on Windows', () => {
    for (const path of ['/GIT~1/config', '/x.txt:stream', '/a?', '/a*', '/"a"', '/<a>', '/a|b']) {
      expect([path, isServablePath(path, false, true)]).toEqual([path, false]);
      expect([path, isServablePath(path, false, false)]).toEqual([path, true]);
    }
  });
});

describe('names that are served', () => {
  it('V10: .well-known is, but not what is hidden in it', async () => {
    expect(await getText(create(), '/.well-known/acme')).toBe('public');
    expect(await getText(create(), '/.well-known/.hidden')).toBe('TSS_NOT_FOUND');
  });

  it('V10: dotfiles are when asked for', async () => {
    expect(await getText(create({ dotfiles: true }), '/.env')).toBe(secret);
    expect(await getText(create({ dotfiles: true }), '/./.env')).toBe('TSS_NOT_FOUND');
  });

  it('a colon in the middle is fine, bytes that are not UTF-8 are found again', async () => {
    writeFileSync(Buffer.concat([Buffer.from(`${folder.root}/latin`), Buffer.from([0xe9])]), 'latin1 name');
    for (const symlinks of ['inside', 'deny', 'follow'] as const) {
      expect(await getText(create({ symlinks }), '/at 10:30.txt')).toBe('public');
      expect(await getText(create({ symlinks }), '/latin\udce9')).toBe('latin1 name');
      expect(await getText(create({ symlinks }), '/latiné')).toBe('TSS_NOT_FOUND');
    }
  });
});

describe('any path at all', () => {
  it('V5: never reads a planted secret, never fails in an unknown manner', () => {
    const handler = create({ cacheFileSize: 1024 * 1024 });
    const trying = create({ cacheFileSize: 1024 * 1024, tryFiles: ['/sub$uri', '$uri', '$uri/', '=404'] });
    const piece = fc.constantFrom(
      ...[
        '/',
        '..',
        '.',
        '\\',
        '%2e',
        '%2f',
        '\0',
        '\n',
        ':',
        '$DATA',
        '-secret',
        'public',
        'secret.txt',
        'sub',
      ],
      ...['index.html', '.env', 'CON', '\udc80', '\ud800', 'é', ' ', '~1', 'a.txt', '.git', 'config'],
    );
    const path = fc.array(piece, { maxLength: 12 }).map((pieces) => `/${pieces.join('')}`);
    fc.assert(
      fc.property(path, (text) => {
        return [handler, trying].every((each) => {
          const result = answer(each, createExchange(text));
          if (result instanceof HttpError) return result.code === 'TSS_NOT_FOUND';
          const location = getField(result.fields, 'location');
          if (location !== undefined) return /^\/(?![/\\])[\x21-\x7e]*$/.test(location);
          return result.body?.kind === 'bytes' && !Buffer.from(result.body.bytes).includes(secret);
        });
      }),
      { numRuns: 3_000 },
    );
  });
});

describe('symbolic links', () => {
  beforeAll(() => {
    const link = (target: string, name: string) => symlinkSync(target, join(folder.root, name));
    link('sub/a.txt', 'in-file');
    link('sub', 'in-folder');
    link('in-file', 'in-chain');
    link(join(folder.base, 'secret.txt'), 'out-file');
    link('../secret.txt', 'out-relative');
    link('..', 'out-folder');
    link(`${folder.root}-secret`, 'out-sibling');
    link('out-file', 'out-chain');
    link('/proc/self/cwd', 'out-proc');
    link('nowhere', 'broken');
    link('loop', 'loop');
  });

  const inside = ['/in-file', '/in-folder/a.txt', '/in-chain'];
  const outside = [
    '/out-file',
    '/out-relative',
    '/out-folder',
    '/out-folder/',
    '/out-folder/secret.txt',
    '/out-sibling',
    '/out-sibling/',
    '/out-sibling/secret.txt',
    '/out-chain',
    '/out-proc',
    '/out-proc/package.json',
  ];

  it('V8: that stay inside are obeyed, others are not found', async () => {
    const handler = create();
    for (const path of inside) expect([path, await getText(handler, path)]).toEqual([path, 'public']);
    for (const path of outside) expect([path, await getText(handler, path)]).toEqual([path, 'TSS_NOT_FOUND']);
    // Back into the root by a way that leads out of it: it ends inside.
    expect(await getText(handler, '/out-folder/public/index.html')).toBe('public');
  });

  it('V8: the same without /proc', () => {
    const root = new StaticRoot(folder.root, 'inside', false);
    const isFile = (opener: StaticRoot, path: string) => {
      const opened = opener.open(path);
      if (opened !== null) closeSync(opened.fd);
      return opened?.stats.isFile();
    };
    for (const path of inside) expect([path, isFile(root, path)]).toEqual([path, true]);
    for (const path of outside) {
      if (!path.endsWith('/')) expect(() => root.open(path), path).toThrow('symbolic link');
    }
    const strict = new StaticRoot(folder.root, 'deny', false);
    expect(isFile(strict, '/sub/a.txt')).toBe(true);
    expect(() => strict.open('/in-folder/a.txt')).toThrow('symbolic link');
  });

  it('V8: none is obeyed with "deny", be it the last part or in the middle', async () => {
    const handler = create({ symlinks: 'deny' });
    for (const path of [...inside, ...outside]) {
      expect([path, await getText(handler, path)]).toEqual([path, 'TSS_NOT_FOUND']);
    }
    expect(await getText(handler, '/sub/a.txt')).toBe('public');
  });

  it('T23: all are obeyed with "follow"', async () => {
    const handler = create({ symlinks: 'follow' });
    for (const path of inside) expect(await getText(handler, path)).toBe('public');
    expect(await getText(handler, '/out-file')).toBe(secret);
    expect(await getText(handler, '/out-sibling/')).toBe(secret);
  });

  it.each(['inside', 'follow', 'deny'] as const)(
    'T23: broken ones and loops are not found (%s)',
    async (symlinks) => {
      for (const path of ['/broken', '/broken/x', '/loop', '/loop/x']) {
        expect(await getText(create({ symlinks }), path)).toBe('TSS_NOT_FOUND');
      }
    },
  );

  it('the root itself may be one, and may be set to another folder at any time', async () => {
    for (const release of ['release-1', 'release-2']) {
      mkdirSync(join(folder.base, release));
      writeFileSync(join(folder.base, release, 'version'), release);
      writeFileSync(join(folder.base, release, 'other'), release);
    }
    const current = join(folder.base, 'current');
    symlinkSync('release-1', current);
    for (const symlinks of ['inside', 'deny'] as const) {
      const handler = createStatic(createSettings(current, { symlinks }), createDeps());
      expect(await getText(handler, '/version')).toBe('release-1');
      symlinkSync('release-2', `${current}-new`);
      renameSync(`${current}-new`, current);
      expect(await getText(handler, '/other')).toBe('release-2');
      symlinkSync('release-1', `${current}-new`);
      renameSync(`${current}-new`, current);
    }
  });

  it('V8: a folder swapped for a link to the outside during requests never shows what is there', async () => {
    mkdirSync(join(folder.root, 'flip'));
    writeFileSync(join(folder.root, 'flip', 'secret.txt'), 'public');
    const script = `
      const { renameSync, symlinkSync } = require('node:fs');
      const [root, target] = process.argv.slice(1);
      symlinkSync(target, root + '/flip-link');
      process.send?.('ready');
      const end = Date.now() + 600;
      while (Date.now() < end) {
        renameSync(root + '/flip', root + '/flip-folder'); renameSync(root + '/flip-link', root + '/flip');
        renameSync(root + '/flip', root + '/flip-link'); renameSync(root + '/flip-folder', root + '/flip');
      }`;
    const child = spawn(process.execPath, ['-e', script, folder.root, `${folder.root}-secret`], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    await new Promise((resolve) => child.once('message', resolve));
    const handler = create({ cacheSize: 0 });
    const seen = new Map<string, number>();
    let running = true;
    const ended = new Promise((resolve) => child.once('exit', resolve)).then(() => {
      running = false;
    });
    while (running) {
      for (let i = 0; i < 200; i++) {
        const result = answer(handler, createExchange('/flip/secret.txt'));
        const text =
          result instanceof HttpError ? result.detail : (await readBody(result as Reply)).toString();
        seen.set(text, (seen.get(text) ?? 0) + 1);
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
    await ended;
    expect(seen.get('public')).toBeGreaterThan(0);
    expect([...seen.keys()].some((text) => text.startsWith('a symbolic link'))).toBe(true);
    expect(seen.has(secret)).toBe(false);
    expect(countOpenFiles(folder.base)).toBe(0);
  });
});

describe('what is no regular file', () => {
  it('is not found, and does not block: FIFO, socket, device', async () => {
    execFileSync('mkfifo', [join(folder.root, 'fifo')]);
    const socket = createServer();
    await new Promise<void>((resolve) => socket.listen(join(folder.root, 'socket'), resolve));
    symlinkSync('/dev/zero', join(folder.root, 'device'));
    symlinkSync('/dev/tty', join(folder.root, 'terminal'));
    const handler = create({ symlinks: 'follow' });
    for (const path of ['/fifo', '/socket', '/device', '/terminal', '/fifo/', '/fifo/x']) {
      expect([path, await getText(handler, path)]).toEqual([path, 'TSS_NOT_FOUND']);
    }
    await new Promise((resolve) => socket.close(resolve));
    expect(await waitForClosedFiles(folder.base)).toBe(0);
  });
});
