// A file that was found and may be sent: wholly from memory, or by means of an open descriptor.

import { closeSync } from 'node:fs';
import type { BodySource, OnChunk } from '../../message/body.ts';
import type { ByteRange } from '../../message/range.ts';
import { Reply, type ReplyBody } from '../../message/reply.ts';
import { type ByteRangesFrame, ByteRangesSource, joinByteRanges } from './byte-ranges.ts';
import { FileSource, type LargeFile } from './file-source.ts';
import type { FileVersion } from './file-version.ts';
import { createFileFields, createValidatorFields, type Representation } from './representation.ts';

/** Something to answer from. Exactly one of its methods is called per request. */
export interface ServedFile {
  readonly representation: Representation;
  /** The 200. */
  createWhole(): Reply;
  /** The 200 for a HEAD. */
  createHead(): Reply;
  /** The body of a 206. */
  createPart(first: number, length: number): ReplyBody;
  /** The body of a 206 with several ranges. */
  createParts(frame: ByteRangesFrame, ranges: readonly ByteRange[]): ReplyBody;
  createNotModified(): Reply;
  /** Nothing of the file is needed. */
  discard(): void;
}

/** The replies of a file that is kept in memory: made once, shared by all requests. */
export class CachedFile implements ServedFile {
  readonly representation: Representation;
  readonly version: FileVersion;
  /** The file's path below the root, which decided its media type. */
  readonly path: string;
  readonly reply: Reply;
  /** Monotonic ms of the last proof that the file on disk is still this one. */
  checkedAtMs: number;
  readonly #notModified: Reply;
  readonly #bytes: Uint8Array;

  constructor(
    path: string,
    representation: Representation,
    version: FileVersion,
    bytes: Uint8Array,
    checkedAtMs: number,
  ) {
    this.path = path;
    this.representation = representation;
    this.version = version;
    this.checkedAtMs = checkedAtMs;
    this.reply = new Reply(200, createFileFields(representation), { kind: 'bytes', bytes }, true);
    this.#notModified = new Reply(304, createValidatorFields(representation), null, true);
    this.#bytes = bytes;
  }

  createWhole(): Reply {
    return this.reply;
  }

  createHead(): Reply {
    return this.reply;
  }

  createPart(first: number, length: number): ReplyBody {
    return { kind: 'bytes', bytes: this.#bytes.subarray(first, first + length) };
  }

  createParts(frame: ByteRangesFrame, ranges: readonly ByteRange[]): ReplyBody {
    return { kind: 'bytes', bytes: joinByteRanges(frame, ranges, this.#bytes) };
  }

  createNotModified(): Reply {
    return this.#notModified;
  }

  discard(): void {}
}

/** A file answered from its descriptor, which belongs to this object and then to the body it makes. */
export class StreamedFile implements ServedFile {
  readonly representation: Representation;
  readonly #file: LargeFile;

  constructor(representation: Representation, file: LargeFile) {
    this.representation = representation;
    this.#file = file;
  }

  createWhole(): Reply {
    const body = this.createPart(0, this.representation.size);
    return new Reply(200, createFileFields(this.representation), body);
  }

  createHead(): Reply {
    this.discard();
    const source = createLengthOnly(this.representation.size);
    return new Reply(200, createFileFields(this.representation), { kind: 'stream', source });
  }

  createPart(first: number, length: number): ReplyBody {
    if (length === 0) {
      this.discard();
      return { kind: 'bytes', bytes: Buffer.alloc(0) };
    }
    const source = new FileSource(this.#file, first, length);
    return { kind: 'stream', source };
  }

  createParts(frame: ByteRangesFrame, ranges: readonly ByteRange[]): ReplyBody {
    const openPart = (first: number, length: number, isLast: boolean) =>
      new FileSource(this.#file, first, length, !isLast);
    const source = new ByteRangesSource(frame, ranges, openPart, () => this.discard());
    return { kind: 'stream', source };
  }

  createNotModified(): Reply {
    this.discard();
    return new Reply(304, createValidatorFields(this.representation), null);
  }

  discard(): void {
    closeSync(this.#file.opened.fd);
  }
}

/** The body of a HEAD reply: a length, and no bytes that anybody could ask for. */
function createLengthOnly(length: number): BodySource {
  return {
    length,
    read: (onChunk: OnChunk) => onChunk(new Error('the body of a reply to HEAD was read'), null),
    cancel: () => {},
  };
}
