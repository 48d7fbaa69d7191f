// The settings of the two logs.

import { z } from 'zod';
import { addProblem } from '../config/shape/add-problem.ts';
import { writtenFile } from '../config/shape/file-path.ts';
import { templateText } from '../config/shape/template-text.ts';

const formatShape = z
  .union([z.literal('combined'), templateText()])
  .prefault('combined')
  .describe('"combined", or a line with $variables. Default "combined".');

/** A file to write to, but none whose name is a word of nginx's: who writes that means the word. */
function logFile(word: string, meant: string) {
  return z
    .string()
    .transform((text, context) => {
      if (text !== word) return text;
      return addProblem(context, `"${word}" would be a file of that name`, meant);
    })
    .pipe(writtenFile());
}

const accessLogFile = logFile('off', 'for no access log write false; for the file "./off"');
const errorLogFile = logFile(
  'stderr',
  'standard error is the default: leave the key out; for the file "./stderr"',
);

/** The access log: `null` for none. Writing it, and the meaning of "combined", is left to observe. */
export const accessLogShape = z
  .union([
    z.literal(false),
    accessLogFile,
    z.strictObject({
      path: accessLogFile.describe('The file, relative to the config file.'),
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
    errorLogFile,
    z.strictObject({
      path: errorLogFile
        .optional()
        .describe('The file, relative to the config file. Default: standard error.'),
      level: z.enum(levels).prefault('notice').describe('The least severe events to log. Default "notice".'),
    }),
  ])
  .transform((log) => {
    const { path = null, level } = typeof log === 'string' ? { path: log, level: 'notice' as const } : log;
    // A worker's standard error leads to the master's.
    return { path: path === '/dev/stderr' ? null : path, level };
  });

/** A checked access log: absolute path and "combined" or a template; null for no log. */
export type AccessLogSettings = z.output<typeof accessLogShape>;
/** A checked error log: absolute path (null for standard error) and least level. */
export type ErrorLogSettings = z.output<typeof errorLogShape>;
