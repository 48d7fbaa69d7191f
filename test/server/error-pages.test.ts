// Which page answers for which error, what becomes of its reply, and what an error without a page is answered with.

import { describe, expect, test } from 'vitest';
import { ConfigError } from '../../src/config/config-error.ts';
import type { BodySource } from '../../src/message/body.ts';
import { Exchange } from '../../src/message/exchange.ts';
import { getField } from '../../src/message/fields.ts';
import type { Handle } from '../../src/message/handler.ts';
import { HttpError } from '../../src/message/http-error.ts';
import { createTextReply, Reply } from '../../src/message/reply.ts';
import { HostTable } from '../../src/router/host-table.ts';
import { LocationTable } from '../../src/router/location-table.ts';
import { SiteDispatcher } from '../../src/server/dispatch.ts';
import { chooseErrorType } from '../../src/server/error-document.ts';
import { compileErrorPages, type ErrorPagesSettings, mergeErrorPages } from '../../src/server/error-pages.ts';
import { interceptErrors } from '../../src/server/error-pages-request.ts';
import { errorPagesShape } from '../../src/server/error-pages-shape.ts';
import { createErrorReply } from '../../src/server/error-reply.ts';
import { parseSite } from '../../src/server/read-site.ts';
import { SiteUsage, VirtualHost } from '../../src/server/site.ts';
import { collectLog } from '../support/collect-log.ts';

const listenerKey = 'tcp:*:1';
const connection = {
  peerAddress: '192.0.2.1',
  peerPort: 1,
  localAddress: '127.0.0.1',
  localPort: 80,
  scheme: 'http' as const,
  listenerKey,
  serial: 1,
};

const createExchange = (target: string, method = 'GET', fields: string[] = []) =>
  new Exchange(connection, method, target, '1.1', fields, 'a.example');

const text = (reply: Reply) => (reply.body?.kind === 'bytes' ? Buffer.from(reply.body.bytes).toString() : '');
const kept = (to: string) => ({ to, status: 'kept' as const });
const pass = (_: Exchange, reply: Reply) => reply;

function createBed(routes: Record<string, Handle>, settings: ErrorPagesSettings) {
  const findErrorPage = compileErrorPages(settings);
  if (findErrorPage === null) throw new Error('no pages');
  const toLocation = (route: string) => {
    return {
      route,
      handle: interceptErrors(routes[route], findErrorPage),
      applyHeaders: pass,
      findErrorPage,
    };
  };
  const paths = Object.keys(routes);
  const entries = paths.filter((path) => !path.startsWith('@'));
  const parts = {
    name: 'main',
    locations: new LocationTable(
      entries.map((value) => ({ modifier: '' as const, value, payload: toLocation(value) })),
    ),
    named: new Map(
      paths.filter((path) => path.startsWith('@')).map((path) => [path.slice(1), toLocation(path)]),
    ),
    applyHeaders: pass,
    findErrorPage,
    logAccess: null,
  };
  const usage = new SiteUsage(() => {});
  const { log, lines } = collectLog();
  const site = {
    hosts: new Map([
      [
        listenerKey,
        new HostTable([{ names: [''], isDefault: true, payload: new VirtualHost(parts, usage) }]),
      ],
    ]),
    maxBodyBytes: 100,
    findClientAddress: () => '198.51.100.7',
    usage,
  };
  return { dispatcher: new SiteDispatcher(site, log), lines };
}

describe('levels of pages', () => {
  test('an inner one overrides by status, and its classes override all of theirs', () => {
    const outer = { '404': kept('/a'), '410': kept('/b'), '5xx': kept('/c') };
    expect(mergeErrorPages(outer, { '404': kept('/d'), '503': null })).toEqual({
      '404': kept('/d'),
      '410': kept('/b'),
      '5xx': kept('/c'),
      '503': null,
    });
    expect(mergeErrorPages(outer, undefined, { '4xx': null, '410': kept('/e') })).toEqual({
      '5xx': kept('/c'),
      '4xx': null,
      '410': kept('/e'),
    });
  });

  test('a status comes before its class, null is none, and nobody waits for the page of a 499', () => {
    const find = compileErrorPages({ '404': kept('/a'), '4xx': kept('/b'), '403': null });
    const locate = (status: number) => find?.(status)?.locate(createExchange('/'));
    expect([404, 400, 403, 499, 500].map(locate)).toEqual(['/a', '/b', undefined, undefined, undefined]);
    expect(compileErrorPages({ '4xx': null })).toBeNull();
  });

  test('merge from the top over the server to the route', () => {
    const { servers } = parseSite(
      JSON.stringify({
        errorPages: { '404': '/top.html' },
        interceptErrors: true,
        servers: [
          {
            errorPages: { '500 502': '/server.html' },
            routes: [
              { path: '/', return: 404, errorPages: { '4xx': null } },
              { path: '/a', return: 404, interceptErrors: false },
            ],
          },
        ],
      }),
      '/site.json',
    );
    const server = { '500': kept('/server.html'), '502': kept('/server.html') };
    expect(servers[0].errorPages).toEqual({ '404': kept('/top.html'), ...server });
    expect(servers[0].routes.map(({ errorPages, interceptErrors: has }) => [errorPages, has])).toEqual([
      [{ ...server, '4xx': null }, true],
      [{ '404': kept('/top.html'), ...server }, false],
    ]);
  });
});

