// The settings of `static`.

import { z } from 'zod';
import { addProblem } from '../../config/shape/add-problem.ts';
import { existingDirectory } from '../../config/shape/file-path.ts';
import { size } from '../../config/shape/size.ts';
import { isServablePath } from './is-servable-path.ts';

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

const settingsShape = z.strictObject({
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

/** A checked `static` setting: paths absolute, sizes in bytes. */
export type StaticSettings = z.output<typeof settingsShape>;

const defaults = settingsShape.omit({ root: true }).parse({});

/** A folder to serve: its path alone, or an object. */
export const staticShape = z.union([
  existingDirectory().transform((root): StaticSettings => ({ ...defaults, root })),
  settingsShape,
]);
