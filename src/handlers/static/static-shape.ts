// The settings of `static`.

import { z } from 'zod';
import { addProblem } from '../../config/shape/add-problem.ts';
import { existingDirectory } from '../../config/shape/file-path.ts';
import { mediaType } from '../../config/shape/media-type.ts';
import { regexText } from '../../config/shape/regex-text.ts';
import { size } from '../../config/shape/size.ts';
import { isServablePath } from './is-servable-path.ts';
import { tryFilesShape } from './try-files-shape.ts';

const indexName = z.string().transform((name, context) => {
  if (name !== '' && !name.includes('/') && isServablePath(`/${name}`, true)) return name;
  return addProblem(context, `${JSON.stringify(name)} is not a file name`, 'such as "index.html"');
});

const fallbackUri = z.string().transform((uri, context) => {
  if (isServablePath(uri, true) && !uri.endsWith('/')) return uri;
  return addProblem(
    context,
    `${JSON.stringify(uri)} is not the URI of a file`,
    'begin with "/", as in "/index.html"',
  );
});

const prefix = z.string().transform((text, context) => {
  if (text === '' || text === '/') return '';
  const path = text.endsWith('/') ? text.slice(0, -1) : text;
  if (isServablePath(path, true)) return path;
  return addProblem(context, `${JSON.stringify(text)} is not a path`, 'begin with "/", as in "/files"');
});

const encodings = ['br', 'zstd', 'gzip'] as const;

const precompressed = z
  .union([z.boolean(), z.array(z.enum(encodings))])
  .transform((value) => (value === true ? [...encodings] : value === false ? [] : [...new Set(value)]));

const extension = z.string().transform((text, context) => {
  const name = text.toLowerCase();
  if (/^[a-z0-9_+-]{1,32}$/.test(name)) return name;
  const hint = /^\.[^.]+$/.test(text)
    ? `write ${JSON.stringify(text.slice(1))}`
    : 'without its dot, as in "md"';
  return addProblem(context, `${JSON.stringify(text)} is not the extension of a file name`, hint);
});

const charset = z.string().transform((text, context) => {
  if (/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(text)) return text;
  return addProblem(context, `${JSON.stringify(text)} is not a charset`, 'such as "utf-8", or "off"');
});

const fieldsShape = z.strictObject({
  root: existingDirectory().describe('Folder whose files are served, relative to the config file.'),
  index: z
    .array(indexName)
    .prefault(['index.html'])
    .describe('Files that stand for their folder; the first that exists is served. Default ["index.html"].'),
  fallback: fallbackUri
    .nullable()
    .prefault(null)
    .describe(
      'For single-page apps: URI of the file below root that answers navigations to pages that are no files. ' +
        'Missing scripts, images and the like stay 404. Default: none.',
    ),
  dotfiles: z
    .boolean()
    .prefault(false)
    .describe('Whether names that begin with a dot are served. ".well-known" always is. Default false.'),
  symlinks: z
    .enum(['inside', 'follow', 'deny'])
    .prefault('inside')
    .describe(
      'Symbolic links below root: "inside" obeys those that stay inside root, "follow" all, "deny" none. ' +
        'Default "inside".',
    ),
  tryFiles: tryFilesShape
    .nullable()
    .prefault(null)
    .describe(
      'What answers a path: the first of these files (or folders, with "/" at the end) that is there. "$uri" stands ' +
        'for the path. The last item answers when none is: the URI of a route, "@name" for a named route, or a status ' +
        'as "=404". Default: the file, else the folder.',
    ),
  cleanUrls: z
    .boolean()
    .prefault(false)
    .describe(
      'Whether "/about" is answered from about.html, and "/about.html" redirected to "/about". Default false.',
    ),
  precompressed: precompressed
    .prefault(false)
    .describe(
      'Encodings whose files lie beside the originals (app.js.br, .zst, .gz), in order of preference; true for ' +
        '["br", "zstd", "gzip"]. One that is older than its original is not served. Default false.',
    ),
  autoindex: z
    .union([z.boolean(), z.enum(['html', 'json'])])
    .prefault(false)
    .transform((value) => (value === true ? 'auto' : value === false ? 'off' : value))
    .describe(
      'Whether a folder without index is listed: true as a page, or as JSON for those who prefer that; "html" and ' +
        '"json" always so. Default false.',
    ),
  cacheControl: z
    .boolean()
    .prefault(true)
    .describe(
      'Whether Cache-Control is set: for a year where a name holds a fingerprint ("app-BkH3x9aQ.js"), else "no-cache": ' +
        'kept, and asked about before each use. Default true.',
    ),
  immutable: regexText()
    .nullable()
    .prefault(null)
    .describe('Regular expression for paths below root that never change, beside those told by their names.'),
  types: z
    .record(extension, mediaType())
    .prefault({})
    .describe('Media types by extension, beside and before those that are known. Default: none.'),
  defaultType: mediaType()
    .prefault('application/octet-stream')
    .describe('Media type of files whose extension is not known. Default "application/octet-stream".'),
  charset: charset
    .prefault('utf-8')
    .describe('Charset of text files, named in their media type; "off" names none. Default "utf-8".'),
  download: z
    .union([z.boolean(), z.array(extension)])
    .prefault(false)
    .describe(
      'Whether browsers are to save files rather than show them: true for all, or extensions. Default false.',
    ),
  stripPrefix: prefix
    .prefault('')
    .describe('Start of the path that is taken off before root is put in front. Default: none.'),
  cacheFileSize: size()
    .prefault('256k')
    .describe(
      'Largest file that is kept in memory as a whole; larger ones are sent piece by piece. Default "256k".',
    ),
  cacheSize: size()
    .prefault('32m')
    .describe('Most memory for whole files of this root, per front worker; 0 keeps none. Default "32m".'),
  largeCacheSize: size()
    .prefault('32m')
    .describe(
      'Most memory for pieces of larger files of this root, per front worker; 0 keeps none. A piece of 512 KiB is ' +
        'kept when it is asked for twice within ten seconds. Default "32m".',
    ),
});

const settingsShape = fieldsShape.superRefine(({ tryFiles, fallback, cleanUrls }, context) => {
  if (tryFiles === null) return;
  if (fallback !== null)
    addProblem(context, '"tryFiles" and "fallback" exclude each other', 'remove one', ['fallback']);
  if (cleanUrls)
    addProblem(context, '"tryFiles" and "cleanUrls" exclude each other', 'add "$uri.html" to tryFiles', [
      'cleanUrls',
    ]);
});

/** A checked `static` setting: paths absolute, sizes in bytes. */
export type StaticSettings = z.output<typeof fieldsShape>;

const defaults = fieldsShape.omit({ root: true }).parse({});

/** A folder to serve: its path alone, or an object. */
export const staticShape = z.union([
  existingDirectory().transform((root): StaticSettings => ({ ...defaults, root })),
  settingsShape,
]);
