// The bytes that every server of the bench must answer with.

import { createBlock, createJson } from './large-bodies.ts';

/** What an answer must be. */
export interface Answer {
  readonly status: number;
  /** The body to the byte; null where servers may differ. */
  readonly body: Buffer | null;
  /** The media type, where servers may not differ. */
  readonly type?: string;
  /** The server ends the connection after it. */
  readonly closes?: boolean;
}

/** Bodies by size. */
export const bodies = {
  none: Buffer.alloc(0),
  small: Buffer.from('hello world\n'),
  hello: Buffer.from('{"hello":"world"}'),
  oneKiB: Buffer.from('0123456789abcde\n'.repeat(64)),
  hundredKiB: createBlock(100 * 1024),
  tenMiB: createBlock(10 * 1024 * 1024),
  hundredKiBOfJson: createJson(100 * 1024),
} as const;

/** The files below the root that every server serves, by path. */
export const siteFiles: Readonly<Record<string, Buffer>> = {
  '1k.txt': bodies.oneKiB,
  '100k.bin': bodies.hundredKiB,
  '10m.bin': bodies.tenMiB,
};
