// What an error of the file system means to the client.

import { HttpError } from '../../message/http-error.ts';

/**
 * A 404 that no cache keeps: a file that is missing in the middle of a deployment is there a second later. `shared`:
 * the same one is to be the answer to many requests.
 */
export function createNotFound(detail: string, shared = false): HttpError {
  return new HttpError('TSS_NOT_FOUND', detail, ['Cache-Control', 'no-store'], { shared });
}

// The path names nothing, or nothing that could be a file. ENXIO, ENODEV, EOPNOTSUPP: a socket or a device.
// EINVAL, EILSEQ: a name that this file system can't hold. EMLINK: ELOOP on FreeBSD.
const absentCodes: ReadonlySet<string> = new Set(
  'ENOENT ENOTDIR ELOOP EMLINK ENAMETOOLONG ENXIO ENODEV EOPNOTSUPP EINVAL EILSEQ'.split(' '),
);

// A descriptor is free again as soon as some connection ends.
const retrySoon = ['Retry-After', '1'];

/**
 * The HttpError for a failed system call: TSS_NOT_FOUND when the path names no file, TSS_FORBIDDEN when the server
 * may not read it, TSS_OVERLOADED when no file descriptor is left, else TSS_FILE_READ. The detail holds the error's
 * code. An HttpError stays what it is.
 */
export function toFileError(error: unknown, path: string): HttpError {
  if (error instanceof HttpError) return error;
  const code = getErrorCode(error);
  if (absentCodes.has(code)) return createNotFound(`${code}: ${path}`);
  if (code === 'EACCES' || code === 'EPERM') return new HttpError('TSS_FORBIDDEN', `${code}: ${path}`);
  if (isOutOfDescriptors(error)) return new HttpError('TSS_OVERLOADED', `${code}: ${path}`, retrySoon);
  return new HttpError('TSS_FILE_READ', `${code}: ${path}`, [], { cause: error });
}

/** Whether a system call failed because there is nothing under that name, as opposed to something unfit. */
export function isAbsent(error: unknown): boolean {
  const code = getErrorCode(error);
  return code === 'ENOENT' || code === 'ENOTDIR' || code === 'ENAMETOOLONG';
}

/** Whether the process or the system has no file descriptor left. */
export function isOutOfDescriptors(error: unknown): boolean {
  const code = getErrorCode(error);
  return code === 'EMFILE' || code === 'ENFILE';
}

function getErrorCode(error: unknown): string {
  return (error as NodeJS.ErrnoException | null)?.code ?? String(error);
}
