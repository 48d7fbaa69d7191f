import { describe, expect, it } from 'vitest';
import type { RequestBody } from '../../src/message/body.ts';
import { Exchange } from '../../src/message/exchange.ts';
import type { Handle } from '../../src/message/handler.ts';
import { HttpError } from '../../src/message/http-error.ts';
import { createTextReply, Reply } from '../../src/message/reply.ts';
import { HostTable } from '../../src/router/host-table.ts';
import { LocationTable } from '../../src/router/location-table.ts';
import { SiteDispatcher } from '../../src/server/dispatch.ts';
import { createErrorReply } from '../../src/server/error-reply.ts';
import { type Site, SiteUsage, VirtualHost } from '../../src/server/site.ts';
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

const createExchange = (target: string, method = 'GET', body?: RequestBody) =>
  new Exchange(connection, method, target, '1.1', [], 'a.example', body);

const mark = (exchange: Exchange, reply: Reply) =>
  new Reply(reply.status, [...reply.fields, 'X-Path', exchange.path], reply.body);

interface Bed {
  dispatcher: SiteDispatcher;
  lines: string[];
  logged: Exchange[];
  closed: number;
}

function createSite(routes: Record<string, Handle>, logged: Exchange[], onClose: () => void): Site {
  const usage = new SiteUsage(onClose);
  const findErrorPage = null;
  const entries = Object.entries(routes).map(([value, handle]) => {
    return {
      modifier: '' as const,
      value,
      payload: { route: value, handle, applyHeaders: mark, findErrorPage },
    };
  });
  const parts = {
    name: 'main',
    locations: new LocationTable(entries.filter(({ value }) => !value.startsWith('@'))),
    named: new Map(
      entries.flatMap(({ value, payload }) => (value.startsWith('@') ? [[value.slice(1), payload]] : [])),
    ),
    applyHeaders: (_exchange: Exchange, reply: Reply) => reply,
    findErrorPage,
    logAccess: (exchange: Exchange) => void logged.push(exchange),
  };
  const host = new VirtualHost(parts, usage);
  return {
    hosts: new Map([[listenerKey, new HostTable([{ names: [''], isDefault: true, payload: host }])]]),
    maxBodyBytes: 100,
    findClientAddress: () => '198.51.100.7',
    usage,
  };
}

function createBed(routes: Record<string, Handle>): Bed {
  const { log, lines } = collectLog();
  const bed = { lines, logged: [] as Exchange[], closed: 0 };
  const site = createSite(routes, bed.logged, () => bed.closed++);
  const dispatcher = new SiteDispatcher(site, log);
  return Object.assign(bed, { dispatcher });
}

const text = (reply: Reply) => (reply.body?.kind === 'bytes' ? Buffer.from(reply.body.bytes).toString() : '');

describe('a named route', () => {
  it('goes on with the request as it is', async () => {
    const bed = createBed({
      '/': () => ({ redirectTo: '@app' }),
      '@app': (exchange) => createTextReply(200, `${exchange.path}?${exchange.query} ${exchange.redirected}`),
    });
    expect(text(await bed.dispatcher.dispatch(createExchange('/a%20b?c')))).toBe('/a b?c false');
  });

  it('is reached by no path, and one that is not there is none', async () => {
    const bed = createBed({
      '/lost': () => ({ redirectTo: '@lost' }),
      '@app': () => createTextReply(200, 'app'),
    });
    expect((await bed.dispatcher.dispatch(createExchange('/@app'))).status).toBe(404);
    expect((await bed.dispatcher.dispatch(createExchange('/lost'))).status).toBe(404);
  });
});

