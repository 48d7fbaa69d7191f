import { describe, expect, it } from 'vitest';
import { getField } from '../../../src/message/fields.ts';
import { createTextReply, Reply } from '../../../src/message/reply.ts';
import { type CorsSettings, corsShape } from '../../../src/middleware/cors/cors-shape.ts';
import { createCors } from '../../../src/middleware/cors/create-cors.ts';
import { createExchange } from '../../handlers/exchange.ts';

function compile(written: unknown) {
  return createCors(corsShape.parse(written) as CorsSettings);
}

const origin = 'https://app.example';
const named = { origins: [origin, '~^https://[a-z]+\\.example\\.org$'] };

function ask(written: unknown, from: string | null, fields: string[] = []): string[] {
  const handle = compile(written).wrap(() => new Reply(200, [...fields], null));
  const reply = handle(createExchange('/', from === null ? [] : ['Origin', from])) as Reply;
  return reply.fields;
}

describe('cors', () => {
  it('lets every origin read unless some are named', () => {
    expect(ask(true, origin)).toEqual(['Access-Control-Allow-Origin', '*']);
    expect(ask({}, null)).toEqual(['Access-Control-Allow-Origin', '*']);
    expect(corsShape.parse(false)).toBeNull();
  });

  it.each([
    [origin, true],
    ['https://a.example.org', true],
    ['https://app.example.evil', false],
    ['http://app.example', false],
    ['https://a.b.example.org', false],
    ['null', false],
    [null, false],
    ['https://a.example.org\r\nX: y', false],
    [`${origin}, https://evil.example`, false],
  ])('answers %j by the names, and always varies by Origin', (from, isAllowed) => {
    const fields = ask(named, from, ['Vary', 'Accept']);
    expect(getField(fields, 'access-control-allow-origin')).toBe(isAllowed ? from : undefined);
    expect(getField(fields, 'vary')).toBe('Accept, Origin');
  });

  it('takes the place of what an application says, so that there is one of each', () => {
    const own = [
      'Access-Control-Allow-Origin',
      '*',
      'Access-Control-Expose-Headers',
      'X-A',
      'Vary',
      'origin',
    ];
    const settings = { ...named, credentials: true, exposeHeaders: ['X-B', 'ETag'] };
    expect(ask(settings, origin, own)).toEqual([
      ...['Vary', 'origin', 'Access-Control-Allow-Origin', origin],
      ...['Access-Control-Allow-Credentials', 'true', 'Access-Control-Expose-Headers', 'X-B, ETag'],
    ]);
    expect(ask(settings, 'https://evil.example', own)).not.toContain('Access-Control-Allow-Origin');
  });

  it('answers preflights by itself', () => {
    const handle = compile({ ...named, methods: ['GET', 'PUT'], maxAge: '1h' }).wrap(() => {
      throw new Error('asked the handler');
    });
    const preflight = (from: string, names: string) =>
      handle(
        createExchange(
          '/',
          ['Origin', from, 'Access-Control-Request-Method', 'PUT', 'Access-Control-Request-Headers', names],
          'OPTIONS',
        ),
      ) as Reply;
    const allowed = preflight(origin, 'content-type, x-a');
    expect([allowed.status, allowed.fields]).toEqual([
      204,
      [
        ...['Access-Control-Allow-Origin', origin, 'Access-Control-Allow-Methods', 'GET, PUT'],
        ...['Access-Control-Allow-Headers', 'content-type, x-a', 'Access-Control-Max-Age', '3600'],
        ...['Vary', 'Origin, Access-Control-Request-Headers'],
      ],
    ]);
    expect(preflight('https://evil.example', 'x-a').fields).toEqual([
      'Vary',
      'Origin, Access-Control-Request-Headers',
    ]);
    expect(getField(preflight(origin, 'x-a, a b\r\nX: y, ').fields, 'access-control-allow-headers')).toBe(
      'x-a',
    );
  });

  it('leaves other OPTIONS to the handler', () => {
    const handle = compile(true).wrap(() => createTextReply(200, 'own'));
    expect((handle(createExchange('/', [], 'OPTIONS')) as Reply).status).toBe(200);
    expect((handle(createExchange('/', ['Origin', origin], 'OPTIONS')) as Reply).status).toBe(200);
  });

  it('waits for handlers that wait, and lets redirects inside pass', async () => {
    const { wrap } = compile(true);
    const reply = await wrap(() => Promise.resolve(createTextReply(200, 'x')))(createExchange('/'));
    expect(getField((reply as Reply).fields, 'access-control-allow-origin')).toBe('*');
    const redirect = { redirectTo: '/x' };
    expect(wrap(() => redirect)(createExchange('/'))).toBe(redirect);
  });

  it('keeps a cached reply shared, a copy for each origin that is named', () => {
    const shared = new Reply(200, [], null, true);
    const { apply } = compile(named);
    const give = (from: string) => apply(createExchange('/', ['Origin', from]), shared);
    expect(give(origin)).toBe(give(origin));
    expect([give(origin).shared, shared.fields]).toEqual([true, []]);
    expect(give('https://evil.example')).toBe(give('https://other.example'));
    expect(getField(give('https://evil.example').fields, 'access-control-allow-origin')).toBeUndefined();
    expect(give('https://a.example.org').shared).toBe(false);
  });

  it.each([
    [{ origins: [] }],
    [{ origins: ['example.com'] }],
    [{ origins: ['https://example.com/'] }],
    [{ origins: ['~('] }],
    [{ origins: ['null'] }],
    [{ credentials: true }],
    [{ origins: ['*', origin], credentials: true }],
    [{ methods: ['get'] }],
    [{ allowHeaders: ['a b'] }],
    [{ maxAge: '1' }],
    ['*'],
  ])('refuses %j', (written) => {
    expect(corsShape.safeParse(written).success).toBe(false);
  });
});
