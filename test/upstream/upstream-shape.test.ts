import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseInDirectory } from '../../src/config/shape/base-directory.ts';
import { upstreamShape } from '../../src/upstream/upstream-shape.ts';

const here = import.meta.dirname;
const file = 'upstream-shape.test.ts';
const parse = (settings: object) => parseInDirectory(here, () => upstreamShape.parse(settings));
const parseUrl = (url: string) => {
  const settings = parse({ servers: [url] });
  return 'servers' in settings ? settings.servers[0].url : null;
};

const supervised = {
  instances: 1,
  env: {},
  cwd: here,
  startTimeout: 30_000,
  drainTimeout: 30_000,
  maxMemory: 0,
  concurrency: 0,
  queue: 1024,
};

test('servers have defaults', () => {
  expect(parse({ servers: ['http://127.0.0.1:3000'] })).toEqual({
    servers: [
      {
        url: { host: '127.0.0.1', port: 3000 },
        weight: 1,
        backup: false,
        down: false,
        maxFails: 1,
        failTimeout: 10_000,
        drain: false,
        maxConns: 0,
        slowStart: 0,
      },
    ],
    balance: 'round_robin',
    panic: 1,
    queue: 1024,
    keepalive: 128,
    timeouts: { connect: 5000, send: 60_000, read: 60_000, request: 0 },
    retries: { on: ['error', 'timeout'], tries: 0, timeout: 0, budget: 0 },
    resolve: { resolver: [], family: 'any' },
  });
});

test('an application has defaults', () => {
  expect(parse({ app: file })).toEqual({
    app: resolve(here, file),
    interface: 'fetch',
    hangTimeout: 30_000,
    maxRequests: 0,
    ...supervised,
    balance: 'least_conn',
    keepalive: 128,
    timeouts: { connect: 5000, send: 60_000, read: 60_000, request: 0 },
    retries: { on: ['error', 'timeout'], tries: 0, timeout: 0, budget: 0 },
  });
});

test('every setting can be given', () => {
  const server = {
    url: 'https://a',
    weight: 2,
    backup: true,
    down: true,
    maxFails: 3,
    failTimeout: '1s',
    drain: true,
    maxConns: 7,
    slowStart: '30s',
    service: 'http',
  };
  const tls = { name: 'b.example', verify: true, minVersion: 'TLSv1.3' };
  expect(
    parse({
      servers: [server],
      balance: 'least_conn',
      sticky: {
        cookie: 'id',
        secret: '0123456789abcdef',
        maxAge: '1h',
        domain: 'a.example',
        secure: 'always',
      },
      health: { path: '/up', status: [200, '300-399'], body: 'ok', host: 'a', port: 81, rise: 2, fall: 3 },
      outliers: { errors: 3, ejection: '1m', maxEjected: 50 },
      panic: 50,
      queue: 10,
      keepalive: 0,
      timeouts: { connect: '1s', send: '2s', read: '3s', firstByte: '4s', request: '5s' },
      retries: { on: ['http_503', 'non_idempotent'], tries: 2, timeout: '4s', budget: 20 },
      resolve: { resolver: '127.0.0.1:5353', valid: '10s', family: 'ipv4' },
      tls,
      proxyProtocol: 'v2',
    }),
  ).toEqual({
    servers: [
      {
        ...server,
        url: { host: 'a', port: 443, protocol: 'https' },
        failTimeout: 1000,
        slowStart: 30_000,
      },
    ],
    balance: 'least_conn',
    sticky: {
      cookie: 'id',
      secret: '0123456789abcdef',
      maxAge: 3_600_000,
      path: '/',
      domain: 'a.example',
      secure: 'always',
      sameSite: 'Lax',
    },
    health: {
      path: '/up',
      status: [
        [200, 200],
        [300, 399],
      ],
      body: 'ok',
      host: 'a',
      port: 81,
      interval: 5000,
      jitter: 500,
      timeout: 1000,
      rise: 2,
      fall: 3,
      mandatory: false,
    },
    outliers: {
      errors: 3,
      ejection: 60_000,
      maxEjection: 300_000,
      interval: 10_000,
      maxEjected: 50,
    },
    panic: 50,
    queue: 10,
    keepalive: 0,
    timeouts: { connect: 1000, send: 2000, read: 3000, firstByte: 4000, request: 5000 },
    retries: { on: ['http_503', 'non_idempotent'], tries: 2, timeout: 4000, budget: 20 },
    resolve: { resolver: ['127.0.0.1:5353'], valid: 10_000, family: 'ipv4' },
    tls,
    proxyProtocol: 'v2',
  });
});

describe('the URL of a server', () => {
  test.each<[string, object]>([
    ['http://127.0.0.1:3000', { host: '127.0.0.1', port: 3000 }],
    ['http://127.0.0.1', { host: '127.0.0.1', port: 80 }],
    ['http://App.example:8080/', { host: 'app.example', port: 8080 }],
    ['HTTP://[::1]:3000', { host: '::1', port: 3000 }],
    ['https://app.example', { host: 'app.example', port: 443, protocol: 'https' }],
    ['HTTPS://[::1]:8443/', { host: '::1', port: 8443, protocol: 'https' }],
    ['unix:/run/app.sock', { path: '/run/app.sock' }],
    ['unix:run/app.sock', { path: resolve(here, 'run/app.sock') }],
  ])('%s is understood', (url, expected) => {
    expect(parseUrl(url)).toEqual(expected);
  });

  test.each([
    ['ftp://a', 'ftp\\" is not spoken'],
    ['http://a/path', 'addPrefix'],
    ['https://a/path', 'addPrefix'],
    ['https://unix:', 'names no socket'],
    ['http://a?b', 'no query'],
    ['http://a#b', 'no query'],
    ['http://user:secret@a', 'no user'],
    ['http://', 'host and port'],
    ['http://:80', 'host and port'],
    ['http://a:0', 'host and port'],
    ['http://a:65536', 'host and port'],
    ['http://a:http', 'host and port'],
    ['http://[::1', 'host and port'],
    ['http://[1.2.3.4]', 'host and port'],
    ['http://a b', 'host and port'],
    ['http://a,b', 'host and port'],
    ['a:80', 'did you mean \\"http://a:80\\"'],
    ['run/app.sock', 'did you mean \\"unix:run/app.sock\\"'],
    ['unix:', 'names no socket'],
    ['', 'URL of a server'],
  ])('%j is refused with a reason', (url, reason) => {
    const result = upstreamShape.safeParse({ servers: [{ url }] });
    expect(JSON.stringify(result.error?.issues)).toContain(reason);
  });
});

test.each([
  [{}],
  [{ servers: [] }],
  [{ app: file, servers: ['http://a'] }],
  [{ app: 'no-such-file.ts' }],
  [{ app: file, instances: 0 }],
  [{ app: file, interface: 'wsgi' }],
  [{ app: file, env: { A: 1 } }],
  [{ servers: ['http://a'], instances: 2 }],
  [{ servers: ['http://a'], balance: 'chance' }],
  [{ servers: ['http://a'], keepalive: -1 }],
  [{ servers: ['http://a'], timeouts: { read: 0 } }],
  [{ servers: ['http://a'], retries: { tries: -1 } }],
  [{ servers: [{ url: 'http://a', weight: 0 }] }],
  [{ servers: [{ url: 'http://a', wieght: 1 }] }],
])('%j is refused', (settings) => {
  expect(() => parse(settings)).toThrow();
});
