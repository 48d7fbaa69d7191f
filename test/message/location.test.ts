import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isFieldValue, toFieldValue } from '../../src/message/field-value.ts';
import { encodePath, encodeUri, toLocalReference } from '../../src/message/location.ts';

describe('encodePath', () => {
  it.each([
    ['/a-b_c.d~e', '/a-b_c.d~e'],
    ["/!$&'()*+,;=:@", "/!$&'()*+,;=:@"],
    ['/a b', '/a%20b'],
    ['/100%/?#[]', '/100%25/%3F%23%5B%5D'],
    ['/é/日本/😀', '/%C3%A9/%E6%97%A5%E6%9C%AC/%F0%9F%98%80'],
    ['/\udcff\udc80', '/%FF%80'],
    ['/😀\udc80', '/%F0%9F%98%80%80'],
    ['/"<>\\^`{|}', '/%22%3C%3E%5C%5E%60%7B%7C%7D'],
    ['/\r\n\0\x7f', '/%0D%0A%00%7F'],
  ])('%j', (path, encoded) => {
    expect(encodePath(path)).toBe(encoded);
  });

  it('reads back as the same path', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (path) => decodeURIComponent(encodePath(path)) === path),
    );
  });
});

describe('encodeUri', () => {
  it('leaves what is a URI, and encodes what can be in none', () => {
    const uri = "https://user@[::1]:80/a%20b;c,d/?x=1&y=$'()*+!#f~-._";
    expect(encodeUri(uri)).toBe(uri);
    expect(encodeUri('/a b\r\nX: y\t"<>\\^`{|}é')).toBe(
      '/a%20b%0D%0AX:%20y%09%22%3C%3E%5C%5E%60%7B%7C%7D%C3%A9',
    );
  });
});

describe('toLocalReference', () => {
  it.each([
    ['/a', '', '/a'],
    ['/a b', 'x=1', '/a%20b?x=1'],
    ['//evil', '', '/evil'],
    ['/\\evil', '', '/evil'],
    ['\\\\evil', '', '/evil'],
    ['/\\/\\/evil', '', '/evil'],
    ['evil', '', '/evil'],
    ['https://evil', '', '/https://evil'],
    ['/a', 'x\r\ny', '/a?x%0D%0Ay'],
  ])('V12: %j?%j stays on the site', (path, query, reference) => {
    expect(toLocalReference(path, query)).toBe(reference);
  });

  it('V12: keeps the origin for whatever path and query', () => {
    const text = fc.string({
      unit: fc.constantFrom('/', '\\', '.', 'a', ':', '@', '\t', '\n', ' ', '?', '#', '%', '\udc80'),
    });
    fc.assert(
      fc.property(text, text, (path, query) => {
        return (
          new URL(toLocalReference(path, query), 'http://site.example/x').origin === 'http://site.example'
        );
      }),
    );
  });
});

describe('toFieldValue', () => {
  it('V11: encodes everything that is not visible ASCII', () => {
    expect(toFieldValue('a\r\nSet-Cookie: b')).toBe('a%0D%0ASet-Cookie: b');
    expect(toFieldValue('\0\x7fé\u010d\u010a\ud800')).toBe('%00%7F%C3%A9%C4%8D%C4%8A%EF%BF%BD');
    expect(toFieldValue(' a\tb ')).toBe('a\tb');
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => isFieldValue(toFieldValue(text))));
  });
});

describe('isFieldValue', () => {
  it.each([
    ['', true],
    ['max-age=60, public', true],
    ['a\tb', true],
    [' a', false],
    ['a\n', false],
    ['é', false],
  ])('%j: %s', (text, expected) => {
    expect(isFieldValue(text)).toBe(expected);
  });
});
