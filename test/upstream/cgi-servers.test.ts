import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseInDirectory } from '../../src/config/shape/base-directory.ts';
import { upstreamShape } from '../../src/upstream/upstream-shape.ts';

const here = import.meta.dirname;
const parse = (settings: object) => {
  const upstream = parseInDirectory(here, () => upstreamShape.parse(settings));
  if (!('servers' in upstream)) throw new Error('no servers');
  return upstream;
};

describe('the URL of a server of the CGI family', () => {
  test.each<[string, object]>([
    ['fastcgi://127.0.0.1:9000', { protocol: 'fastcgi', host: '127.0.0.1', port: 9000 }],
    ['FastCGI://[::1]:9000', { protocol: 'fastcgi', host: '::1', port: 9000 }],
    ['fastcgi://unix:/run/php.sock', { protocol: 'fastcgi', path: '/run/php.sock' }],
    ['uwsgi://unix:run/app.sock', { protocol: 'uwsgi', path: resolve(here, 'run/app.sock') }],
    ['scgi://App:4000', { protocol: 'scgi', host: 'app', port: 4000 }],
  ])('%s is understood', (url, expected) => {
    expect(parse({ servers: [url] }).servers[0].url).toEqual(expected);
  });

  test.each([
    ['fastcgi://127.0.0.1', 'neither port nor socket'],
    ['fastcgi://127.0.0.1:9000/', 'neither port nor socket'],
    ['fastcgi://', 'neither port nor socket'],
    ['fastcgi://unix:', 'names no socket'],
    ['fastcgi://a:0', 'host and port'],
    ['fastcgi://u:p@a:9000', 'no user'],
    ['uwsgis://a:1', 'not spoken'],
    ['scgi:a:1', 'URL of a server'],
  ])('%s is refused with a reason', (url, reason) => {
    const result = upstreamShape.safeParse({ servers: [{ url }] });
    expect(JSON.stringify(result.error?.issues)).toContain(reason);
  });
});

test('connections are kept for HTTP, and for FastCGI when asked', () => {
  expect(parse({ servers: ['http://a'] }).keepalive).toBe(128);
  expect(parse({ servers: ['fastcgi://a:1'] }).keepalive).toBe(0);
  expect(parse({ servers: ['fastcgi://a:1'], keepalive: 8 }).keepalive).toBe(8);
  expect(parse({ servers: ['uwsgi://a:1'], keepalive: 0 }).keepalive).toBe(0);
});

test.each([
  [{ servers: ['uwsgi://a:1'], keepalive: 1 }, 'a connection for each request'],
  [{ servers: ['scgi://a:1'], keepalive: 1 }, 'a connection for each request'],
  [{ servers: ['fastcgi://a:1', 'http://a'] }, 'speak one protocol'],
  [{ servers: ['fastcgi://a:1', 'scgi://a:2'] }, 'speak one protocol'],
])('%j is refused with a reason', (settings, reason) => {
  const result = upstreamShape.safeParse(settings);
  expect(JSON.stringify(result.error?.issues)).toContain(reason);
});
