import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { EarlySignals } from '../../src/cli/early-signals.ts';
import { runCommand as runCommandWith } from '../../src/cli/run-command.ts';
import { createTempFolder, writeFiles } from '../support/temp-folder.ts';

let stdout = '';
let stderr = '';

beforeEach(() => {
  stdout = '';
  stderr = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    stdout += text;
    return true;
  });
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    stderr += text;
    return true;
  });
});

afterEach(() => vi.restoreAllMocks());

const runCommand = (words: readonly string[]) => runCommandWith(words, new EarlySignals());

const good =
  '{ "listen": 8080, "pid": "site.pid", "errorLog": { "level": "warn" }, "routes": [{ "path": "/", "return": { "status": 200 } }], }';

function createConfig(text = good): string {
  return join(createTempFolder({ 'site.json': text }), 'site.json');
}

const dump = () => JSON.parse(stdout) as Record<string, unknown>;

describe('-t', () => {
  test('says that a good config is good, in words known from nginx', async () => {
    expect(await runCommand(['-t', '-c', createConfig()])).toBe(0);
    expect(stderr).toMatch(/syntax is ok\n.*test is successful\n$/);
    expect(stdout).toBe('');
  });

  test('with -q says nothing of a good config', async () => {
    expect(await runCommand(['-tqc', createConfig()])).toBe(0);
    expect(stderr).toBe('');
  });

  test('T29: reports every problem with its place and ends with 2', async () => {
    const file = createConfig('{\n  "listn": 8080,\n  "routes": [{ "path": "x", "static": {} }]\n}');
    expect(await runCommand(['-t', '-c', file])).toBe(2);
    expect(stderr).toContain('site.json:2:3: ');
    expect(stderr).toContain('did you mean "listen"?');
    expect(stderr).toContain('site.json:3:');
    expect(stderr).toMatch(/test failed\n$/);
  });

  test('of a file that is not there ends with 2', async () => {
    expect(await runCommand(['-t', '-c', '/nowhere/site.json'])).toBe(2);
    expect(stderr).toContain('/nowhere/site.json: config file not found');
  });
});

describe('-T', () => {
  test('prints the settings with all defaults', async () => {
    const file = createConfig();
    expect(await runCommand(['-T', '-c', file])).toBe(0);
    expect(dump()).toMatchObject({ workers: 'auto', pid: join(file, '../site.pid') });
  });

  test('shows what -g and -e replace', async () => {
    const file = createConfig();
    const log = join(file, '../y.log');
    expect(await runCommand(['-T', '-q', '-c', file, '-g', '"workers": 3 // three', '-e', log])).toBe(0);
    expect(dump()).toMatchObject({ workers: 3, errorLog: { path: log, level: 'warn' } });
  });

  test('starts relative paths at the prefix', async () => {
    const file = createConfig();
    expect(await runCommand(['-T', '-q', '-p', join(file, '..'), '-c', 'site.json', '-e', 'y.log'])).toBe(0);
    expect(dump()).toMatchObject({ errorLog: { path: join(file, '../y.log') } });
  });

  test('finds the config by itself', async () => {
    const folder = createTempFolder({
      'tsserve.json': '{ "workers": 7, "routes": [{ "path": "/", "return": 204 }] }',
    });
    expect(await runCommand(['-T', '-q', '-p', folder])).toBe(0);
    expect(dump()).toMatchObject({ workers: 7 });
  });

  test('of a folder shows the site that is made of it', async () => {
    const folder = createTempFolder({ 'index.html': 'x' });
    expect(await runCommand(['-T', '-q', folder, '--port', '81', '--host', '127.0.0.1'])).toBe(0);
    expect(dump()).toMatchObject({
      servers: [
        {
          listen: [{ key: 'tcp:127.0.0.1:81' }],
          routes: [
            {
              path: { value: '/' },
              static: {
                root: folder,
                precompressed: ['br', 'zstd', 'gzip'],
                autoindex: 'off',
                fallback: null,
                cacheControl: true,
              },
              compress: { encodings: ['br', 'zstd', 'gzip'] },
            },
          ],
        },
      ],
    });
  });

  test('of a folder shows what its options and -g come to', async () => {
    const folder = createTempFolder({ 'index.html': 'x' });
    const words = ['-T', '-q', folder, '--spa', '--listing', '-g', '"workers": 1'];
    expect(await runCommand(words)).toBe(0);
    expect(dump()).toMatchObject({
      workers: 1,
      servers: [
        {
          listen: [{ key: 'tcp:localhost:8080' }],
          routes: [{ static: { fallback: '/index.html', autoindex: 'auto' } }],
        },
      ],
    });
  });

  test('of a folder is that of the config that docs/static.md compares it with', async () => {
    const folder = createTempFolder({ 'dist/index.html': 'x' });
    const settings = { root: 'dist', precompressed: true, fallback: '/index.html', autoindex: true };
    const config = {
      listen: 'localhost:8080',
      compress: true,
      routes: [{ path: '/', static: settings }],
    };
    writeFiles(folder, { 'site.json': JSON.stringify(config) });
    expect(await runCommand(['-T', '-q', '-p', folder, '-c', 'site.json'])).toBe(0);
    const expected = dump();
    stdout = '';
    expect(await runCommand(['-T', '-q', '-p', folder, 'dist', '--spa', '--listing'])).toBe(0);
    expect(dump()).toEqual(expected);
  });

  test('T24: of a folder with --auto-port shows the port that would be taken, and why', async () => {
    const holder = createServer();
    await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve));
    const { port } = holder.address() as AddressInfo;
    const folder = createTempFolder();
    const words = ['-T', folder, '--host', '127.0.0.1', '--port', String(port), '--auto-port'];
    expect(await runCommand(words)).toBe(0);
    holder.close();
    const [{ listen }] = dump().servers as { listen: { port: number }[] }[];
    expect(listen[0].port).toBeGreaterThan(port);
    expect(stderr).toContain(`cannot listen on 127.0.0.1:${port}: the address is already in use`);
    expect(stderr).toContain(`; taking port ${listen[0].port}\n`);
  });

  test('of a folder with --auto-port shows the port that was asked for when it is free', async () => {
    const folder = createTempFolder();
    expect(await runCommand(['-T', folder, '--port', '0', '--auto-port'])).toBe(0);
    expect(dump()).toMatchObject({ servers: [{ listen: [{ port: 0 }] }] });
    expect(stderr).not.toContain('taking port');
  });
});