describe('the setting', () => {
  test('takes a URI, a name, a URL, and a status for it', () => {
    const written = {
      '404': '/404.html',
      '5xx': { to: '@sorry', status: 200 },
      '410': 'https://b.example/',
      '403': { to: '$scheme://b.example/', status: 307 },
      '401': { to: '/in', status: 'answered' },
      '400': null,
    };
    expect(errorPagesShape.parse(written)).toEqual({
      ...written,
      '404': kept('/404.html'),
      '410': { to: 'https://b.example/', status: 302 },
    });
  });

  test.each([
    [{ '399': '/a' }, '"399" is not the status of an error'],
    [{ '404 4x': '/a' }, '"4x" is not the status of an error'],
    [{ '404': '/a', '403 404': '/b' }, 'the status "404" is there twice'],
    [{ '404': 'a.html' }, '"a.html" leads to no page'],
    [{ '404': '//b.example/' }, '"//b.example/" leads to no page'],
    [{ '404': { to: '/a', status: 302 } }, 'a page cannot have the status 302'],
    [{ '404': { to: 'https://b.example/', status: 404 } }, 'a redirect cannot have the status 404'],
    [{ '404': { to: '/$nothing' } }, 'unknown variable "$nothing"'],
    [{ '404': '@nobody' }, 'there is no route "@nobody"'],
  ])('refuses %j', (errorPages, problem) => {
    const site = { errorPages, routes: [{ path: '/', return: 404 }] };
    expect(() => parseSite(JSON.stringify(site), '/site.json')).toThrow(problem);
  });

  test('a named route must be in every server that has no page of its own', () => {
    const named = { path: '@sorry', return: 503 };
    const parse = (errorPages: object) =>
      parseSite(
        JSON.stringify({
          errorPages: { '5xx': '@sorry' },
          servers: [
            { names: ['a.example'], routes: [named] },
            { names: ['b.example'], routes: [{ path: '/', return: 404 }], errorPages },
          ],
        }),
        '/site.json',
      );
    expect(() => parse({})).toThrow(ConfigError);
    expect(parse({ '5xx': null }).servers[1].errorPages).toEqual({ '5xx': null });
  });
});

