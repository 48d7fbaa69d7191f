// The `compress` setting: true, false, or an object. What a level leaves out comes from the level around it, so
// nothing is filled in here.

import { z } from 'zod';
import { addProblem } from '../../config/shape/add-problem.ts';
import { size } from '../../config/shape/size.ts';

const encodingShape = z.enum(['br', 'zstd', 'gzip']);

const typeShape = z.string().transform((type, context) => {
  if (/^[\w.+$^*/-]+$/.test(type) && (type.includes('/') || type.includes('*')) && !/\*.*\*/.test(type)) {
    return type;
  }
  return addProblem(
    context,
    `${JSON.stringify(type)} is not a media type`,
    'such as "text/html", "text/*" or "*+json"',
  );
});

const describeLevels = (use: string, defaults: string) => ({
  gzip: z
    .int()
    .min(1)
    .max(9)
    .optional()
    .describe(`Level of gzip ${use}, 1 to 9. Default ${defaults.split(' ')[0]}.`),
  br: z
    .int()
    .min(0)
    .max(11)
    .optional()
    .describe(`Quality of Brotli ${use}, 0 to 11. Default ${defaults.split(' ')[1]}.`),
  zstd: z
    .int()
    .min(1)
    .max(19)
    .optional()
    .describe(`Level of Zstandard ${use}, 1 to 19. Default ${defaults.split(' ')[2]}.`),
});

const detailsShape = z.strictObject({
  encodings: z
    .array(encodingShape)
    .min(1)
    .optional()
    .describe(
      'Content codings, the most wanted first; the client has the first word. "zstd" is passed over where Node has ' +
        'none (before 22.15). Default ["br", "zstd", "gzip"].',
    ),
  types: z
    .array(typeShape)
    .optional()
    .describe(
      'Media types of responses that are compressed; "*" stands for any characters. Default: text, JSON, XML, SVG, ' +
        'WebAssembly and fonts that are not compressed.',
    ),
  minSize: size()
    .optional()
    .describe('Smallest body that is compressed, where its length is known. Default "1k".'),
  levels: z
    .strictObject(describeLevels('on the fly', '4 4 3'))
    .optional()
    .describe('How hard to compress what is sent meanwhile.'),
  keptLevels: z
    .strictObject(describeLevels('for what is kept', '9 11 19'))
    .optional()
    .describe('How hard to compress, once and in the background, what is kept in memory: files, above all.'),
  cacheSize: size()
    .optional()
    .describe('Most memory for compressed bodies, per front worker; 0 keeps none. Default "32m".'),
});

/** Whether and how responses are compressed. Levels of a config are merged by {@link mergeCompression}. */
export const compressionShape = z.union([z.boolean(), detailsShape]);

/** One level of the setting, as written. */
export type WrittenCompression = z.output<typeof compressionShape>;