describe('what cannot be served ends with 2 and says why', () => {
  test.each([
    [['-g', '{"workers"'], '-g takes keys and values'],
    [['-g', 'workers 2;'], '-g takes keys and values'],
    [['/nowhere/at/all'], 'there is no folder /nowhere/at/all'],
  ])('%j', async (words, message) => {
    expect(await runCommand(['-p', createTempFolder(), ...words])).toBe(2);
    expect(stderr).toContain(message);
  });

  test.each([
    [['--spa'], 'error: --spa: there is no index.html in '],
    [['--port', '81', '-g', '"listen": 80'], 'error: -g replaces "listen"'],
    [['--auto-port', '-g', '"listen": 80'], 'error: -g replaces "listen"'],
    [['--listing', '-g', '"routes": []'], 'error: -g replaces "routes"'],
    [['--host', 'no host'], '"no host" is not a host to listen on'],
  ])('a folder with %j', async (words, message) => {
    expect(await runCommand(['-t', createTempFolder(), ...words])).toBe(2);
    expect(stderr).toContain(message);
  });

  test('no config anywhere', async () => {
    expect(await runCommand(['-p', createTempFolder()])).toBe(2);
    expect(stderr).toContain('there is no config/site.json, site.json, tsserve.json in');
    expect(stderr).toContain('tsserve FOLDER');
  });

  test('a file in place of a folder', async () => {
    expect(await runCommand([createConfig()])).toBe(2);
    expect(stderr).toContain('is not a folder (a config is named with -c)');
  });

  test.each([
    ['', 'error: -e: a path cannot be empty\n'],
    ['/nowhere/error.log', 'error: -e: folder not found: /nowhere\n'],
  ])('an error log that cannot be opened: -e %j', async (path, message) => {
    expect(await runCommand(['-t', '-c', createConfig(), '-e', path])).toBe(2);
    expect(stderr).toBe(message);
  });

  test('a wrong value in -g', async () => {
    expect(await runCommand(['-t', '-c', createConfig(), '-g', '"workers": "many"'])).toBe(2);
    expect(stderr).toContain('site.json with -g: workers');
  });
});

describe('-s', () => {
  test('without a pid file in the config ends with 2', async () => {
    expect(await runCommand(['-s', 'reload', '-c', createConfig('{ "routes": [] }')])).toBe(2);
    expect(stderr).toContain('names no pid file');
  });

  test('without a running server ends with 1', async () => {
    expect(await runCommand(['-s', 'reload', '-c', createConfig()])).toBe(1);
    expect(stderr).toMatch(/no server is running: there is no .*site.pid/);
  });

  test('does not signal another program that has the id now', async () => {
    const folder = createTempFolder({ 'site.json': good, 'site.pid': '1\n' });
    expect(await runCommand(['-s', 'stop', '-c', join(folder, 'site.json')])).toBe(1);
    expect(stderr).toContain('process 1 of');
  });

  test('says that the process of a stale file is gone', async () => {
    const folder = createTempFolder({ 'site.json': good, 'site.pid': '999999999\n' });
    expect(await runCommand(['-s', 'stop', '-c', join(folder, 'site.json')])).toBe(1);
    expect(stderr).toContain('names process 999999999, which is gone');
  });

  test('works with a config that is broken otherwise', async () => {
    const folder = createTempFolder({ 'site.json': '{ "pid": "x.pid", "nonsense": 1 }' });
    expect(await runCommand(['-s', 'stop', '-c', join(folder, 'site.json')])).toBe(1);
    expect(stderr).toContain('there is no');
  });
});

describe('versions', () => {
  test('-v is one line', async () => {
    expect(await runCommand(['-v'])).toBe(0);
    expect(stdout).toMatch(/^tsserve\/\d+\.\d+\.\d+\n$/);
  });

  test('-V names Node and every dependency', async () => {
    expect(await runCommand(['-V'])).toBe(0);
    expect(stdout).toContain(`node: ${process.version}`);
    expect(stdout).toMatch(/\ncommander: \d/);
    expect(stdout).not.toContain('unknown');
  });
});
