import {
  chmodSync,
  linkSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createStatic } from '../../../src/handlers/static/create-static.ts';
import { StaticRoot } from '../../../src/handlers/static/static-root.ts';
import type { StaticSettings } from '../../../src/handlers/static/static-shape.ts';
import { getField } from '../../../src/message/fields.ts';
import type { Handler } from '../../../src/message/handler.ts';
import { HttpError } from '../../../src/message/http-error.ts';
import type { Reply } from '../../../src/message/reply.ts';
import { answer, answerReply, createDeps, createExchange, readBody } from '../exchange.ts';
import { countOpenFiles, createSettings, SiteFolder, waitForClosedFiles } from './site-folder.ts';

let folder: SiteFolder;

beforeEach(() => {
  folder = new SiteFolder();
  // Only the monotonic clock stands still: files keep the times that the system gives them.
  vi.useFakeTimers({ toFake: ['performance'] });
});

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  folder.remove();
});

function create(settings: Partial<StaticSettings> = {}): Handler {
  return createStatic(createSettings(folder.root, settings), createDeps());
}

function get(handler: Handler, path: string, fields: string[] = []): Reply {
  return answerReply(handler, createExchange(path, fields));
}

async function getText(handler: Handler, path: string): Promise<string> {
  return (await readBody(get(handler, path))).toString();
}

function getEntityTag(reply: Reply): string {
  return getField(reply.fields, 'etag') as string;
}

describe('a cached file', () => {
  it('is one shared reply, as is its 304', () => {
    folder.write('a.txt');
    const handler = create();
    const first = get(handler, '/a.txt');
    expect(first.shared).toBe(true);
    expect(get(handler, '/a.txt')).toBe(first);
    expect(answerReply(handler, createExchange('/a.txt', [], 'HEAD'))).toBe(first);
    const fields = ['If-None-Match', getEntityTag(first)];
    const notModified = get(handler, '/a.txt', fields);
    expect([notModified.status, notModified.shared]).toEqual([304, true]);
    expect(get(handler, '/a.txt', fields)).toBe(notModified);
  });

  it('stays the same reply when it was looked at again and had not changed', () => {
    folder.write('a.txt');
    const handler = create();
    const first = get(handler, '/a.txt');
    vi.advanceTimersByTime(5_000);
    expect(get(handler, '/a.txt')).toBe(first);
  });

  it('asks nothing of the disk for a second', () => {
    folder.write('a.txt');
    const handler = create();
    const first = get(handler, '/a.txt');
    rmSync(folder.root, { recursive: true });
    vi.advanceTimersByTime(999);
    expect(get(handler, '/a.txt')).toBe(first);
    vi.advanceTimersByTime(1);
    expect((answer(handler, createExchange('/a.txt')) as HttpError).code).toBe('TSS_NOT_FOUND');
  });

  it.each([
    ['overwritten in place', (full: string) => writeFileSync(full, 'new text')],
    [
      'replaced by a file of the same time',
      (full: string) => {
        writeFileSync(`${full}.new`, 'new text');
        utimesSync(`${full}.new`, new Date('2024-03-01T12:00:00.123Z'), new Date('2024-03-01T12:00:00.123Z'));
        renameSync(`${full}.new`, full);
      },
    ],
    [
      'overwritten with its time set back',
      (full: string) => {
        writeFileSync(full, 'new text');
        utimesSync(full, new Date('2024-03-01T12:00:00.123Z'), new Date('2024-03-01T12:00:00.123Z'));
      },
    ],
  ])('T25: shows an edit after one second: %s', async (_name, edit) => {
    const full = folder.write('a.txt', 'old text');
    const handler = create();
    expect(await getText(handler, '/a.txt')).toBe('old text');
    edit(full);
    vi.advanceTimersByTime(1_000);
    expect(await getText(handler, '/a.txt')).toBe('new text');
  });

  it('T25: shows an index or fallback that was edited, and after a tenth of a second a file that came into being', async () => {
    const index = folder.write('index.html', 'old');
    const handler = create({ fallback: '/index.html' });
    const html = ['Accept', 'text/html'];
    expect(await getText(handler, '/')).toBe('old');
    expect((await readBody(get(handler, '/page', html))).toString()).toBe('old');
    writeFileSync(index, 'new');
    vi.advanceTimersByTime(1_000);
    expect(await getText(handler, '/')).toBe('new');
    expect((await readBody(get(handler, '/page', html))).toString()).toBe('new');
    folder.writeFresh('page', 'here at once');
    vi.advanceTimersByTime(100);
    expect((await readBody(get(handler, '/page', html))).toString()).toBe('here at once');
  });

  it('is read anew when its name, and so its type, belongs to another link of the same file', () => {
    const full = folder.write('second.txt', 'x');
    const handler = create({ index: ['first.html', 'second.txt'] });
    expect(getField(get(handler, '/').fields, 'content-type')).toBe('text/plain; charset=utf-8');
    linkSync(full, join(folder.root, 'first.html'));
    vi.advanceTimersByTime(1_000);
    expect(getField(get(handler, '/').fields, 'content-type')).toBe('text/html; charset=utf-8');
  });

  it('V8: is no longer served one second after a folder on its way became a link to the outside', () => {
    folder.write('sub/a.txt');
    const handler = create();
    expect(get(handler, '/sub/a.txt').status).toBe(200);
    renameSync(join(folder.root, 'sub'), join(folder.base, 'moved'));
    symlinkSync(join(folder.base, 'moved'), join(folder.root, 'sub'));
    vi.advanceTimersByTime(1_000);
    expect((answer(handler, createExchange('/sub/a.txt')) as HttpError).code).toBe('TSS_NOT_FOUND');
  });

  it('survives a change of Sites, and is forgotten with the last of them', () => {
    folder.write('a.txt');
    const deps = createDeps();
    const before = createStatic(createSettings(folder.root), deps);
    const first = get(before, '/a.txt');
    const after = createStatic(createSettings(folder.root), deps);
    const other = createStatic(createSettings(folder.root, { dotfiles: true }), deps);
    before.close();
    expect(get(after, '/a.txt')).toBe(first);
    expect(get(other, '/a.txt')).not.toBe(first);
    after.close();
    other.close();
    expect(deps.shared.size).toBe(0);
  });

  it('makes room for others when the cache is full', () => {
    for (const name of ['a', 'b', 'c']) folder.write(name, Buffer.alloc(10_000));
    const handler = create({ cacheSize: 25_000 });
    const [a, b] = [get(handler, '/a'), get(handler, '/b')];
    expect(get(handler, '/a')).toBe(a);
    get(handler, '/c');
    expect(get(handler, '/a')).toBe(a);
    expect(get(handler, '/b')).not.toBe(b);
  });

  it('is not kept when it is larger than cacheFileSize, or when cacheSize is 0', async () => {
    folder.write('a', Buffer.alloc(1_001));
    const [tooLarge, none] = [create({ cacheFileSize: 1_000 }), create({ cacheSize: 0 })];
    expect(get(tooLarge, '/a').shared).toBe(false);
    expect(get(none, '/a')).not.toBe(get(none, '/a'));
    expect(await getText(none, '/a')).toHaveLength(1_001);
  });
});

