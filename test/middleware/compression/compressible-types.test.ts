import { describe, expect, it } from 'vitest';
import { compileTypes, defaultTypes } from '../../../src/middleware/compression/compressible-types.ts';

describe('media types', () => {
  it.each([
    'text/html',
    'text/html; charset=utf-8',
    'TEXT/CSS;charset=utf-8',
    'text/javascript',
    'application/javascript; charset=utf-8',
    'application/json',
    'application/problem+json',
    'application/ld+json; profile="a"',
    'image/svg+xml',
    'application/wasm',
    'font/ttf',
    ' text/plain ',
  ])('are compressed by default: %s', (type) => {
    expect(compileTypes(defaultTypes)(type)).toBe(true);
  });

  it.each([
    'image/png',
    'image/jpeg',
    'font/woff2',
    'video/mp4',
    'application/zip',
    'application/gzip',
    'application/octet-stream',
    'text/event-stream',
    'multipart/byteranges; boundary=text/html',
    'text/html, image/png',
    'x; text/html',
    '',
    'html',
  ])('are left alone by default: "%s"', (type) => {
    expect(compileTypes(defaultTypes)(type)).toBe(false);
  });

  it('are matched by a pattern', () => {
    const isListed = compileTypes(['text/*', '*+zip', 'application/x.y']);
    expect(['text/event-stream', 'application/epub+zip', 'application/x.y'].map(isListed)).toEqual([
      true,
      true,
      true,
    ]);
    expect(['application/text/', 'application/zip', 'application/xzy'].map(isListed)).toEqual([
      false,
      false,
      false,
    ]);
    expect(compileTypes(['*'])('a/b')).toBe(true);
    expect(compileTypes([])('text/html')).toBe(false);
  });
});
