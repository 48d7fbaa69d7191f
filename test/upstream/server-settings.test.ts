// What the settings of names, TLS and the PROXY protocol refuse, and where they say so.

import { expect, test } from 'vitest';
import { type ServersSettings, upstreamShape } from '../../src/upstream/upstream-shape.ts';

/** Problems as "path: message", of the branch that has servers. */
function listProblems(settings: object): string[] {
  const { error } = upstreamShape.safeParse(settings);
  const [union] = error?.issues ?? [];
  const issues = union?.code === 'invalid_union' ? (union.errors.at(-1) ?? []) : (error?.issues ?? []);
  return issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
}

const parse = (settings: object) => upstreamShape.parse(settings) as ServersSettings;

test.each<[object, string]>([
  [{ servers: ['http://a', 'https://b'] }, 'servers: the servers of an upstream speak one protocol'],
  [{ servers: ['http://a'], tls: {} }, 'tls: no server here has an https URL'],
  [{ servers: ['https://unix:/a'] }, 'servers.0: a socket has no name that a certificate could have'],
  [
    { servers: [{ url: 'http://a:81', service: 'http' }] },
    'servers.0.service: the service says the port: the URL has none',
  ],
  [
    { servers: [{ url: 'http://127.0.0.1', service: 'http' }] },
    'servers.0.service: only a host name has services',
  ],
  [{ servers: [{ url: 'unix:/a', service: 'http' }] }, 'servers.0.service: only a host name has services'],
  [{ servers: [{ url: 'fastcgi://a:9000', service: 'x' }] }, 'servers.0.service: fastcgi has no services'],
  [{ servers: ['fastcgi://a:9000'], proxyProtocol: 'v1' }, 'proxyProtocol: fastcgi knows no PROXY protocol'],
  [
    { servers: ['http://a'], proxyProtocol: 'v1', keepalive: 2 },
    'keepalive: with "proxyProtocol" a connection belongs to one client and is not kept',
  ],
])('%j is refused in its place', (settings, problem) => {
  expect(listProblems(settings)).toContain(problem);
});

test.each([
  'a.example',
  '1.2.3.4:0',
  '1.2.3.4:65536',
  '1.2.3',
  '[1.2.3.4]:53',
  'fe80::1%eth0:53',
  '1.2.3.4:x',
  '',
])('the DNS server %j is refused', (resolver) => {
  for (const value of [resolver, [resolver]])
    expect(() => parse({ servers: ['http://a'], resolve: { resolver: value } })).toThrow('DNS server');
});

test.each(['1.2.3.4', '1.2.3.4:5353', '::1', '[::1]', '[::1]:5353'])(
  'the DNS server %j is taken',
  (resolver) => {
    expect(parse({ servers: ['http://a'], resolve: { resolver } }).resolve.resolver).toEqual([resolver]);
  },
);

test.each(['a b', 'http.', '.http', 'a/b', ''])('the service %j is refused', (service) => {
  expect(listProblems({ servers: [{ url: 'http://a', service }] })).not.toEqual([]);
});

test('with the PROXY protocol no connection is kept', () => {
  expect(parse({ servers: ['http://a'], proxyProtocol: 'v2' }).keepalive).toBe(0);
  expect(parse({ servers: ['https://a'] }).keepalive).toBe(128);
});

test('a socket with TLS has the name that is asked for', () => {
  const { servers } = parse({ servers: ['https://unix:/run/a.sock'], tls: { name: 'A.test' } });
  expect(servers[0].url).toEqual({ path: '/run/a.sock', protocol: 'https' });
});
