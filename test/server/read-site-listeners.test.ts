import { describe, expect, test } from 'vitest';
import { ConfigError } from '../../src/config/config-error.ts';
import { formatConfigError } from '../../src/config/format-config-error.ts';
import { parseSite } from '../../src/server/read-site.ts';

const routes = [{ path: '/', return: 204 }];
const proxied = { port: 8080, proxyProtocol: true };

/** The problems of a site, without what surrounds them: "LINE:COLUMN: problem (hint)". */
function findProblems(site: object): string[] {
  try {
    parseSite(JSON.stringify(site, null, 1), '/site/site.json');
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const report = formatConfigError(error, { color: false });
    return report.split('\n').flatMap((line) => /^\/site\/site\.json:(.*)$/.exec(line)?.[1] ?? []);
  }
}

describe('a listener with the PROXY protocol', () => {
  test('is told from one without it, and knows its place', () => {
    const site = { listen: [proxied, { port: 8081, proxyProtocol: false }], trustedProxies: ['::1'], routes };
    const [server] = parseSite(JSON.stringify(site), '/site/site.json').servers;
    expect(server.listen).toEqual([
      { key: 'tcp:*:8080', host: null, port: 8080, path: null, proxyProtocol: true },
      { key: 'tcp:*:8081', host: null, port: 8081, path: null },
    ]);
  });

  test.each([
    ['nobody is trusted', {}],
    ['the list of the trusted is empty', { trustedProxies: [] }],
    ['only unix sockets are trusted', { trustedProxies: ['unix:'] }],
  ])('is a problem when %s', (_, trust) => {
    expect(findProblems({ listen: proxied, routes, ...trust })).toEqual([
      '4:20: "proxyProtocol" needs "trustedProxies": nobody could connect (the addresses of your proxies, such as ["10.0.0.0/8"])',
    ]);
  });

  test('is a problem when another server takes the same address without it', () => {
    const trustedProxies = ['10.0.0.0/8'];
    const servers = [
      { listen: proxied, names: ['a.test'], routes },
      { listen: 8080, names: ['b.test'], routes },
    ];
    const [problem, ...more] = findProblems({ trustedProxies, servers });
    expect(problem).toContain(
      'another server on tcp:*:8080 has another "proxyProtocol" (the first is in line',
    );
    expect(more).toEqual([]);
    const agreed = servers.map((server) => ({ ...server, listen: proxied }));
    expect(findProblems({ trustedProxies, servers: agreed })).toEqual([]);
  });

  test('is a problem of its own place when it is neither true nor false', () => {
    const listen = { port: 8080, proxyProtocol: 'v2' };
    expect(findProblems({ listen, trustedProxies: ['::1'], routes })[0]).toMatch(/^4:20: /);
  });
});
