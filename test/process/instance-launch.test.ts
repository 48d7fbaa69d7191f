import { expect, test } from 'vitest';
import { parseInDirectory } from '../../src/config/shape/base-directory.ts';
import { findProgram } from '../../src/process/find-program.ts';
import { describeEnvironmentChange } from '../../src/process/instance-environment.ts';
import { chooseAddress, createLaunch } from '../../src/process/instance-launch.ts';
import { SocketFolder } from '../../src/process/socket-folder.ts';
import { commandShape } from '../../src/upstream/program-shape.ts';
import { cleanUpLater } from '../support/clean-up.ts';
import { createTempFolder } from '../support/temp-folder.ts';

const entry = new URL('file:///nowhere');
const parse = (settings: object, folder: string) =>
  parseInDirectory(folder, () => commandShape.parse(settings));

function createFolder(): SocketFolder {
  const folder = new SocketFolder();
  cleanUpLater(() => folder.remove());
  return folder;
}

test('V36: placeholders are filled in arguments and environment, and nothing else is read into them', () => {
  const settings = parse(
    {
      command: ['node', '--socket={socket}', '{instance}', '$HOME `id` {other} {"a":1}', '{port'],
      env: { SOCKET: '{socket}', PLAIN: '$HOME' },
    },
    createTempFolder(),
  );
  const address = chooseAddress(settings, createFolder(), 'api', 3);
  const path = 'path' in address ? address.path : '';
  const launch = createLaunch(settings, { upstream: 'api', number: 3, address }, entry);
  expect('command' in launch && launch.command.slice(-4)).toEqual([
    `--socket=${path}`,
    '3',
    '$HOME `id` {other} {"a":1}',
    '{port',
  ]);
  expect(launch.environment).toMatchObject({ SOCKET: path, PLAIN: '$HOME', TSSERVE_INSTANCE: '3' });
});

test('each program that wants a port gets another', () => {
  const folder = createFolder();
  const settings = parse({ command: ['node', '{port}'] }, createTempFolder());
  const addresses = Array.from({ length: 20 }, () => chooseAddress(settings, folder, 'api', 1));
  expect(new Set(addresses.map((address) => 'port' in address && address.port)).size).toBe(20);
  expect(addresses.every((address) => 'host' in address && address.host === '127.0.0.1')).toBe(true);
});

test('a program is looked for on the PATH of its own environment, or in its folder', () => {
  const folder = createTempFolder({ 'bin/tool': '', 'run.sh': '' });
  expect(findProgram('tool', `${folder}/bin`, '/')).toBeNull();
  expect(findProgram('node', process.env.PATH ?? '', '/')).toMatch(/\/node$/);
  expect(findProgram('./run.sh', '', folder)).toBeNull();
  const settings = parse({ command: ['node', '{port}'], env: { PATH: folder } }, folder);
  const place = { upstream: 'api', number: 1, address: { path: '/x' } };
  expect(() => createLaunch(settings, place, entry)).toThrow('there is no program "node"');
});

test('T33: what a reload changes in the environment is told by name', () => {
  const before = { KEPT: '1', OTHER: 'a', GONE: 'secret' };
  expect(describeEnvironmentChange(before, { KEPT: '1', OTHER: 'b', NEW: 'secret' })).toBe(
    '+NEW ~OTHER -GONE',
  );
  expect(describeEnvironmentChange(before, before)).toBe('');
});
