import { describe, expect, it } from 'vitest';
import { Exchange } from '../../../src/message/exchange.ts';
import { getField } from '../../../src/message/fields.ts';
import { Reply } from '../../../src/message/reply.ts';
import { compileHeaders } from '../../../src/middleware/headers/compile-headers.ts';
import { mergeHeaders } from '../../../src/middleware/headers/header-rules.ts';
import { securityShape } from '../../../src/middleware/headers/security-shape.ts';
import { createExchange } from '../../handlers/exchange.ts';

function createSecureExchange(): Exchange {
  const { connection, fields } = createExchange('/');
  return new Exchange({ ...connection, scheme: 'https' }, 'GET', '/', '1.1', fields, '');
}

const standard = {
  'X-Content-Type-Options': { default: ['nosniff'] },
  'Referrer-Policy': { default: ['strict-origin-when-cross-origin'] },
  'X-Frame-Options': { default: ['SAMEORIGIN'] },
  'Strict-Transport-Security': { default: ['max-age=31536000'], scheme: 'https' },
};

describe('security', () => {
  it('comes to rules that fields of applications go before', () => {
    expect(securityShape.parse(true)).toEqual(standard);
    expect(securityShape.parse({})).toEqual(standard);
    expect(securityShape.parse(false)).toEqual({});
    expect(securityShape.parse({ nosniff: false, referrer: false, frame: false, hsts: false })).toEqual({});
    const hsts = { maxAge: '2y', includeSubdomains: true, preload: true };
    expect(securityShape.parse({ frame: 'deny', referrer: 'no-referrer', hsts })).toEqual({
      ...standard,
      'Referrer-Policy': { default: ['no-referrer'] },
      'X-Frame-Options': { default: ['DENY'] },
      'Strict-Transport-Security': {
        default: ['max-age=63072000; includeSubDomains; preload'],
        scheme: 'https',
      },
    });
  });

  it.each([
    ['yes'],
    [{ frame: true }],
    [{ referrer: 'never' }],
    [{ hsts: { maxAge: 'long' } }],
    [{ hsts: { maxage: '1y' } }],
    [{ csp: true }],
  ])('refuses %j', (written) => {
    expect(securityShape.safeParse(written).success).toBe(false);
  });

  it.each([200, 304, 404, 500])('holds on status %d, Strict-Transport-Security over TLS alone', (status) => {
    const apply = compileHeaders(securityShape.parse(true));
    for (const shared of [false, true]) {
      const plain = new Reply(status, [], null, shared);
      const secure = shared ? plain : new Reply(status, [], null);
      for (let i = 0; i < 2; i++) {
        const overTls = apply(createSecureExchange(), secure);
        const overTcp = apply(createExchange('/'), plain);
        expect(getField(overTls.fields, 'strict-transport-security')).toBe('max-age=31536000');
        expect(getField(overTcp.fields, 'strict-transport-security')).toBeUndefined();
        expect(getField(overTcp.fields, 'x-frame-options')).toBe('SAMEORIGIN');
        expect(overTls.fields).toHaveLength(8);
      }
    }
  });

  it('leaves stricter fields of an application, and gives way to headers', () => {
    const rules = mergeHeaders(securityShape.parse(true), {
      'x-frame-options': null,
      'Referrer-Policy': 'origin',
    });
    const reply = new Reply(200, ['X-Frame-Options', 'DENY'], null);
    expect(compileHeaders(securityShape.parse(true))(createExchange('/'), reply).fields.slice(0, 2)).toEqual([
      'X-Frame-Options',
      'DENY',
    ]);
    const other = compileHeaders(rules)(
      createExchange('/'),
      new Reply(200, ['X-Frame-Options', 'DENY'], null),
    );
    expect(getField(other.fields, 'x-frame-options')).toBeUndefined();
    expect(getField(other.fields, 'referrer-policy')).toBe('origin');
  });
});
