// A WebM video of single pictures, each with a cluster and an entry in the index: enough for a browser to seek in.

/** One picture, which stands until the next. */
export interface VideoFrame {
  /** A key frame of VP8. */
  readonly data: Uint8Array;
  readonly timeMs: number;
}

/** What the pictures become. */
export interface VideoOptions {
  readonly width: number;
  readonly height: number;
  readonly durationMs: number;
  /** Bytes that mean nothing, behind each picture: so that a browser does not hold all of the file at once. */
  readonly paddingSize: number;
}

/** The VP8 frame in a WebP image without transparency. Throws when there is none. */
export function readWebpFrame(webp: Buffer): Buffer {
  for (let at = 12; at + 8 <= webp.length; ) {
    const size = webp.readUInt32LE(at + 4);
    if (webp.toString('latin1', at, at + 4) === 'VP8 ') return webp.subarray(at + 8, at + 8 + size);
    at += 8 + size + (size % 2);
  }
  throw new Error('no VP8 frame in the image');
}

/** The file. */
export function makeWebm(frames: readonly VideoFrame[], options: VideoOptions): Buffer {
  const { width, height, durationMs, paddingSize } = options;
  const duration = Buffer.alloc(8);
  duration.writeDoubleBE(durationMs);
  const header = Buffer.concat([
    element('1549a966', number('2ad7b1', 1_000_000), element('4489', duration), text('4d80'), text('5741')),
    element(
      '1654ae6b',
      element(
        'ae',
        number('d7', 1),
        number('73c5', 1),
        number('83', 1),
        element('86', Buffer.from('V_VP8')),
        element('e0', number('b0', width), number('ba', height)),
      ),
    ),
  ]);
  const clusters = frames.map(({ data, timeMs }) =>
    element(
      '1f43b675',
      number('e7', timeMs),
      // Track 1, no time of its own, a key frame.
      element('a3', Buffer.from([0x81, 0, 0, 0x80]), data),
      element('ec', Buffer.alloc(paddingSize)),
    ),
  );
  // Sizes and numbers have eight bytes each, whatever their value: the index is as long without its positions.
  const firstPosition = header.length + makeIndex(frames, clusters, 0).length;
  const index = makeIndex(frames, clusters, firstPosition);
  const ebml = element(
    '1a45dfa3',
    ...['4286', '42f7'].map((id) => number(id, 1)),
    number('42f2', 4),
    number('42f3', 8),
    element('4282', Buffer.from('webm')),
    ...['4287', '4285'].map((id) => number(id, 2)),
  );
  return Buffer.concat([ebml, element('18538067', header, index, ...clusters)]);
}

function makeIndex(
  frames: readonly VideoFrame[],
  clusters: readonly Buffer[],
  firstPosition: number,
): Buffer {
  let position = firstPosition;
  const points = frames.map(({ timeMs }, i) => {
    const track = element('b7', number('f7', 1), number('f1', position));
    position += clusters[i].length;
    return element('bb', number('b3', timeMs), track);
  });
  return element('1c53bb6b', ...points);
}

function element(id: string, ...content: readonly Uint8Array[]): Buffer {
  const size = content.reduce((sum, part) => sum + part.length, 0);
  const length = Buffer.alloc(8);
  length.writeBigUInt64BE(BigInt(size));
  // How many bytes a size has is told by its first bit that is set.
  length[0] = 1;
  return Buffer.concat([Buffer.from(id, 'hex'), length, ...content]);
}

function number(id: string, value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return element(id, bytes);
}

function text(id: string): Buffer {
  return element(id, Buffer.from('test'));
}
