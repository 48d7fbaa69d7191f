import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { FileWatch } from '../../src/process/watch-files.ts';
import { cleanUpLater } from '../support/clean-up.ts';
import { createTempFolder } from '../support/temp-folder.ts';
import { waitUntil } from '../support/wait-until.ts';

async function watchFolder(files: Record<string, string>, roots: string[] = ['']) {
  const folder = createTempFolder(files);
  const changes: string[][] = [];
  const watch = new FileWatch({
    roots: roots.map((root) => join(folder, root)),
    isIgnored: (path) => path.endsWith('.log'),
    onChange: (paths) => changes.push(paths.map((path) => path.slice(folder.length + 1)).sort()),
  });
  cleanUpLater(() => watch.close());
  await watch.ready;
  return {
    folder,
    watch,
    changes,
    path: (name: string) => join(folder, name),
    next: async () => {
      await waitUntil('a change', () => changes.length > 0);
      return changes.shift();
    },
  };
}

test('T30: a file that is written, renamed over, made or removed has changed', async () => {
  const { path, next } = await watchFolder({ 'a.js': '1', 'sub/b.js': '1' });
  writeFileSync(path('a.js'), '2');
  expect(await next()).toEqual(['a.js']);
  writeFileSync(path('sub/b.js.tmp'), '2');
  renameSync(path('sub/b.js.tmp'), path('sub/b.js'));
  expect(await next()).toContain('sub/b.js');
  writeFileSync(path('c.js'), '');
  expect(await next()).toEqual(['c.js']);
  rmSync(path('c.js'));
  expect(await next()).toEqual(['c.js']);
});

test('T30: so has one behind a link that was swapped', async () => {
  const { path, next } = await watchFolder({ 'one/a.js': '1', 'two/a.js': '22' }, ['a.js']);
  symlinkSync('one', path('.data'));
  symlinkSync('.data/a.js', path('a.js'));
  expect(await next()).toEqual(['a.js']);
  symlinkSync('two', path('.data-next'));
  renameSync(path('.data-next'), path('.data'));
  expect(await next()).toEqual(['a.js']);
});

test('folders that are made later are looked at too', async () => {
  const { path, next } = await watchFolder({ 'a.js': '1' });
  mkdirSync(path('new/deep'), { recursive: true });
  writeFileSync(path('new/deep/b.js'), '1');
  expect(await next()).toEqual(['new/deep/b.js']);
  writeFileSync(path('new/deep/b.js'), '22');
  expect(await next()).toEqual(['new/deep/b.js']);
});

test('several writes are one change', async () => {
  const { path, changes, next } = await watchFolder({ 'a.js': '', 'b.js': '' });
  for (let i = 0; i < 5; i++) {
    writeFileSync(path('a.js'), 'x'.repeat(i + 1));
    writeFileSync(path('b.js'), 'x'.repeat(i + 1));
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  expect(await next()).toEqual(['a.js', 'b.js']);
  expect(changes).toEqual([]);
});

test('what is ignored, hidden or installed is not looked at, and a link in a circle does no harm', async () => {
  const { folder, path, next } = await watchFolder({
    'a.js': '1',
    'node_modules/x/index.js': '1',
    '.git/HEAD': '',
  });
  symlinkSync(folder, path('circle'));
  writeFileSync(path('node_modules/x/index.js'), '22');
  writeFileSync(path('.git/HEAD'), '22');
  writeFileSync(path('events.log'), '22');
  writeFileSync(path('a.js'), '22');
  expect(await next()).toEqual(['a.js']);
});

test('a change that no event tells of is found nevertheless', async () => {
  const { path, next } = await watchFolder({}, ['later/a.js']);
  mkdirSync(path('later'));
  writeFileSync(path('later/a.js'), '1');
  expect(await next()).toEqual(['later/a.js']);
});

test('nothing is told once it is closed', async () => {
  const { path, watch, changes } = await watchFolder({ 'a.js': '1' });
  watch.close();
  writeFileSync(path('a.js'), '22');
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(changes).toEqual([]);
});
