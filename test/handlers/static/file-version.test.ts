import { closeSync, fstatSync, openSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isUnsettled, toEntityTag } from '../../../src/handlers/static/file-version.ts';
import { readWholeFile } from '../../../src/handlers/static/read-whole-file.ts';
import type { OpenedFile } from '../../../src/handlers/static/static-root.ts';
import { SiteFolder } from './site-folder.ts';

const version = { dev: 1n, ino: 2n, size: 3n, mtimeNs: 1_700_000_000_123_456_789n, ctimeNs: 0n };
const atMs = 1_700_000_000_123;

describe('isUnsettled', () => {
  it.each([
    ['a moment ago', version.mtimeNs, atMs + 10, true],
    ['a while ago', version.mtimeNs, atMs + 60, false],
    ['by a clock slightly ahead', version.mtimeNs, atMs - 10, true],
    ['in the far future', version.mtimeNs, atMs - 86_400_000, false],
    ['a second ago, if the file system counts seconds', 1_700_000_000_000_000_000n, 1_700_000_001_500, true],
    ['three seconds ago, likewise', 1_700_000_000_000_000_000n, 1_700_000_003_000, false],
  ])('a file changed %s', (_name, mtimeNs, nowMs, expected) => {
    expect(isUnsettled({ ...version, mtimeNs }, nowMs)).toBe(expected);
  });
});

describe('toEntityTag', () => {
  it('depends on every nanosecond, the size, the inode and the time of its last change of any kind', () => {
    const tags = [
      version,
      { ...version, mtimeNs: version.mtimeNs + 1n },
      { ...version, size: 4n },
      { ...version, ino: 3n },
      { ...version, ctimeNs: 1n },
      { ...version, size: 2n, ino: 3n },
    ].map(toEntityTag);
    expect(new Set(tags).size).toBe(tags.length);
    for (const tag of tags) expect(tag).toMatch(/^"[0-9a-z]+(?:-[0-9a-z]+){3}"$/);
  });
});

describe('readWholeFile', () => {
  let folder: SiteFolder;
  let full: string;
  let file: OpenedFile;

  beforeEach(() => {
    folder = new SiteFolder();
    full = folder.write('a.txt', 'first version');
    const fd = openSync(full, 'r');
    file = { fd, stats: fstatSync(fd, { bigint: true }) };
  });

  afterEach(() => {
    closeSync(file.fd);
    folder.remove();
  });

  it('gives bytes and version of one state of the file, though it changed since it was opened', () => {
    expect(readWholeFile(file, 100)?.bytes.toString()).toBe('first version');
    for (const text of ['other version', 'a longer version', 'short']) {
      writeFileSync(full, text);
      const whole = readWholeFile(file, 100);
      expect([whole?.bytes.toString(), whole?.version.size]).toEqual([text, BigInt(text.length)]);
    }
    truncateSync(full, 0);
    expect(readWholeFile(file, 100)?.bytes.length).toBe(0);
  });

  it('gives up on a file that has become too large', () => {
    writeFileSync(full, 'x'.repeat(101));
    expect(readWholeFile(file, 100)).toBeNull();
  });

  it('names the version that is there after a mere touch', () => {
    utimesSync(full, new Date('2024-04-01'), new Date('2024-04-01'));
    expect(readWholeFile(file, 100)?.version.mtimeNs).toBe(BigInt(Date.UTC(2024, 3, 1)) * 1_000_000n);
  });
});
