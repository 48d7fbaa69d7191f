import { describe, expect, it } from 'vitest';
import { Exchange } from '../../../src/message/exchange.ts';
import { getField } from '../../../src/message/fields.ts';
import { type Answer, createTextReply, Reply } from '../../../src/message/reply.ts';
import { compileHeaders } from '../../../src/middleware/headers/compile-headers.ts';
import { createHeaders } from '../../../src/middleware/headers/create-headers.ts';
import { type HeaderRules, mergeHeaders } from '../../../src/middleware/headers/header-rules.ts';
import { headersShape } from '../../../src/middleware/headers/headers-shape.ts';

const connection = {
  peerAddress: '192.0.2.1',
  peerPort: 40_000,
  localAddress: '192.0.2.2',
  localPort: 80,
  scheme: 'http' as const,
  listenerKey: 'tcp:*:80',
  serial: 1,
};

function createExchange(fields: string[] = []): Exchange {
  const exchange = new Exchange(connection, 'GET', '/a?b', '1.1', fields, 'example.com');
  exchange.path = '/a';
  return exchange;
}

function apply(rules: HeaderRules, reply: Reply, exchange = createExchange()): Reply {
  return compileHeaders(rules)(exchange, reply);
}

function createReply(status: number, fields: string[], shared = false): Reply {
  return new Reply(status, fields, null, shared);
}

describe('headers', () => {
  it('sets, replaces and removes fields by name, whatever the case', () => {
    const reply = createReply(200, ['content-type', 'a', 'X-Old', '1', 'x-old', '2', 'ETag', '"e"']);
    const rules = { 'Content-Type': 'b', 'X-OLD': null, 'X-New': 'n' };
    expect(apply(rules, reply).fields).toEqual(['ETag', '"e"', 'Content-Type', 'b', 'X-New', 'n']);
  });

  it('adds Set-Cookie to those that are there, and can remove them all', () => {
    const fields = ['Set-Cookie', 'a=1'];
    expect(apply({ 'set-cookie': 'b=2' }, createReply(200, [...fields])).fields).toEqual([
      ...fields,
      'set-cookie',
      'b=2',
    ]);
    expect(apply({ 'Set-Cookie': null }, createReply(200, [...fields])).fields).toEqual([]);
  });

  it.each([200, 206, 301, 304, 404, 500, 503])('T19: reach a reply of status %d', (status) => {
    const reply = apply({ 'Content-Security-Policy': "default-src 'self'" }, createReply(status, []));
    expect(reply.fields).toEqual(['Content-Security-Policy', "default-src 'self'"]);
  });

  it.each([
    [200, 'public, max-age=60'],
    [304, 'public, max-age=60'],
    [404, 'no-store'],
    [500, 'no-store'],
  ])('T22: with status %d Cache-Control becomes %j', (status, value) => {
    const reply = createReply(status, ['Cache-Control', 'no-store']);
    const rules = { 'cache-control': 'public, max-age=60', Expires: 'Thu, 01 Jan 2099 00:00:00 GMT' };
    const { fields } = apply(rules, reply);
    expect(getField(fields, 'cache-control')).toBe(value);
    expect(getField(fields, 'expires') === undefined).toBe(status >= 400);
  });

  it('leaves a field out whose variables are empty', () => {
    const rules = { 'X-Trace': '$http_traceparent' };
    expect(apply(rules, createReply(200, ['X-Trace', 'old'])).fields).toEqual([]);
    const exchange = createExchange(['TraceParent', 't1']);
    expect(apply(rules, createReply(200, []), exchange).fields).toEqual(['X-Trace', 't1']);
  });

  it.each(['a\r\nSet-Cookie: x', 'a\nb', '\0', 'a\u010d\u010aX: y', '\x7f', '\x85'])(
    'V11: %j from a request injects nothing',
    (hostile) => {
      const { fields } = apply(
        { 'X-Echo': '<$http_x>' },
        createReply(200, []),
        createExchange(['X', hostile]),
      );
      expect(fields).toHaveLength(2);
      expect(fields[1]).toMatch(/^<[\x20-\x7e]*>$/);
    },
  );
});

