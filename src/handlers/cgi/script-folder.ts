// Whether a script exists: a peer that is told of one that does not may look for another in its place, and run what was
// uploaded as a picture. Calls are synchronous: on what the system has in memory they cost a few microseconds.

import { realpathSync, statSync } from 'node:fs';
import { sep } from 'node:path';
import { monotonicMs } from '../../base/clock.ts';
import { HttpError } from '../../message/http-error.ts';
import { toByteText } from './to-byte-text.ts';

const absentCodes: ReadonlySet<unknown> = new Set(['ENOENT', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG', 'EACCES']);

/** What some systems take for another name: separators and streams, dots and spaces at the end of a segment. */
const ambiguousName = /[\\:]|[. ](?:\/|$)/;

/** How long the root may be taken for what it was: it may be a link that is set to the next release. */
const rootTrustedMs = 1_000;

/** The folder of a site's scripts. */
export class ScriptFolder {
  readonly #root: string;
  #realRoot = '';
  #realRootReadAtMs = Number.NEGATIVE_INFINITY;

  /** @param root absolute path */
  constructor(root: string) {
    this.#root = toByteText(root.replace(/[/\\]+$/, ''));
  }

  /**
   * Whether a path, decoded and beginning with "/", names a regular file of the folder, symbolic links followed but not
   * out of it. Throws TSS_FILE_READ when the system cannot tell.
   */
  has(name: string): boolean {
    if (ambiguousName.test(name)) return false;
    try {
      const real = resolveLinks(this.#root + toByteText(name));
      return this.#isInside(real) && statSync(Buffer.from(real, 'latin1')).isFile();
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (absentCodes.has(code)) return false;
      throw new HttpError('TSS_FILE_READ', `cannot look at the script: ${message}`);
    }
  }

  #isInside(real: string): boolean {
    if (real.startsWith(this.#readRealRoot() + sep)) return true;
    this.#realRootReadAtMs = Number.NEGATIVE_INFINITY;
    return real.startsWith(this.#readRealRoot() + sep);
  }

  #readRealRoot(): string {
    const nowMs = monotonicMs();
    if (nowMs - this.#realRootReadAtMs < rootTrustedMs) return this.#realRoot;
    const real = resolveLinks(this.#root === '' ? '/' : this.#root);
    this.#realRoot = real === sep ? '' : real;
    this.#realRootReadAtMs = nowMs;
    return this.#realRoot;
  }
}

/** Takes and gives one character per byte. */
function resolveLinks(path: string): string {
  return realpathSync.native(Buffer.from(path, 'latin1'), 'latin1');
}
