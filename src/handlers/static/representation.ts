// What the header of a reply says about a file, whatever part of it is sent.

import { extname } from 'node:path/posix';
import mime from 'mime-types';
import type { Validators } from '../../message/conditional.ts';
import type { Fields } from '../../message/fields.ts';
import { toHttpDate } from '../../message/http-date.ts';
import { type FileVersion, toEntityTag, toLastModified } from './file-version.ts';

/** A file as HTTP sees it. */
export interface Representation extends Validators {
  readonly mediaType: string;
  /** Bytes. */
  readonly size: number;
}

/** The media type of a file name by its extension, text types with charset=utf-8. */
export function toMediaType(name: string): string {
  return mime.contentType(extname(name)) || 'application/octet-stream';
}

/**
 * Describes one version of a file. `entityTag` replaces the one made of the version; null when the bytes can't be
 * identified at all.
 */
export function describeFile(
  name: string,
  version: FileVersion,
  entityTag: string | null = toEntityTag(version),
): Representation {
  const lastModified = toLastModified(version);
  return {
    mediaType: toMediaType(name),
    size: Number(version.size),
    entityTag,
    // RFC 9110 8.8.2.1: never later than the Date of the reply.
    lastModified: lastModified * 1000 > Date.now() ? null : lastModified,
  };
}

/** The fields that a 304 repeats: those that caches update their entry by (RFC 9110 15.4.5). */
export function createValidatorFields(representation: Representation): Fields {
  const fields: Fields = [];
  if (representation.entityTag !== null) fields.push('ETag', representation.entityTag);
  if (representation.lastModified !== null)
    fields.push('Last-Modified', toHttpDate(representation.lastModified));
  return fields;
}

/** The fields of a 200, and of a 206 but for Content-Range. */
export function createFileFields(representation: Representation): Fields {
  const validators = createValidatorFields(representation);
  return ['Content-Type', representation.mediaType, ...validators, 'Accept-Ranges', 'bytes'];
}
