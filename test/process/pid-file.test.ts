import { existsSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readPidFile, removePidFile, writePidFile } from '../../src/process/pid-file.ts';
import { createTempFolder } from '../support/temp-folder.ts';

test('it is written with folders, replaces a stale one, and is removed', () => {
  const path = join(createTempFolder(), 'run', 'tsserve.pid');
  writePidFile(path);
  writeFileSync(path, '1\n');
  writePidFile(path);
  expect(readFileSync(path, 'utf8')).toBe(`${process.pid}\n`);
  expect(readPidFile(path)).toBe(process.pid);
  removePidFile(path);
  expect(existsSync(path)).toBe(false);
});

test('what is no file is written to, not replaced', () => {
  const folder = createTempFolder();
  const path = join(folder, 'null');
  symlinkSync('/dev/null', path);
  writePidFile(path);
  expect(readdirSync(folder)).toEqual(['null']);
  expect(statSync(path).isCharacterDevice()).toBe(true);
});

test('one that cannot be written leaves nothing behind', () => {
  const folder = createTempFolder({ 'tsserve.pid/in-the-way': '' });
  expect(() => writePidFile(join(folder, 'tsserve.pid'))).toThrow('EISDIR');
  expect(readdirSync(folder)).toEqual(['tsserve.pid']);
});

test('a link that waits where it is drafted is not followed', () => {
  const folder = createTempFolder({ victim: 'mine' });
  const path = join(folder, 'tsserve.pid');
  symlinkSync(join(folder, 'victim'), `${path}.${process.pid}`);
  writePidFile(path);
  expect(readFileSync(join(folder, 'victim'), 'utf8')).toBe('mine');
  expect(readPidFile(path)).toBe(process.pid);
});

test('that of another server is left alone', () => {
  const path = join(createTempFolder(), 'tsserve.pid');
  writeFileSync(path, '1\n');
  removePidFile(path);
  expect(readPidFile(path)).toBe(1);
});

test.each(['', 'x', '-1', '0', '1 2', '12345678901'])('%j is no process id', (text) => {
  const path = join(createTempFolder(), 'tsserve.pid');
  writeFileSync(path, text);
  expect(readPidFile(path)).toBeNull();
});