describe('rules', () => {
  it('set several fields, add beside what is there, and hold their peace where something is', () => {
    const rules = { 'X-S': { set: ['1', '2'] }, 'X-A': { add: ['2'] }, 'X-D': { default: ['d'] } };
    expect(apply(rules, createReply(200, ['x-s', '0', 'x-a', '1'])).fields).toEqual([
      ...['x-a', '1', 'X-S', '1', 'X-S', '2', 'X-A', '2', 'X-D', 'd'],
    ]);
    expect(
      apply(rules, createReply(200, ['x-d', 'own'])).fields.filter((field) => /d$/i.test(field)),
    ).toEqual(['x-d']);
  });

  it.each([
    [200, ['A', 'B', 'C']],
    [206, ['A', 'B', 'C']],
    [304, ['A', 'B', 'C']],
    [404, ['A', 'B', 'Cache-Control']],
    [500, ['A', 'B', 'Cache-Control']],
  ])('T19: with status %d "always" decides', (status, expected) => {
    const rules = { A: 'a', B: { set: ['b'], always: true }, C: { set: ['c'], always: false } };
    const freshness: HeaderRules =
      status < 400 ? {} : { 'Cache-Control': { set: ['no-store'], always: true } };
    const expires = { Expires: { set: ['0'], always: false } };
    const { fields } = apply({ ...rules, ...freshness, ...expires }, createReply(status, []));
    expect(fields.filter((_, i) => i % 2 === 0).filter((name) => name !== 'Expires')).toEqual(expected);
    expect(getField(fields, 'expires')).toBe(status < 400 ? '0' : undefined);
  });

  it('a 304 gets no field that describes content', () => {
    const rules = { 'Content-Type': 'text/x', 'Content-Language': { add: ['de'] }, Vary: 'Accept' };
    expect(apply(rules, createReply(304, [])).fields).toEqual(['Vary', 'Accept']);
    expect(apply(rules, createReply(200, [])).fields).toHaveLength(6);
  });
});

describe('a shared reply', () => {
  it('is left as it is; its copy is shared too, and always the same one', () => {
    const original = createReply(200, ['ETag', '"e"'], true);
    const rules = compileHeaders({ 'X-A': '1', ETag: null });
    const copy = rules(createExchange(), original);
    expect([copy.fields, copy.shared, copy.body]).toEqual([['X-A', '1'], true, original.body]);
    expect(original.fields).toEqual(['ETag', '"e"']);
    expect(rules(createExchange(), original)).toBe(copy);
    expect(compileHeaders({ 'X-A': '1' })(createExchange(), original)).not.toBe(copy);
  });

  it('is copied for each request when a value depends on it', () => {
    const original = createReply(200, [], true);
    const rules = compileHeaders({ 'X-Id': '$http_id', 'X-A': '1' });
    const [first, second] = ['1', '2'].map((id) => rules(createExchange(['id', id]), original));
    expect([first.fields, second.fields]).toEqual([
      ['X-Id', '1', 'X-A', '1'],
      ['X-Id', '2', 'X-A', '1'],
    ]);
    expect([first.shared, original.fields]).toEqual([false, []]);
  });

  it('passes untouched when there is nothing to do', () => {
    const original = createReply(200, [], true);
    expect(compileHeaders({})(createExchange(), original)).toBe(original);
  });
});

