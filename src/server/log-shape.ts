// The settings of the two logs.

import { z } from 'zod';
import { writtenFile } from '../config/shape/file-path.ts';
import { templateText } from '../config/shape/template-text.ts';

const formatShape = z
  .union([z.literal('combined'), templateText()])
  .prefault('combined')
  .describe('"combined", or a line with $variables. Default "combined".');

/** The access log: `null` for none. Writing it, and the meaning of "combined", is left to observe. */
export const accessLogShape = z
  .union([
    z.literal(false),
    writtenFile(),
    z.strictObject({
      path: writtenFile().describe('The file, relative to the config file.'),
      format: formatShape,
    }),
  ])
  .transform((log) => {
    if (log === false) return null;
    return typeof log === 'string' ? { path: log, format: 'combined' } : log;
  });

const levels = ['debug', 'info', 'notice', 'warn', 'error', 'crit'] as const;

/** The error log. A `path` of null means standard error. */
export const errorLogShape = z
  .union([
    writtenFile(),
    z.strictObject({
      path: writtenFile()
        .optional()
        .describe('The file, relative to the config file. Default: standard error.'),
      level: z.enum(levels).prefault('notice').describe('The least severe events to log. Default "notice".'),
    }),
  ])
  .transform((log) => {
    if (typeof log === 'string') return { path: log, level: 'notice' as const };
    return { path: log.path ?? null, level: log.level };
  });

/** A checked access log: absolute path and "combined" or a template; null for no log. */
export type AccessLogSettings = z.output<typeof accessLogShape>;
/** A checked error log: absolute path (null for standard error) and least level. */
export type ErrorLogSettings = z.output<typeof errorLogShape>;
