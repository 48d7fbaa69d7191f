// The bytes that every server of the bench must answer with.

/** What an answer must be. */
export interface Answer {
  readonly status: number;
  /** The body to the byte; null where servers may differ. */
  readonly body: Buffer | null;
  /** The server ends the connection after it. */
  readonly closes?: boolean;
}

/** Bodies by size. The large ones are no text, and no two blocks of them are equal. */
export const bodies = {
  none: Buffer.alloc(0),
  small: Buffer.from('hello world\n'),
  hello: Buffer.from('{"hello":"world"}'),
  oneKiB: Buffer.from('0123456789abcde\n'.repeat(64)),
  hundredKiB: createBlock(100 * 1024),
  tenMiB: createBlock(10 * 1024 * 1024),
} as const;

function createBlock(bytes: number): Buffer {
  const block = Buffer.alloc(bytes);
  for (let at = 0; at < bytes; at += 4) block.writeInt32LE(Math.imul(at, 0x9e3779b1), at);
  return block;
}

/** The files below the root that every server serves, by path. */
export const siteFiles: Readonly<Record<string, Buffer>> = {
  '1k.txt': bodies.oneKiB,
  '100k.bin': bodies.hundredKiB,
  '10m.bin': bodies.tenMiB,
};