describe('a page', () => {
  test('is asked for with GET, without conditions, and the request keeps what it said', async () => {
    const fields = [
      'Range',
      'bytes=0-1',
      'Host',
      'a.example',
      'If-None-Match',
      '"x"',
      'Upgrade',
      'websocket',
    ];
    const seen: unknown[] = [];
    const { dispatcher } = createBed(
      {
        '/': () => new HttpError('TSS_METHOD', 'x', ['Allow', 'PUT']),
        '/page': async (x) => {
          seen.push(x.method, x.requestMethod, x.target, x.path, x.status, [...x.fields]);
          return new Reply(
            200,
            ['ETag', '"x"', 'Expires', 'never', 'Cache-Control', 'max-age=9', 'A', 'b'],
            null,
          );
        },
      },
      { '4xx': kept('/page?x') },
    );
    const exchange = createExchange('/a', 'POST', [...fields]);
    const reply = await dispatcher.dispatch(exchange);
    expect(seen).toEqual(['GET', 'POST', '/a', '/page', 405, ['Host', 'a.example']]);
    expect(exchange.fields).toEqual(fields);
    expect([reply.status, reply.fields]).toEqual([405, ['A', 'b', 'Allow', 'PUT']]);
  });

  test('may have a status of its own, or give one', async () => {
    const { dispatcher } = createBed(
      {
        '/': (x) => new Reply(Number(x.target.slice(1)), [], null),
        '/page': () => createTextReply(203, 'page'),
        '/away': () => new Reply(302, ['Location', '/'], null),
      },
      {
        '404': { to: '/page', status: 200 },
        '410': { to: '/page', status: 'answered' },
        '403': kept('/away'),
        '401': { to: 'https://b.example/?$uri', status: 307 },
      },
    );
    const ask = async (status: number) => await dispatcher.dispatch(createExchange(`/${status}`));
    expect([(await ask(404)).status, (await ask(410)).status, (await ask(403)).status]).toEqual([
      200, 203, 302,
    ]);
    const away = await ask(401);
    expect([away.status, getField(away.fields, 'location')]).toEqual([307, 'https://b.example/?/401']);
    expect((await ask(402)).status).toBe(402);
  });

  test('that fails, goes round in circles or is an error itself leaves the built-in reply to the first error', async () => {
    const { dispatcher, lines } = createBed(
      {
        '/': () => new HttpError('TSS_FORBIDDEN', 'first', [], { shared: true }),
        '/bug': () => new HttpError('TSS_NOT_FOUND', 'x'),
        '/lost': () => new HttpError('TSS_UPSTREAM_CONNECT', 'x'),
        '/round': () => new HttpError('TSS_UPSTREAM_TIMEOUT', 'x'),
        '@bug': () => {
          throw new Error('in the page');
        },
        '@503': () => new Reply(503, [], null),
        '/circle': () => ({ redirectTo: '/circle' }),
      },
      {
        '403': kept('@503'),
        '404': kept('@bug'),
        '502': kept('@nobody'),
        '503': kept('/circle'),
        '504': kept('/circle'),
      },
    );
    const ask = async (path: string) => text(await dispatcher.dispatch(createExchange(path)));
    expect(await ask('/')).toBe('403 Forbidden\n');
    expect(await ask('/bug')).toBe('404 Not Found\n');
    expect(await ask('/lost')).toBe('502 Bad Gateway\n');
    expect(await ask('/round')).toBe('504 Gateway Timeout\n');
    expect(lines.join('\n')).toMatch(/in the page[\s\S]*TSS_REDIRECT_LOOP/);
  });

  test("lets go of the body of an upstream's error, and keeps what an error must say", async () => {
    let cancelled = 0;
    const source: BodySource = { length: null, read: () => {}, cancel: () => cancelled++ };
    const { dispatcher } = createBed(
      {
        '/': async () =>
          new Reply(401, ['WWW-Authenticate', 'Basic', 'Set-Cookie', 'a=b'], { kind: 'stream', source }),
        '/page': () => createTextReply(200, 'page'),
      },
      { '401': kept('/page') },
    );
    const reply = await dispatcher.dispatch(createExchange('/'));
    expect([text(reply), cancelled, reply.status]).toEqual(['page', 1, 401]);
    expect(reply.fields.slice(2)).toEqual(['WWW-Authenticate', 'Basic']);
  });
});

describe('the built-in reply', () => {
  test.each([
    [undefined, 'text/plain'],
    ['*/*', 'text/plain'],
    ['text/*', 'text/plain'],
    ['image/png', 'text/plain'],
    ['text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', 'text/html'],
    ['application/json, text/plain, */*', 'application/json'],
    ['text/plain, application/json;q=0.5', 'text/plain'],
    ['application/problem+json', 'application/problem+json'],
    ['application/*', 'application/json'],
    ['application/json;q=0, */*', 'text/plain'],
  ])('to Accept: %s is %s', (accept, type) => {
    expect([chooseErrorType(accept), chooseErrorType(accept)]).toEqual([type, type]);
  });

  test('is one object for all that ask for the same, but for those that hold an id', () => {
    const ask = (code: 'TSS_NOT_FOUND' | 'TSS_BUG', accept: string) => {
      const exchange = createExchange('/', 'GET', ['Accept', accept]);
      return createErrorReply(new HttpError(code, 'secret'), exchange);
    };
    expect(ask('TSS_NOT_FOUND', 'text/html')).toBe(ask('TSS_NOT_FOUND', 'text/html'));
    expect(ask('TSS_NOT_FOUND', 'text/html')).not.toBe(ask('TSS_NOT_FOUND', 'application/json'));
    expect(ask('TSS_BUG', '*/*')).toBe(ask('TSS_BUG', '*/*'));
    const [one, other] = [ask('TSS_BUG', 'text/html'), ask('TSS_BUG', 'text/html')];
    expect([one.shared, text(one) === text(other), text(one).includes('secret')]).toEqual([
      false,
      false,
      false,
    ]);
  });
});
