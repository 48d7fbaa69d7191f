import { chmodSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { openBrowser } from '../../src/process/open-browser.ts';
import { createTempFolder } from '../support/temp-folder.ts';
import { waitUntil } from '../support/wait-until.ts';

const url = 'http://localhost:8080/';

afterEach(() => {
  vi.unstubAllEnvs();
  vi.unstubAllGlobals();
});

/** Puts a program in the place of the system's; its arguments go to the file that this gives. */
function replaceOpener(name: string, exitCode = 0): string {
  const folder = createTempFolder({
    [name]: `#!/bin/sh\nprintf '<%s>' "$@" > "$0.tmp"\nmv "$0.tmp" "$0.args"\nexit ${exitCode}\n`,
  });
  chmodSync(join(folder, name), 0o755);
  vi.stubEnv('PATH', `${folder}:${process.env.PATH}`);
  return join(folder, `${name}.args`);
}

test.each([
  ['linux', 'xdg-open', `<${url}>`],
  ['darwin', 'open', `<${url}>`],
  ['win32', 'rundll32', `<url.dll,FileProtocolHandler><${url}>`],
])('on %s a page is shown by %s, without a shell', async (platform, program, expected) => {
  const file = replaceOpener(program);
  vi.stubGlobal('process', Object.create(process, { platform: { value: platform } }));
  const problems: string[] = [];
  openBrowser(url, (problem) => problems.push(problem));
  await waitUntil('it was called', () => existsSync(file));
  expect(readFileSync(file, 'utf8')).toBe(expected);
  expect(problems).toEqual([]);
});

test('a system that cannot is told of', async () => {
  replaceOpener('xdg-open', 3);
  const problems: string[] = [];
  openBrowser(url, (problem) => problems.push(problem));
  await waitUntil('it is over', () => problems.length > 0);
  expect(problems).toEqual([`cannot show ${url} in a browser: xdg-open ended with 3`]);
});

test('a system without the program is told of', async () => {
  vi.stubEnv('PATH', createTempFolder());
  const problems: string[] = [];
  openBrowser(url, (problem) => problems.push(problem));
  await waitUntil('it is over', () => problems.length > 0);
  expect(problems).toEqual([`cannot show ${url} in a browser: spawn xdg-open ENOENT`]);
});
