import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FrameReader } from '../../src/mux/frame-reader.ts';
import { frameHeaderBytes, frameTypes, maxPayloadBytes } from '../../src/mux/frames.ts';

interface Frame {
  readonly type: number;
  readonly id: number;
  readonly payload: string;
}

function encode({ type, id, payload }: Frame): Buffer {
  const header = Buffer.alloc(frameHeaderBytes);
  header.writeUInt32BE(payload.length, 0);
  header[4] = type;
  header.writeUInt32BE(id, 5);
  return Buffer.concat([header, Buffer.from(payload, 'latin1')]);
}

/** What a reader gives for pieces; parts of one frame with data are joined. */
function read(pieces: readonly Buffer[]): Frame[] {
  const frames: Frame[] = [];
  const reader = new FrameReader((type, id, payload) => {
    const text = payload.toString('latin1');
    const last = frames.at(-1);
    if (type === frameTypes.data && last?.type === type && last.id === id) {
      frames[frames.length - 1] = { type, id, payload: last.payload + text };
    } else frames.push({ type, id, payload: text });
  });
  for (const piece of pieces) {
    // The memory is used again as soon as the reader has returned.
    const memory = Buffer.from(piece);
    reader.feed(memory);
    memory.fill(0xee);
  }
  return frames;
}

const examples: Frame[] = [
  { type: frameTypes.request, id: 1, payload: 'GET / HTTP/1.1\r\nHost: a\r\n' },
  { type: frameTypes.cancel, id: 1, payload: '' },
  { type: frameTypes.data, id: 0xffff_ffff, payload: 'x'.repeat(300) },
  { type: frameTypes.end, id: 0xffff_ffff, payload: '' },
  { type: frameTypes.credit, id: 3, payload: '\0\0\x01\xff' },
];

describe('frames', () => {
  it('are the same however they are split', () => {
    const bytes = Buffer.concat(examples.map(encode));
    for (let at = 0; at <= bytes.length; at++) {
      expect(read([bytes.subarray(0, at), bytes.subarray(at)])).toEqual(examples);
    }
    expect(read([...bytes].map((byte) => Buffer.from([byte])))).toEqual(examples);
  });

  it('are the same in pieces of any sizes', () => {
    const frame = fc.record({
      type: fc.constantFrom(...Object.values(frameTypes).filter((type) => type !== frameTypes.data)),
      id: fc.integer({ min: 0, max: 0xffff_ffff }),
      payload: fc.string({ unit: 'binary-ascii', maxLength: 200 }),
    });
    const plan = fc.tuple(fc.array(frame, { maxLength: 8 }), fc.array(fc.nat(60), { maxLength: 80 }));
    fc.assert(
      fc.property(plan, ([frames, sizes]) => {
        const bytes = Buffer.concat(frames.map(encode));
        const pieces: Buffer[] = [];
        let at = 0;
        for (const size of sizes) {
          pieces.push(bytes.subarray(at, at + size));
          at += size;
        }
        pieces.push(bytes.subarray(at));
        expect(read(pieces)).toEqual(frames);
      }),
    );
  });

  it('with data are passed on before they are complete', () => {
    const whole = encode({ type: frameTypes.data, id: 9, payload: 'abcdef' });
    expect(read([whole.subarray(0, frameHeaderBytes + 2)])).toEqual([
      { type: frameTypes.data, id: 9, payload: 'ab' },
    ]);
  });

  it('longer than any are refused at their header', () => {
    const header = Buffer.alloc(frameHeaderBytes);
    header.writeUInt32BE(maxPayloadBytes + 1, 0);
    expect(() => read([header])).toThrow('a frame of');
  });
});