describe('dispatch', () => {
  it('answers synchronously what a handler answers synchronously, with the facts of the exchange set', () => {
    const bed = createBed({
      '/': (x) => createTextReply(200, `${x.path} ${x.query} ${x.routePath} ${x.serverName}`),
    });
    const exchange = createExchange('/a/../b?c');
    const reply = bed.dispatcher.dispatch(exchange);
    expect(text(reply as Reply)).toBe('/b c / main');
    expect(exchange.clientAddress).toBe('198.51.100.7');
  });

  it('follows internal redirects, synchronous or not, and ends a circle', async () => {
    const bed = createBed({
      '/': (x) => createTextReply(200, `${x.path}?${x.query} ${x.redirected}`),
      '/to/': () => ({ redirectTo: '/end?q' }),
      '/later/': async () => ({ redirectTo: '/to/x' }),
      '/round/': () => ({ redirectTo: '/round/' }),
    });
    expect(text(await bed.dispatcher.dispatch(createExchange('/to/')))).toBe('/end?q true');
    expect(text(await bed.dispatcher.dispatch(createExchange('/later/')))).toBe('/end?q true');
    expect((await bed.dispatcher.dispatch(createExchange('/round/'))).status).toBe(500);
    expect(bed.lines[0]).toContain('TSS_REDIRECT_LOOP');
  });

  it('gives a redirect its fields and its method, as the redirect says', async () => {
    const redirect = {
      redirectTo: '/end',
      fields: ['Content-Type', 'application/pdf', 'X-A', '1'],
      asGet: true,
    };
    const bed = createBed({
      '/': (x) => createTextReply(200, `${x.method} ${x.body.length}`),
      '/to/': async () => ({ ...redirect, fields: [...redirect.fields] }),
    });
    const body = { length: 5, limit: 9, read: () => {}, cancel: () => {} };
    const exchange = createExchange('/to/', 'POST', body);
    const reply = await bed.dispatcher.dispatch(exchange);
    expect(text(reply)).toBe('GET 0');
    expect(reply.fields).toEqual(['Content-Type', 'application/pdf', 'X-A', '1']);
    expect(exchange.requestMethod).toBe('POST');
    const head = createExchange('/to/', 'HEAD');
    expect(text(await bed.dispatcher.dispatch(head))).toBe('HEAD 0');
  });

  it("turns a handler's HttpError into a reply with the route's fields, and tells the detail to the log alone", async () => {
    const fail = () => {
      throw new HttpError('TSS_UPSTREAM_CONNECT', 'secret 10.0.0.1 refused');
    };
    const bed = createBed({ '/now': fail, '/later': async () => fail() });
    for (const target of ['/now', '/later']) {
      const reply = await bed.dispatcher.dispatch(createExchange(target));
      expect(reply.status).toBe(502);
      expect(reply.fields).toContain('X-Path');
      expect(text(reply)).toBe('502 Bad Gateway\n');
    }
    expect(bed.lines[1]).toMatch(
      /^error TSS_UPSTREAM_CONNECT: secret 10\.0\.0\.1 refused, client: 198\.51\.100\.7, server: main, request: "GET \/later", host: "a\.example", id: [0-9a-f]{32}$/,
    );
  });

  it('takes an HttpError that is returned for one that is thrown, at once, later, and behind a redirect', async () => {
    const gone = new HttpError('TSS_NOT_FOUND', 'no such thing', ['Cache-Control', 'no-store']);
    const bed = createBed({
      '/now': () => gone,
      '/later': async () => gone,
      '/to': () => ({ redirectTo: '/now' }),
    });
    expect(bed.dispatcher.dispatch(createExchange('/now'))).toBeInstanceOf(Reply);
    for (const target of ['/now', '/later', '/to']) {
      const reply = await bed.dispatcher.dispatch(createExchange(target));
      expect([reply.status, text(reply)]).toEqual([404, '404 Not Found\n']);
      expect(reply.fields).toEqual(expect.arrayContaining(['Cache-Control', 'no-store', 'X-Path']));
    }
    expect(bed.lines).toHaveLength(4);
    expect(bed.lines[3]).toMatch(/^info TSS_NOT_FOUND: no such thing, .*request: "GET \/to"/);
  });

  it('answers an error that fails many requests with one shared reply, and any other with one of its own', () => {
    const fields = ['Cache-Control', 'no-store'];
    const shared = new HttpError('TSS_NOT_FOUND', 'shared', fields, { shared: true });
    const [once, again] = [createErrorReply(shared), createErrorReply(shared)];
    expect([once === again, once.shared, once.fields]).toEqual([true, true, expect.arrayContaining(fields)]);
    const other = createErrorReply(
      new HttpError('TSS_NOT_FOUND', 'other', ['X-Other', '1'], { shared: true }),
    );
    expect(other.fields).toEqual(expect.arrayContaining(['X-Other', '1']));
    const alone = new HttpError('TSS_NOT_FOUND', 'alone', fields);
    const own = createErrorReply(alone);
    expect([createErrorReply(alone) === own, own.shared]).toEqual([false, false]);
  });

  it('turns a bug into a 500 with its stack in the log, whatever is thrown', async () => {
    const bed = createBed({
      '/': () => {
        throw new TypeError('bug in a handler');
      },
      '/text': () => Promise.reject('just a text'),
    });
    expect((await bed.dispatcher.dispatch(createExchange('/'))).status).toBe(500);
    expect(bed.lines[0]).toContain('TypeError: bug in a handler');
    expect(bed.lines[0]).toContain('dispatch.test.ts');
    expect((await bed.dispatcher.dispatch(createExchange('/text'))).status).toBe(500);
    expect(bed.lines[1]).toContain('just a text');
  });

  it.each([
    ['a path that leads upwards', '/../x', 'GET', 400],
    ['a path no route takes', '/nothing', 'GET', 404],
    ['TRACE', '/a', 'TRACE', 405],
  ])('refuses %s', (_name, target, method, status) => {
    const bed = createBed({ '/a': () => createTextReply(200, 'x') });
    expect((bed.dispatcher.dispatch(createExchange(target, method)) as Reply).status).toBe(status);
  });

  it('answers OPTIONS * itself, and refuses a body that announces more than the limit before it is read', () => {
    const bed = createBed({ '/': () => createTextReply(200, 'x') });
    expect((bed.dispatcher.dispatch(createExchange('*', 'OPTIONS')) as Reply).status).toBe(204);
    const body = { length: 101, limit: 0, read: () => {}, cancel: () => {} };
    expect((bed.dispatcher.dispatch(createExchange('/', 'POST', body)) as Reply).status).toBe(413);
    expect(body.limit).toBe(100);
  });

  it('keeps a Site open until the last exchange that began on it is over', async () => {
    let answer: (reply: Reply) => void = () => {};
    const bed = createBed({ '/': () => new Promise<Reply>((resolve) => (answer = resolve)) });
    const exchange = createExchange('/');
    const pending = bed.dispatcher.dispatch(exchange);
    let nextClosed = 0;
    const next = createSite({ '/': () => createTextReply(200, 'new') }, bed.logged, () => nextClosed++);
    bed.dispatcher.swap(next).usage.retire();
    const later = createExchange('/');
    expect(text(bed.dispatcher.dispatch(later) as Reply)).toBe('new');
    bed.dispatcher.finish(later);
    expect(bed.closed).toBe(0);
    answer(createTextReply(200, 'old'));
    expect(text(await pending)).toBe('old');
    bed.dispatcher.finish(exchange);
    expect([bed.closed, nextClosed]).toEqual([1, 0]);
    expect(bed.logged).toEqual([later, exchange]);
  });

  it('answers a connection whose listener is not part of the Site any more', () => {
    const bed = createBed({});
    const exchange = new Exchange({ ...connection, listenerKey: 'tcp:*:2' }, 'GET', '/', '1.1', [], '');
    expect((bed.dispatcher.dispatch(exchange) as Reply).status).toBe(404);
    bed.dispatcher.finish(exchange);
  });
});
