// What the header of a reply says about a file, whatever part of it is sent. How files are described is compiled from
// the settings; what is said of all replies alike is left to middleware.

import { basename, extname } from 'node:path/posix';
import mime from 'mime-types';
import type { ContentCoding } from '../../message/accept-encoding.ts';
import type { Validators } from '../../message/conditional.ts';
import { toAttachment } from '../../message/content-disposition.ts';
import type { Fields } from '../../message/fields.ts';
import { toHttpDate } from '../../message/http-date.ts';
import { type FileVersion, toEntityTag, toLastModified } from './file-version.ts';
import { isFingerprinted } from './is-fingerprinted.ts';
import type { StaticSettings } from './static-shape.ts';

/** A file as HTTP sees it. */
export interface Representation extends Validators {
  readonly mediaType: string;
  /** Bytes. */
  readonly size: number;
  /** How the bytes are encoded, or null for not at all. */
  readonly encoding: ContentCoding | null;
  /** Whether there are other encodings of the same. */
  readonly varies: boolean;
  /** The value of Cache-Control, or null for none. */
  readonly cacheControl: string | null;
  /** The value of Content-Disposition, or null for none. */
  readonly disposition: string | null;
}

/** What is described: a file under the name that decides its type, and how it is encoded. */
export interface DescribedFile {
  /** Path below the root of the file as it is without encoding. */
  readonly path: string;
  readonly encoding: ContentCoding | null;
  readonly varies: boolean;
}

/**
 * Describes one version of a file. `entityTag` replaces the one made of the version; null when the bytes can't be
 * identified at all.
 */
export type DescribeFile = (
  file: DescribedFile,
  version: FileVersion,
  entityTag?: string | null,
) => Representation;

/** What of the settings says how files are described. */
export type DescriptionSettings = Pick<
  StaticSettings,
  'types' | 'defaultType' | 'charset' | 'download' | 'cacheControl' | 'immutable'
>;

const revalidated = 'no-cache';
const immutable = 'public, max-age=31536000, immutable';

/** Compiles how files are described. */
export function compileDescription(settings: DescriptionSettings): DescribeFile {
  const toMediaType = compileMediaType(settings);
  const isDownload = compileDownload(settings.download);
  const toCacheControl = compileCacheControl(settings);
  return ({ path, encoding, varies }, version, entityTag = toEntityTag(version)) => {
    const lastModified = toLastModified(version);
    const mediaType = toMediaType(path);
    return {
      mediaType,
      size: Number(version.size),
      entityTag:
        entityTag === null || encoding === null ? entityTag : `${entityTag.slice(0, -1)}-${encoding}"`,
      // RFC 9110 8.8.2.1: never later than the Date of the reply.
      lastModified: lastModified * 1000 > Date.now() ? null : lastModified,
      encoding,
      varies,
      cacheControl: toCacheControl(path, mediaType),
      disposition: isDownload(path) ? toAttachment(basename(path)) : null,
    };
  };
}

/** The media type of a file name by its extension, which is compared without regard to case. */
function compileMediaType({ types, defaultType, charset }: DescriptionSettings): (path: string) => string {
  const own = new Map(Object.entries(types));
  const addCharset = (type: string): string => {
    if (charset === 'off' || type.includes(';') || !mime.charset(type)) return type;
    return `${type}; charset=${charset}`;
  };
  return (path) => {
    const extension = extname(path).slice(1).toLowerCase();
    const type = own.get(extension) ?? (extension === '' ? false : mime.lookup(extension));
    return addCharset(type === false ? defaultType : type);
  };
}

function compileDownload(download: StaticSettings['download']): (path: string) => boolean {
  if (typeof download === 'boolean') return () => download;
  const extensions = new Set(download);
  return (path) => extensions.has(extname(path).slice(1).toLowerCase());
}

function compileCacheControl(
  settings: DescriptionSettings,
): (path: string, mediaType: string) => string | null {
  if (!settings.cacheControl) return () => null;
  const own = settings.immutable === null ? null : new RegExp(settings.immutable);
  return (path, mediaType) => {
    if (mediaType.startsWith('text/html')) return revalidated;
    return isFingerprinted(path) || own?.test(path) ? immutable : revalidated;
  };
}

/** The fields that a 304 repeats: those that caches update their entry by (RFC 9110 15.4.5). */
export function createValidatorFields(representation: Representation): Fields {
  const { entityTag, lastModified, cacheControl, varies } = representation;
  const fields: Fields = [];
  if (entityTag !== null) fields.push('ETag', entityTag);
  if (lastModified !== null) fields.push('Last-Modified', toHttpDate(lastModified));
  if (cacheControl !== null) fields.push('Cache-Control', cacheControl);
  if (varies) fields.push('Vary', 'Accept-Encoding');
  return fields;
}

/** The fields of a 200, and of a 206 but for Content-Range. */
export function createFileFields(representation: Representation): Fields {
  const { mediaType, encoding, disposition } = representation;
  const fields: Fields = ['Content-Type', mediaType];
  if (encoding !== null) fields.push('Content-Encoding', encoding);
  fields.push(...createValidatorFields(representation), 'Accept-Ranges', 'bytes');
  if (disposition !== null) fields.push('Content-Disposition', disposition);
  return fields;
}
