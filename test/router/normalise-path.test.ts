import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HttpError } from '../../src/message/http-error.ts';
import { normalisePath } from '../../src/router/normalise-path.ts';

const pathOf = (target: string) => normalisePath(target).path;

describe('the canonical path', () => {
  it.each([
    ['/', '/'],
    ['/a/b', '/a/b'],
    ['/a/b/', '/a/b/'],
    ['/a//b', '/a/b'],
    ['//a', '/a'],
    ['/a/./b', '/a/b'],
    ['/a/.', '/a/'],
    ['/a/b/..', '/a/'],
    ['/a/../b', '/b'],
    ['/a/b/../../c', '/c'],
    ['/..a/.b/...', '/..a/.b/...'],
    ['/%61', '/a'],
    ['/a%2fb', '/a/b'],
    ['/a%2F%2Fb', '/a/b'],
    ['/a/%2e%2e/b', '/b'],
    ['/a%2f..%2Fb', '/b'],
    ['/%252e%252e/b', '/%2e%2e/b'],
    ['/a%20b', '/a b'],
    ['/%C3%A9', '/é'],
    ['/%5c', '/\\'],
    ['/\\..\\b', '/\\..\\b'],
    ['/%25', '/%'],
    ['/a%3Fb', '/a?b'],
    ['/%E9', '/\udce9'],
    ['/%C0%AE%C0%AE/x', '/\udcc0\udcae\udcc0\udcae/x'],
    ['/%F0%9F%98%80', '/😀'],
    ['/%ED%A0%80', '/\udced\udca0\udc80'],
  ])('V5: of %s is %s', (target, path) => {
    expect(pathOf(target)).toBe(path);
  });

  it('comes with the query as received', () => {
    expect(normalisePath('/a/../b?c=%20/../d?e')).toEqual({ path: '/b', query: 'c=%20/../d?e' });
    expect(normalisePath('/?')).toEqual({ path: '/', query: '' });
  });

  it.each([
    '/..',
    '/../a',
    '/a/../..',
    '/%2e%2e/a',
    '/a/..%2f..',
    '/%00',
    '/%0a',
    '/%0D',
    '/%1f',
    '/%7f',
    '/%',
    '/%2',
    '/%zz',
    '/a%',
  ])('V7: of %s is refused', (target) => {
    expect(() => pathOf(target)).toThrow(expect.objectContaining({ code: 'TSS_PATH' }));
  });

  it('V6: is its own canonical form, never leads upwards, and does not depend on how bytes are written', () => {
    const segment = fc.constantFrom('a', 'b c', 'é', '.', '..', '', '%', '\\', '...', 'x%2e', '😀');
    const style = fc.constantFrom<(byte: number) => boolean>(
      () => false,
      (byte) => byte !== 0x2f,
      (byte) => byte % 2 === 1,
      () => true,
    );
    fc.assert(
      fc.property(fc.array(segment, { maxLength: 6 }), style, style, (segments, one, other) => {
        const written = [one, other].map((mustEscape) => {
          const bytes = [...Buffer.from(`/${segments.join('/')}`)];
          const isFree = (byte: number) =>
            byte > 0x20 && byte < 0x7f && byte !== 0x25 && byte !== 0x3f && byte !== 0x23;
          const [, ...rest] = bytes.map((byte) =>
            isFree(byte) && !mustEscape(byte)
              ? String.fromCharCode(byte)
              : `%${byte.toString(16).padStart(2, '0')}`,
          );
          return `/${rest.join('')}`;
        });
        const results = written.map((target) => {
          try {
            return pathOf(target);
          } catch (error) {
            return (error as HttpError).code;
          }
        });
        expect(results[0]).toBe(results[1]);
        const [path] = results;
        if (path === 'TSS_PATH') return;
        expect(path.startsWith('/')).toBe(true);
        expect(path.split('/')).not.toContain('..');
        expect(path.split('/')).not.toContain('.');
        expect(path).not.toContain('//');
        expect(pathOf(encodeURI(path).replaceAll('?', '%3f').replaceAll('#', '%23'))).toBe(path);
      }),
      { numRuns: 2000 },
    );
  });

  it('V20: of any target is a path or an HttpError, in no time', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^\/[\x21-\x7e]{0,60}$/), (target) => {
        try {
          expect(pathOf(target).charCodeAt(0)).toBe(0x2f);
        } catch (error) {
          expect((error as HttpError).code).toBe('TSS_PATH');
        }
      }),
      { numRuns: 3000 },
    );
    const started = performance.now();
    for (const hostile of ['/../'.repeat(16_384), '/%e9'.repeat(8192), '/./a'.repeat(16_384)]) {
      try {
        pathOf(`/a${hostile}`);
      } catch {
        // Refused is as good as answered: the time is what counts.
      }
    }
    expect(performance.now() - started).toBeLessThan(500);
  });
});
