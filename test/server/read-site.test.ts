// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the notation of the config files
import { writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { ConfigError } from '../../src/config/config-error.ts';
import { checkSite } from '../../src/server/check-site.ts';
import { parseSite, readSite } from '../../src/server/read-site.ts';
import type { SiteSettings } from '../../src/server/site-settings.ts';
import { createTempFolder } from '../support/temp-folder.ts';

const folder = createTempFolder({ 'public/index.html': '', 'logs/.keep': '' });
const nothing = { routes: [] };

function parse(site: object): SiteSettings {
  return parseSite(JSON.stringify(site), `${folder}/site.json`);
}

function findProblems(run: () => unknown): string[] {
  try {
    run();
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split('\n');
    throw error;
  }
  return [];
}

afterEach(() => {
  vi.unstubAllEnvs();
});

describe('the settings of a site', () => {
  test('a site that says little gets every default', () => {
    expect(parse({ routes: [{ path: '/', return: 404 }] })).toEqual({
      workers: 'auto',
      pid: null,
      errorLog: { path: null, level: 'notice' },
      accessLog: null,
      timeouts: { header: 60_000, body: 60_000, send: 60_000, keepalive: 75_000 },
      limits: {
        head: 16_384,
        fields: 100,
        target: 8192,
        body: 1_048_576,
        bodyRate: 240,
        connections: 10_000,
        connectionsPerAddress: 0,
      },
      trustedProxies: [],
      upstreams: {},
      servers: [
        {
          listen: [{ key: 'tcp:*:8080', host: null, port: 8080, path: null }],
          names: [''],
          isDefault: false,
          accessLog: null,
          headers: {},
          errorPages: {},
          routes: [
            {
              path: { modifier: '', value: '/' },
              return: { status: 404, body: '', type: 'text/plain; charset=utf-8' },
              headers: {},
              errorPages: {},
              interceptErrors: false,
              compress: null,
              internal: false,
              cors: null,
              expires: null,
              limitRate: null,
            },
          ],
        },
      ],
    });
  });

  test('what a site says comes out in milliseconds, bytes and absolute paths', () => {
    const site = parse({
      $schema: 'site.schema.json',
      workers: 2,
      pid: 'site.pid',
      errorLog: { path: 'logs/error.log', level: 'warn' },
      accessLog: { path: 'logs/access.log', format: '$remote_addr $status' },
      timeouts: { header: '5s', body: '1m', send: '500ms', keepalive: '1h 30m' },
      limits: { head: '32k', fields: 50, target: 4096, body: 0 },
      trustedProxies: ['10.0.0.0/8', '::1', 'unix:'],
      routes: [{ path: '/', static: 'public' }],
    });
    expect(site).toMatchObject({
      workers: 2,
      pid: `${folder}/site.pid`,
      errorLog: { path: `${folder}/logs/error.log`, level: 'warn' },
      accessLog: { path: `${folder}/logs/access.log`, format: '$remote_addr $status' },
      timeouts: { header: 5000, body: 60_000, send: 500, keepalive: 5_400_000 },
      limits: { head: 32_768, fields: 50, target: 4096, body: 0 },
      trustedProxies: ['10.0.0.0/8', '::1', 'unix:'],
    });
    expect(site.servers[0].accessLog).toEqual(site.accessLog);
    expect(site.servers[0].routes[0].static).toMatchObject({
      root: `${folder}/public`,
      index: ['index.html'],
    });
  });

  test('settings are plain JSON: what a worker receives is what the master checked', () => {
    const site = parse({ accessLog: false, routes: [{ path: '~ x', redirect: '/y' }] });
    expect(JSON.parse(JSON.stringify(site))).toEqual(site);
  });

  test('nobody can change checked settings', () => {
    const site = parse({ routes: [{ path: '/', return: 200 }] });
    expect(() => Object.assign(site.servers[0].routes[0].path, { value: '/x' })).toThrow(TypeError);
  });

  test.each([
    [false, null],
    ['logs/a.log', { path: `${folder}/logs/a.log`, format: 'combined' }],
    [{ path: 'a.log' }, { path: `${folder}/a.log`, format: 'combined' }],
  ])('the access log %j is %j', (accessLog, expected) => {
    expect(parse({ ...nothing, accessLog }).accessLog).toEqual(expected);
  });

  test.each([
    ['logs/e.log', { path: `${folder}/logs/e.log`, level: 'notice' }],
    [{ level: 'debug' }, { path: null, level: 'debug' }],
  ])('the error log %j is %j', (errorLog, expected) => {
    expect(parse({ ...nothing, errorLog }).errorLog).toEqual(expected);
  });

  test.each([
    ['auto', 'auto'],
    [0, 0],
    [3, 3],
    ['4', 4],
  ])('workers %j are %j', (workers, expected) => {
    expect(parse({ ...nothing, workers }).workers).toBe(expected);
  });
});

describe('where a server listens', () => {
  test.each([
    [8080, 'tcp:*:8080', null, 8080],
    [0, 'tcp:*:0', null, 0],
    ['8080', 'tcp:*:8080', null, 8080],
    ['*:80', 'tcp:*:80', null, 80],
    ['127.0.0.1:8080', 'tcp:127.0.0.1:8080', '127.0.0.1', 8080],
    ['LocalHost:80', 'tcp:localhost:80', 'localhost', 80],
    ['[::1]:8080', 'tcp:[::1]:8080', '::1', 8080],
    ['[0:0:0::1]:8080', 'tcp:[::1]:8080', '::1', 8080],
    ['[::]:80', 'tcp:[::]:80', '::', 80],
    [{ port: 8443 }, 'tcp:*:8443', null, 8443],
    [{ port: 8443, host: '::1' }, 'tcp:[::1]:8443', '::1', 8443],
    [{ port: 8443, host: '[FE80::1]' }, 'tcp:[fe80::1]:8443', 'fe80::1', 8443],
    [{ port: 80, host: '*' }, 'tcp:*:80', null, 80],
  ])('%j is %s', (listen, key, host, port) => {
    expect(parse({ ...nothing, listen }).servers[0].listen).toEqual([{ key, host, port, path: null }]);
  });

  test('a unix socket is known by its absolute path', () => {
    const path = `${folder}/logs/site.sock`;
    const [address] = parse({ ...nothing, listen: 'unix:public/../logs/site.sock' }).servers[0].listen;
    expect(address).toEqual({ key: `unix:${path}`, host: null, port: 0, path });
  });

  test('an error log at /dev/stderr is standard error', () => {
    expect(parse({ ...nothing, errorLog: '/dev/stderr' }).errorLog.path).toBeNull();
    expect(parse({ ...nothing, errorLog: { path: '/dev/stderr' } }).errorLog.path).toBeNull();
  });

  test('a list keeps its order', () => {
    const { listen } = parse({ ...nothing, listen: [81, '127.0.0.1:80'] }).servers[0];
    expect(listen.map(({ key }) => key)).toEqual(['tcp:*:81', 'tcp:127.0.0.1:80']);
  });
});

describe('the path of a route', () => {
  test.each([
    ['/api/', '', '/api/'],
    ['= /ping', '=', '/ping'],
    ['=/ping', '=', '/ping'],
    ['^~ /files/', '^~', '/files/'],
    ['~ \\.php$', '~', '\\.php$'],
    ['~* \\.(png|jpg)$', '~*', '\\.(png|jpg)$'],
    ['~^/x', '~', '^/x'],
    ['/with space', '', '/with space'],
    ['/grüße/100%?', '', '/grüße/100%?'],
  ])('%j is %j %j', (path, modifier, value) => {
    const [route] = parse({ routes: [{ path, return: 200 }] }).servers[0].routes;
    expect(route.path).toEqual({ modifier, value });
  });

  test('a prefix may share its text with an exact path and with expressions', () => {
    const paths = ['/x', '= /x', '~ /x', '~* /x'];
    expect(parse({ routes: paths.map((path) => ({ path, return: 200 })) }).servers[0].routes).toHaveLength(4);
  });
});

describe('servers', () => {
  test('each has its names, addresses and log, or those of the top', () => {
    const site = parse({
      accessLog: 'logs/all.log',
      servers: [
        {
          listen: [80, 8080],
          names: ['Example.com.', '*.example.com', 'www.*', '~^Shop\\d'],
          default: true,
          ...nothing,
        },
        { names: 'other.example', accessLog: false, ...nothing },
        { listen: 80, ...nothing },
      ],
    });
    expect(
      site.servers.map(({ listen, names, isDefault, accessLog }) => [
        listen.length,
        names,
        isDefault,
        accessLog,
      ]),
    ).toEqual([
      [
        2,
        ['example.com', '*.example.com', 'www.*', '~^Shop\\d'],
        true,
        { path: `${folder}/logs/all.log`, format: 'combined' },
      ],
      [1, ['other.example'], false, null],
      [1, [''], false, { path: `${folder}/logs/all.log`, format: 'combined' }],
    ]);
  });

  test('one name may be on two addresses, and two names on one', () => {
    const listens = [80, 81];
    const servers = listens.flatMap((listen) => ['a', 'b'].map((names) => ({ listen, names, ...nothing })));
    expect(parse({ servers }).servers).toHaveLength(4);
  });
});

describe('T19: headers merge down', () => {
  const site = parse({
    headers: { 'X-Frame-Options': 'DENY', 'X-A': 'top', 'X-B': 'top' },
    servers: [
      {
        headers: { 'x-a': 'server', 'X-C': 'server' },
        routes: [
          { path: '/', return: 200 },
          { path: '/b', return: 200, headers: { 'X-FRAME-OPTIONS': null, 'X-B': 'route' } },
        ],
      },
    ],
  });

  test('a server has those of the top, changed by its own, whatever the case of their names', () => {
    const merged = { 'X-Frame-Options': 'DENY', 'x-a': 'server', 'X-B': 'top', 'X-C': 'server' };
    expect(site.servers[0].headers).toEqual(merged);
    expect(site.servers[0].routes[0].headers).toEqual(merged);
  });

  test('a route overrides by name and removes with null', () => {
    expect(site.servers[0].routes[1].headers).toEqual({
      'X-FRAME-OPTIONS': null,
      'x-a': 'server',
      'X-B': 'route',
      'X-C': 'server',
    });
  });
});

describe('where a site comes from', () => {
  test('a file is read, its relative paths starting from its folder', () => {
    writeFileSync(
      `${folder}/read.json`,
      '\ufeff{ "routes": [{ "path": "/", "static": "public" }], /* end */ }',
    );
    expect(readSite(`${folder}/read.json`).servers[0].routes[0].static?.root).toBe(`${folder}/public`);
    expect(readSite(relative(process.cwd(), `${folder}/read.json`)).servers).toHaveLength(1);
  });

  test('a file that cannot be read is a problem of the config', () => {
    writeFileSync(`${folder}/latin1.json`, Buffer.from([0x7b, 0xff, 0x7d]));
    const problems = ['no.json', 'public', 'read.json/x', 'latin1.json'].flatMap((name) =>
      findProblems(() => readSite(`${folder}/${name}`)),
    );
    expect(problems).toEqual([
      `${folder}/no.json: config file not found`,
      `${folder}/public: expected a config file, but found a folder`,
      `${folder}/read.json/x: config file not found`,
      `${folder}/latin1.json: the config file is not UTF-8 text`,
    ]);
  });

  test('a file inside the working directory is named relative to it', () => {
    expect(findProblems(() => parseSite('', 'config/x.json'))).toEqual([
      'config/x.json:1:1: the file is empty (the smallest config is {})',
    ]);
  });

  test('the environment fills in', () => {
    vi.stubEnv('TSSERVE_TEST_PORT', '8081');
    const site = parse({ listen: '${TSSERVE_TEST_PORT}', workers: '${TSSERVE_TEST_UNSET:-2}', ...nothing });
    expect(site.servers[0].listen[0].port).toBe(8081);
    expect(site.workers).toBe(2);
  });

  test('an object is checked like a file; its problems tell where they are among the settings', () => {
    const options = { directory: folder, name: 'defineSite' };
    const site = { listen: 8081, routes: [{ path: '/', static: 'public' }] };
    expect(checkSite(site, options).servers[0].routes[0].static?.root).toBe(`${folder}/public`);
    const routes = [
      { path: '/', return: 200 },
      { path: '/', proxy: 'api' },
    ];
    expect(findProblems(() => checkSite({ routes, lisen: 1 }, options))).toEqual([
      'defineSite: lisen: unknown key "lisen" (did you mean "listen"?)',
      'defineSite: routes[1].proxy: there is no upstream "api" (add it to "upstreams")',
      'defineSite: routes[1].path: another route has this path: this one is never reached (the first is routes[0].path)',
    ]);
  });

  test.each([undefined, null, 5, 'text', [], () => {}])(
    'what is no site at all is a problem too: %s',
    (value) => {
      expect(findProblems(() => checkSite(value, { directory: folder, name: 'x' }))).toHaveLength(1);
    },
  );
});
