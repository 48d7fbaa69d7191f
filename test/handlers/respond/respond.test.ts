import { describe, expect, it } from 'vitest';
import { createRedirect } from '../../../src/handlers/respond/create-redirect.ts';
import { createReturn } from '../../../src/handlers/respond/create-return.ts';
import { redirectShape } from '../../../src/handlers/respond/redirect-shape.ts';
import { returnShape } from '../../../src/handlers/respond/return-shape.ts';
import { getField } from '../../../src/message/fields.ts';
import { answerReply, createExchange, readBody } from '../exchange.ts';

const methods = ['GET', 'HEAD', 'POST', 'DELETE', 'OPTIONS', 'BREW'];

describe('return', () => {
  it('gives one shared reply for a constant text, to any method', async () => {
    const handler = createReturn({ status: 200, body: 'pong\n', type: 'text/plain; charset=utf-8' });
    const first = answerReply(handler, createExchange('/ping'));
    expect([first.status, first.shared]).toEqual([200, true]);
    expect(first.fields).toEqual(['Content-Type', 'text/plain; charset=utf-8']);
    expect((await readBody(first)).toString()).toBe('pong\n');
    for (const method of methods) expect(answerReply(handler, createExchange('/', [], method))).toBe(first);
  });

  it('fills in variables', async () => {
    const handler = createReturn({ status: 418, body: '{"uri":"$uri","é":"$$"}', type: 'application/json' });
    const reply = answerReply(handler, createExchange('/tee'));
    expect([reply.status, reply.shared, reply.fields]).toEqual([
      418,
      false,
      ['Content-Type', 'application/json'],
    ]);
    expect((await readBody(reply)).toString()).toBe('{"uri":"/tee","é":"$"}');
  });

  it('has neither body nor type when the text is empty', () => {
    const handler = createReturn({ status: 204, body: '', type: 'text/plain' });
    const reply = answerReply(handler, createExchange('/'));
    expect([reply.status, reply.fields, reply.body]).toEqual([204, [], null]);
  });

  it.each([
    [204, { status: 204, body: '', type: 'text/plain; charset=utf-8' }],
    [
      { status: 404, body: 'no\n' },
      { status: 404, body: 'no\n', type: 'text/plain; charset=utf-8' },
    ],
    [
      { status: 200, body: '<p>', type: 'text/html' },
      { status: 200, body: '<p>', type: 'text/html' },
    ],
  ])('is configured by %j', (written, settings) => {
    expect(returnShape.parse(written)).toEqual(settings);
  });

  it.each([
    [199],
    [600],
    [200.5],
    ['200'],
    [{}],
    [{ body: 'x' }],
    [{ status: 204, body: 'x' }],
    [{ status: 304, body: 'x' }],
    [{ status: 200, body: '$nonsense' }],
    [{ status: 200, type: 'text' }],
    [{ status: 200, type: 'text/plain\r\nX: y' }],
    [{ status: 200, typ: 'text/plain' }],
  ])('V11: cannot be configured by %j', (written) => {
    expect(returnShape.safeParse(written).success).toBe(false);
  });
});

describe('redirect', () => {
  function locate(to: string, path = '/', query = '', fields: string[] = []): string {
    const handler = createRedirect({ to, status: 302 });
    const reply = answerReply(handler, createExchange(path, fields, 'GET', query));
    expect(reply.status).toBe(302);
    expect(reply.body).toBeNull();
    return getField(reply.fields, 'location') as string;
  }

  it('gives one shared reply for a constant target, to any method', () => {
    const handler = createRedirect({ to: 'https://example.com/new place', status: 308 });
    const first = answerReply(handler, createExchange('/old'));
    expect([first.status, first.fields, first.shared]).toEqual([
      308,
      ['Location', 'https://example.com/new%20place'],
      true,
    ]);
    for (const method of methods) expect(answerReply(handler, createExchange('/', [], method))).toBe(first);
  });

  it.each([
    ['/$is_args$args', '/', 'a=1&b=%20', '/?a=1&b=%20'],
    ['/$is_args$args', '/', '', '/'],
    ['https://$host$request_uri', '/a', 'b', 'https://example.com/a?b'],
    ['https://www.example.com$uri', '/sub dir/é?#%', '', 'https://www.example.com/sub%20dir/%C3%A9%3F%23%25'],
    ['/app\x24{uri}index', '/x/', '', '/app/x/index'],
    ['/app$URI/', '/a b', '', '/app/a%20b/'],
    ['/cost/$$uri/', '/x', '', '/cost/$uri/'],
    ['/$$$uri', '/x', '', '/$/x'],
    ['next/page', '/', '', 'next/page'],
    ['//cdn.example.com$uri', '/x', '', '//cdn.example.com/x'],
    ['$arg_none', '/', '', '/'],
    ['$uri', '/bytes\udce9', '', '/bytes%E9'],
  ])('%j for %j?%s', (to, path, query, location) => {
    expect(locate(to, path, query)).toBe(location);
  });

  it.each([
    ['/$arg_to', '/', 'to=/evil.example'],
    ['/$arg_to', '/', 'to=\\evil.example'],
    ['/$arg_to', '/', 'to=//evil.example'],
    ['/$arg_to', '/', 'to=\t/evil.example'],
    ['/$arg_to', '/', 'to=%2fevil.example'],
    ['/$uri', '/evil.example', ''],
    ['/$uri', '//evil.example', ''],
    ['$uri', '//evil.example', ''],
    ['$uri/', '/\\evil.example', ''],
    ['$request_uri', '//evil.example', ''],
    ['/$arg_none/evil.example', '/', ''],
    ['/$arg_none\\evil.example', '/', ''],
  ])('V12: a path %j stays on the site for %j?%s', (to, path, query) => {
    const location = locate(to, path, query);
    expect(location).toMatch(/^\/[^/\\]/);
    expect(new URL(location, 'http://site.example/').origin).toBe('http://site.example');
  });

  it.each([
    'a\r\nSet-Cookie: x=1',
    'a\nb',
    'a\0b',
    'a b',
    'a\u010d\u010aSet-Cookie: x',
    'é',
    '"><script>',
    'a\\b',
  ])('V11: %j from a request injects nothing', (hostile) => {
    for (const to of ['/$http_x', 'https://example.com/$http_x', '$http_x', '/?$arg_x', 'https://a/$uri']) {
      expect(locate(to, `/${hostile}`, `x=${hostile}`, ['X', hostile])).toMatch(/^[\x21\x23-\x7e]*$/);
    }
  });

  it.each([
    ['/new', { to: '/new', status: 302 }],
    [
      { to: '/$uri', status: 301 },
      { to: '/$uri', status: 301 },
    ],
    [{ to: 'https://$host/' }, { to: 'https://$host/', status: 302 }],
  ])('is configured by %j', (written, settings) => {
    expect(redirectShape.parse(written)).toEqual(settings);
  });

  it.each([
    [''],
    [{}],
    [{ to: '' }],
    [{ to: '/', status: 300 }],
    [{ to: '$nonsense' }],
    [{ to: '/', code: 301 }],
    [301],
  ])('cannot be configured by %j', (written) => {
    expect(redirectShape.safeParse(written).success).toBe(false);
  });
});