describe('createHeaders', () => {
  const wrap = createHeaders({ 'X-A': '1' });

  it('answers at once when the handler does, later when it waits', async () => {
    const now = wrap(() => createTextReply(200, 'x'))(createExchange());
    expect(now).toBeInstanceOf(Reply);
    expect(getField((now as Reply).fields, 'x-a')).toBe('1');
    const later = wrap(() => Promise.resolve(createTextReply(200, 'x')))(createExchange());
    expect(later).toBeInstanceOf(Promise);
    expect(getField(((await later) as Reply).fields, 'x-a')).toBe('1');
  });

  it('lets internal redirects and errors pass', async () => {
    const redirect: Answer = { redirectTo: '/x' };
    expect(wrap(() => redirect)(createExchange())).toBe(redirect);
    expect(await wrap(() => Promise.resolve(redirect))(createExchange())).toBe(redirect);
    const failing = wrap(() => {
      throw new Error('from the handler');
    });
    expect(() => failing(createExchange())).toThrow('from the handler');
  });
});

describe('headersShape', () => {
  it('takes templates and null', () => {
    const written = { 'Cache-Control': 'max-age=60', 'X-Id': '$request_id', Server: null, 'X-Empty': '' };
    expect(headersShape.parse(written)).toEqual(written);
  });

  it('takes several values, and rules', () => {
    const written = { Link: ['</a>', '</b>'], 'X-A': { add: 'a', always: false }, 'X-B': { default: ['b'] } };
    expect(headersShape.parse(written)).toEqual({
      Link: { set: ['</a>', '</b>'] },
      'X-A': { add: ['a'], always: false },
      'X-B': { default: ['b'] },
    });
  });

  it.each([
    'Content-Length',
    'TRANSFER-ENCODING',
    'connection',
    'Keep-Alive',
    'Upgrade',
    'Trailer',
    'TE',
    'Date',
  ])('V11: refuses %s, which frames the message', (name) => {
    for (const value of ['x', null]) expect(headersShape.safeParse({ [name]: value }).success).toBe(false);
  });

  it.each([
    [{ 'X A': 'x' }],
    [{ '': 'x' }],
    [{ 'X\r\nY': 'x' }],
    [{ 'X-A': 'a\r\nb' }],
    [{ 'X-A': 'é' }],
    [{ 'X-A': '$nonsense' }],
    [{ 'X-A': 1 }],
    [{ 'X-A': '1', 'x-a': '2' }],
    [['X-A', '1']],
    [{ 'X-A': [] }],
    [{ 'X-A': ['a\r\nb'] }],
    [{ 'X-A': {} }],
    [{ 'X-A': { always: true } }],
    [{ 'X-A': { set: 'a', also: 'b' } }],
    [{ 'X-A': { add: null } }],
    [{ 'X-A': { set: 'a', scheme: 'https' } }],
  ])('V11: refuses %j', (written) => {
    expect(headersShape.safeParse(written).success).toBe(false);
  });
});

describe('mergeHeaders', () => {
  it('T19: keeps what outer levels set, lets inner ones override by name and remove', () => {
    const merged = mergeHeaders({ 'X-A': '1', 'X-B': '1', 'X-C': '1' }, undefined, {
      'x-b': '2',
      'X-C': null,
      'X-D': '3',
    });
    expect(merged).toEqual({ 'X-A': '1', 'x-b': '2', 'X-C': null, 'X-D': '3' });
  });

  it('T19: adds to what outer levels set, add or remove', () => {
    const outer = { A: 'a', B: { add: ['b'] }, C: null, D: { set: ['d'], always: false } };
    const inner = {
      a: { add: ['2'] },
      b: { add: ['2'] },
      c: { add: ['2'] },
      d: { add: ['2'], always: true },
    };
    expect(mergeHeaders(outer, inner)).toEqual({
      a: { set: ['a'], add: ['2'] },
      b: { add: ['b', '2'] },
      c: { set: ['2'] },
      d: { set: ['d'], add: ['2'], always: true },
    });
    expect(mergeHeaders(outer, { A: { set: ['x'], add: ['y'] } }).A).toEqual({ set: ['x'], add: ['y'] });
  });

  it('takes any name for a name', () => {
    const merged = mergeHeaders(JSON.parse('{"__proto__":"1","constructor":"2"}'));
    expect(Object.entries(merged)).toEqual([
      ['__proto__', '1'],
      ['constructor', '2'],
    ]);
  });
});
