import { PassThrough } from 'node:stream';
import { describe, expect, test } from 'vitest';
import type { CgiProtocol } from '../../src/cgi/cgi-codec.ts';
import { createCgiCodec } from '../../src/cgi/create-cgi-codec.ts';
import { HttpError } from '../../src/message/http-error.ts';
import { PieceSource } from '../http1/client-peer.ts';
import { createCgiRequest, readFastCgiRequests, renderList } from './cgi-peer.ts';

const variables = { REQUEST_METHOD: 'POST', EMPTY: '', LONG: 'v'.repeat(200), BYTES: '\xff\x80' };

function render(protocol: CgiProtocol, head: string, length: number | null = 0, keepsAlive = false): string {
  const body = length === 0 ? null : new PieceSource(length, []);
  return createCgiCodec(protocol, keepsAlive).renderHead(createCgiRequest({ head, body }));
}

describe('FastCGI', () => {
  test('has begin, variables and an ended body, if there is none', () => {
    const [request] = readFastCgiRequests(render('fastcgi', renderList(variables)));
    expect(request).toEqual({
      flags: 0,
      params: [['CONTENT_LENGTH', '0'], ...Object.entries(variables)],
      stdin: '',
      aborted: false,
      complete: true,
      longest: expect.any(Number),
    });
  });

  test('asks to keep the connection, if told to', () => {
    expect(readFastCgiRequests(render('fastcgi', '', 0, true))[0].flags).toBe(1);
  });

  test('leaves the body open when one follows', () => {
    const [request] = readFastCgiRequests(render('fastcgi', '', 7));
    expect([request.params, request.complete]).toEqual([[['CONTENT_LENGTH', '7']], false]);
  });

  test.each([127, 128, 65_527, 65_528, 65_535, 65_536, 200_000])('carries a variable of %i bytes', (size) => {
    const [request] = readFastCgiRequests(render('fastcgi', renderList({ A: 'x'.repeat(size), B: 'y' })));
    expect(request.params.slice(1)).toEqual([
      ['A', 'x'.repeat(size)],
      ['B', 'y'],
    ]);
    expect(request.longest).toBeLessThanOrEqual(65_535);
    expect(request.complete).toBe(true);
  });

  test('cuts a large piece of a body into records', () => {
    const codec = createCgiCodec('fastcgi', false);
    const stream = new PassThrough({ highWaterMark: 1 << 20 });
    const piece = Buffer.alloc(150_000, 'abc');
    expect(codec.writeChunk(stream, piece)).toBe(true);
    stream.end(codec.bodyEnd, 'latin1');
    const [request] = readFastCgiRequests(
      render('fastcgi', '', 150_000) + (stream.read() as Buffer).toString('latin1'),
    );
    expect(request.stdin).toBe(piece.toString('latin1'));
    expect([request.complete, request.longest]).toEqual([true, 65_528]);
  });
});

describe('uwsgi', () => {
  test('has one packet of pairs with little-endian sizes', () => {
    expect(render('uwsgi', renderList({ A: 'b', C: '' }))).toBe(
      '\x00\x1e\x00\x00\x0e\x00CONTENT_LENGTH\x01\x000\x01\x00A\x01\x00b\x01\x00C\x00\x00',
    );
  });

  test('carries as much as a packet does, and refuses the rest with 431', () => {
    const most = 65_535 - 19 - 5;
    expect(render('uwsgi', renderList({ A: 'x'.repeat(most) })).slice(0, 4)).toBe('\0\xff\xff\0');
    for (const size of [most + 1, 70_000, 200_000]) {
      const refused = () => render('uwsgi', renderList({ A: 'x'.repeat(size) }));
      expect(refused).toThrow(HttpError);
      expect(refused).toThrow(/TSS_HEAD_TOO_LARGE.*carries 65535/);
    }
  });
});

describe('SCGI', () => {
  test('has a netstring with the length first', () => {
    expect(render('scgi', renderList({ A: 'b' }), 27)).toBe('29:CONTENT_LENGTH\x0027\0SCGI\x001\0A\0b\0,');
  });
});

test.each(['fastcgi', 'uwsgi', 'scgi'] as const)('%s has no way for a body of unknown length', (protocol) => {
  expect(() => render(protocol, '', null)).toThrow('unknown length');
});
