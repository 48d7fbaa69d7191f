// Turns an open file into something to answer from: in memory when it is small, else a stream.

import { createHash } from 'node:crypto';
import { fstatSync } from 'node:fs';
import { monotonicMs } from '../../base/clock.ts';
import { isAtRest, isUnsettled, toEntityTag, toVersionKey } from './file-version.ts';
import type { FoundFile } from './find-file.ts';
import type { PieceCache } from './piece-cache.ts';
import { readWholeFile } from './read-whole-file.ts';
import type { DescribeFile } from './representation.ts';
import { CachedFile, StreamedFile } from './served-file.ts';

/** A file in memory, and whether it may answer later requests too. */
export interface LoadedFile {
  readonly file: CachedFile;
  readonly bytes: number;
  readonly mayBeKept: boolean;
}

/** Reads a file of at most `maxBytes`. Null when it is larger or keeps changing. Throws the system's error. */
export function loadFile(found: FoundFile, maxBytes: number, describe: DescribeFile): LoadedFile | null {
  const checkedAtMs = monotonicMs();
  const whole = readWholeFile(found.file, maxBytes);
  if (whole === null) return null;
  const { version, bytes } = whole;
  const unsettled = isUnsettled(version, Date.now());
  const entityTag = unsettled ? toHashedTag(toEntityTag(version), bytes) : toEntityTag(version);
  const representation = describe(found, version, entityTag);
  const file = new CachedFile(found.path, representation, version, bytes, checkedAtMs);
  return { file, bytes: bytes.length, mayBeKept: !unsettled };
}

/** Answers from the open file, as it is now, and from those of its pieces that are in memory. */
export function streamFile(found: FoundFile, pieces: PieceCache, describe: DescribeFile): StreamedFile {
  const { fd } = found.file;
  const stats = fstatSync(fd, { bigint: true });
  const nowMs = Date.now();
  // No hash without reading it all: rather no tag than one that two versions share.
  const entityTag = isUnsettled(stats, nowMs) ? null : toEntityTag(stats);
  const representation = describe(found, stats, entityTag);
  const versionKey = pieces.hasRoom && isAtRest(stats, nowMs) ? toVersionKey(stats) : null;
  return new StreamedFile(representation, {
    opened: { fd, stats },
    path: found.path,
    versionKey,
    pieces,
  });
}

function toHashedTag(entityTag: string, bytes: Uint8Array): string {
  const hash = createHash('sha256').update(bytes).digest('base64url').slice(0, 22);
  return `${entityTag.slice(0, -1)}-${hash}"`;
}
