import { describe, expect, it } from 'vitest';
import { chooseMediaType } from '../../src/message/accept.ts';

describe('chooseMediaType', () => {
  it.each([
    ['text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', 'text/html'],
    ['application/json', 'application/json'],
    ['Application/JSON', 'application/json'],
    ['application/json, text/plain, */*', 'application/json'],
    ['application/json;q=0.5, text/html;q=0.4', 'application/json'],
    ['application/json, text/html', 'text/html'],
    ['application/*', 'application/json'],
    ['text/*;q=0.5, application/json;q=0.4', 'text/html'],
    ['text/html;level=1;q=0.1, application/json;charset=utf-8', 'application/json'],
    ['*/*', 'text/html'],
    ['image/png', 'text/html'],
    ['text/html;q=0, */*', 'application/json'],
    ['application/json;q=2', 'text/html'],
    ['json', 'text/html'],
    ['', 'text/html'],
    [undefined, 'text/html'],
  ])('%j gets %s', (accept, type) => {
    expect(chooseMediaType(accept, ['text/html', 'application/json'])).toBe(type);
  });

  it('V19: a long field costs little', () => {
    const startedAtMs = performance.now();
    for (const text of [',', ';', 'a/b;q=0.1,', 'a/b;', '* /'])
      chooseMediaType(text.repeat(13_000), ['text/html']);
    expect(performance.now() - startedAtMs).toBeLessThan(500);
  });
});
