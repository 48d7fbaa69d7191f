import { expect, test } from 'vitest';
import { ConfigError } from '../../src/config/config-error.ts';
import { parseSite } from '../../src/server/read-site.ts';

/** What is wrong with a site that has these answers on its only route. */
function findProblems(route: object): string[] {
  const upstreams = {
    php: { servers: ['fastcgi://127.0.0.1:9000'] },
    wsgi: { servers: [{ url: 'uwsgi://127.0.0.1:3031' }] },
    web: { servers: ['http://127.0.0.1:3000'] },
  };
  try {
    parseSite(JSON.stringify({ upstreams, routes: [{ path: '/', ...route }] }), '/nowhere/site.json');
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(({ problem, hint }) => `${problem} (${hint})`);
  }
}

test.each<[object, string[]]>([
  [{ cgi: 'php' }, []],
  [{ cgi: { upstream: 'wsgi' } }, []],
  [{ proxy: 'web' }, []],
  [{ proxy: 'php' }, ['upstream "php" does not speak HTTP (write "cgi" in place of "proxy")']],
  [
    { proxy: { upstream: 'wsgi' } },
    ['upstream "wsgi" does not speak HTTP (write "cgi" in place of "proxy")'],
  ],
  [{ cgi: 'web' }, ['upstream "web" speaks HTTP (write "proxy" in place of "cgi")']],
  [{ cgi: 'pph' }, ['there is no upstream "pph" (did you mean "php"?)']],
  [
    { cgi: 'fastcgi://127.0.0.1:9000' },
    [
      'there is no upstream "fastcgi://127.0.0.1:9000" ' +
        '(name it: "upstreams": { "backend": { "servers": ["fastcgi://127.0.0.1:9000"] } })',
    ],
  ],
  [{ cgi: 'php', proxy: 'web' }, ['a route has one answer, but found "cgi" and "proxy" (remove one)']],
])('%j', (route, problems) => {
  expect(findProblems(route)).toEqual(problems);
});