describe('entity tags', () => {
  it('differ for edits of the same size within one second, however fast they follow', async () => {
    const full = folder.writeFresh('a.txt', 'text 0');
    const handler = create();
    const tags = new Map<string, string>();
    for (let i = 0; i < 50; i++) {
      writeFileSync(full, `text ${i % 10}`);
      vi.advanceTimersByTime(1_000);
      const reply = get(handler, '/a.txt');
      const text = (await readBody(reply)).toString();
      expect(text).toBe(`text ${i % 10}`);
      const tag = getEntityTag(reply);
      expect(tags.get(tag) ?? text).toBe(text);
      tags.set(tag, text);
    }
    expect(tags.size).toBeGreaterThanOrEqual(10);
  });

  it('differ for a file overwritten in place whose size and time stay the same', () => {
    const full = folder.write('a.txt', 'old text');
    const handler = create();
    const tag = getEntityTag(get(handler, '/a.txt'));
    vi.advanceTimersByTime(1_000);
    expect(getEntityTag(get(handler, '/a.txt'))).toBe(tag);
    expect(folder.write('a.txt', 'new text')).toBe(full);
    vi.advanceTimersByTime(1_000);
    expect(get(handler, '/a.txt', ['If-None-Match', tag]).status).toBe(200);
    expect(getEntityTag(get(handler, '/a.txt'))).not.toBe(tag);
  });

  it('differ for files renamed over each other within one second', () => {
    const handler = create();
    const tags = new Set<string>();
    for (let i = 0; i < 5; i++) {
      renameSync(folder.writeFresh(`next-${i}`, `text ${i}`), join(folder.root, 'a.txt'));
      vi.advanceTimersByTime(1_000);
      tags.add(getEntityTag(get(handler, '/a.txt')));
    }
    expect(tags.size).toBe(5);
  });

  it('are left out of a large file that is being written, and there once it has settled', () => {
    const full = folder.writeFresh('a.bin', Buffer.alloc(5_000));
    const handler = create({ cacheFileSize: 1_000 });
    const head = () => answerReply(handler, createExchange('/a.bin', [], 'HEAD'));
    writeFileSync(full, Buffer.alloc(5_000));
    expect(getField(head().fields, 'etag')).toBeUndefined();
    const past = new Date(Date.now() - 100);
    utimesSync(full, past, past);
    expect(getField(head().fields, 'etag')).toMatch(/^"/);
  });

  it('go without Last-Modified when the time of the file is in the future', () => {
    const full = folder.write('a.txt');
    utimesSync(full, new Date('2999-01-01'), new Date('2999-01-01'));
    const reply = get(create(), '/a.txt');
    expect(getField(reply.fields, 'last-modified')).toBeUndefined();
    expect(getEntityTag(reply)).toMatch(/^"/);
  });
});

/** Root may read everything. */
function asOrdinaryUser<T>(run: () => T): T {
  if (process.geteuid?.() !== 0) return run();
  process.seteuid?.(65_534);
  try {
    return run();
  } finally {
    process.seteuid?.(0);
  }
}

describe('failures', () => {
  it('a file that may not be read is 403', () => {
    chmodSync(folder.write('a.txt'), 0o000);
    chmodSync(folder.base, 0o755);
    const handler = create();
    const error = asOrdinaryUser(() => answer(handler, createExchange('/a.txt')));
    expect((error as HttpError).code).toBe('TSS_FORBIDDEN');
  });

  it('a name too long for the system is not found', () => {
    expect((answer(create(), createExchange(`/${'a'.repeat(5_000)}`)) as HttpError).status).toBe(404);
  });

  it('a root that vanished is not found', () => {
    const handler = create({ cacheSize: 0 });
    rmSync(folder.root, { recursive: true });
    expect((answer(handler, createExchange('/a.txt')) as HttpError).status).toBe(404);
    mkdirSync(folder.root);
    folder.write('a.txt');
    expect(get(handler, '/a.txt').status).toBe(200);
  });

  it.each([
    ['EMFILE', 'TSS_OVERLOADED', 503],
    ['ENFILE', 'TSS_OVERLOADED', 503],
    ['EIO', 'TSS_FILE_READ', 500],
  ])('V17: %s is an error of the server, and over when it is over', (code, expected, status) => {
    folder.write('a.txt');
    const handler = create();
    const open = vi.spyOn(StaticRoot.prototype, 'open').mockImplementation(() => {
      throw Object.assign(new Error('failed'), { code });
    });
    const error = answer(handler, createExchange('/a.txt')) as HttpError;
    expect([error.code, error.status, error.detail]).toEqual([expected, status, `${code}: /a.txt`]);
    open.mockRestore();
    expect(get(handler, '/a.txt').status).toBe(200);
  });

  it('V17: without descriptors a cached file is served on, and the log says so once a second', () => {
    folder.write('a.txt');
    const deps = createDeps();
    const handler = createStatic(createSettings(folder.root), deps);
    const first = get(handler, '/a.txt');
    const open = vi.spyOn(StaticRoot.prototype, 'open').mockImplementation(() => {
      throw Object.assign(new Error('failed'), { code: 'EMFILE' });
    });
    vi.advanceTimersByTime(1_000);
    for (let i = 0; i < 3; i++) expect(get(handler, '/a.txt')).toBe(first);
    expect(deps.lines).toEqual([expect.stringMatching(/^crit static: no file descriptors left; \/a\.txt/)]);
    open.mockRestore();
    rmSync(join(folder.root, 'a.txt'));
    vi.advanceTimersByTime(1_000);
    expect((answer(handler, createExchange('/a.txt')) as HttpError).status).toBe(404);
  });

  it('leaves no descriptor open, whatever the outcome', async () => {
    folder.write('a.txt', 'x'.repeat(100));
    folder.write('sub/x.txt');
    symlinkSync('/etc/passwd', join(folder.root, 'out'));
    const handler = create({ cacheFileSize: 10 });
    for (const path of ['/a.txt', '/sub', '/sub/', '/out', '/none', '/a.txt/']) {
      for (const fields of [[], ['If-None-Match', '*'], ['If-Match', '"x"'], ['Range', 'bytes=500-']]) {
        const result = answer(handler, createExchange(path, fields));
        if (!(result instanceof HttpError)) await readBody(result);
      }
    }
    expect(await waitForClosedFiles(folder.base)).toBe(0);
    expect(countOpenFiles('/etc/passwd')).toBe(0);
  });
});
