// What tells one version of a file from another, and how sure that is.

import type { BigIntStats } from 'node:fs';

/** One state of a file, as fstat saw it. */
export interface FileVersion {
  readonly dev: bigint;
  readonly ino: bigint;
  readonly size: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
}

// Kernels stamp times with the tick of their clock, 10 ms at the coarsest. Some file systems keep whole seconds only,
// FAT every second one.
const tickMs = 50;
const wholeSecondTickMs = 2_000;
const restMs = 3_000;

/** Whether nothing happened to the file between two looks at it. */
export function isSameVersion(a: FileVersion, b: FileVersion): boolean {
  return (
    a.mtimeNs === b.mtimeNs &&
    a.ctimeNs === b.ctimeNs &&
    a.size === b.size &&
    a.ino === b.ino &&
    a.dev === b.dev
  );
}

/**
 * Whether the file was changed so shortly before `nowMs` (epoch) that another change could leave the same
 * modification time: its times then do not identify its bytes.
 */
export function isUnsettled(version: FileVersion, nowMs: number): boolean {
  const ageMs = nowMs - Number(version.mtimeNs / 1_000_000n);
  const windowMs = version.mtimeNs % 1_000_000_000n === 0n ? wholeSecondTickMs : tickMs;
  return ageMs < windowMs && ageMs > -windowMs;
}

/**
 * Whether nobody writes to the file, as far as its times can tell: one long call that overwrites a large file stamps
 * it only at its start. What is read of a file at rest may be kept.
 */
export function isAtRest(version: FileVersion, nowMs: number): boolean {
  return Math.abs(nowMs - Number(version.mtimeNs / 1_000_000n)) >= restMs;
}

/** A text that no other version of any file has, as long as none of the two is unsettled. */
export function toVersionKey(version: FileVersion): string {
  return `${version.dev.toString(36)}-${toEntityTag(version)}`;
}

/**
 * A strong entity tag (RFC 9110 8.8.3) from modification time in nanoseconds, size, inode and change time. The last
 * because builds that can be repeated give all their files one modification time, and file systems use inodes again.
 */
export function toEntityTag({ mtimeNs, size, ino, ctimeNs }: FileVersion): string {
  return `"${[mtimeNs, size, ino, ctimeNs].map((part) => part.toString(36)).join('-')}"`;
}

/** Seconds since the epoch, as Last-Modified counts them. */
export function toLastModified(version: BigIntStats | FileVersion): number {
  return Number(version.mtimeNs / 1_000_000_000n);
}
