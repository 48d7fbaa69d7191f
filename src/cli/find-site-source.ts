// Finds the settings that the command line means: a config, named or in one of its usual places, or a folder. What -g
// and -e replace is replaced here.

import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { createDocument, parseDocument } from '../config/config-document.ts';
import { ConfigError } from '../config/config-error.ts';
import { formatFileName, readDocument } from '../config/read-document.ts';
import { parseInDirectory } from '../config/shape/base-directory.ts';
import { createFolderSource } from './folder-source.ts';
import { ArgumentError, type Arguments } from './parse-arguments.ts';
import type { SiteSource } from './site-source.ts';

/** Where a config is looked for when none is named. */
const standardFiles = ['config/site.json', 'site.json', 'tsserve.json'];

/** The source that the arguments name. Throws an {@link ArgumentError} when there is none. */
export function findSiteSource(args: Arguments): SiteSource {
  const prefix = resolve(args.prefix ?? '.');
  const overrides = parseDirectives(args.directives, prefix);
  const source =
    args.folder === undefined
      ? createFileSource(args, prefix, overrides)
      : createFolderSource({ ...args, folder: args.folder }, prefix, overrides);
  if (args.errorLog === undefined) return source;
  const written = args.errorLog;
  return {
    ...source,
    read: async () => {
      const settings = await source.read();
      const path = written === 'stderr' ? null : await checkErrorLog(written, prefix);
      return { ...settings, errorLog: { ...settings.errorLog, path } };
    },
  };
}

/** The absolute path of -e. Rejects with an ArgumentError for one that cannot be written. */
async function checkErrorLog(written: string, prefix: string): Promise<string> {
  const { writtenFile } = await import('../config/shape/file-path.ts');
  const result = parseInDirectory(prefix, () => writtenFile().safeParse(written));
  if (result.success) return result.data;
  throw new ArgumentError(`error: -e: ${result.error.issues[0].message}`);
}

type Overrides = Readonly<Record<string, unknown>>;

/** An object in JSON with comments; its braces may be left out. */
function parseDirectives(text: string | undefined, directory: string): Overrides {
  if (text === undefined) return {};
  const whole = text.trimStart().startsWith('{') ? text : `{${text}\n}`;
  try {
    const { value, problems } = parseDocument(whole, '-g', directory);
    if (problems.length > 0) throw new ConfigError(problems);
    return value as Overrides;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new ArgumentError(
      `error: -g takes keys and values as in the config, such as '"workers": 2'\n${error.message}`,
    );
  }
}

function createFileSource(args: Arguments, prefix: string, overrides: Overrides): SiteSource {
  const file = args.config === undefined ? findStandardFile(prefix) : resolve(prefix, args.config);
  return {
    name: formatFileName(file),
    file,
    findPidFile: () => {
      const document = readDocument(file);
      const pid = { ...(document.value as { pid?: unknown }), ...overrides }.pid;
      return typeof pid === 'string' ? resolve(document.directory, pid) : null;
    },
    read: async () => {
      const { checkDocument } = await import('../server/check-site.ts');
      const document = readDocument(file);
      // By itself first: only then does a problem have its line.
      const settings = checkDocument(document);
      if (Object.keys(overrides).length === 0) return settings;
      const value = { ...(document.value as object), ...overrides };
      return checkDocument(createDocument(value, `${document.name} with -g`, document.directory));
    },
  };
}

function findStandardFile(prefix: string): string {
  const found = standardFiles.map((name) => resolve(prefix, name)).find((file) => existsSync(file));
  if (found !== undefined) return found;
  throw new ArgumentError(
    `error: nothing to serve: there is no ${standardFiles.join(', ')} in ${prefix}\n\n` +
      'Name a config:    tsserve -c FILE\n' +
      'Serve a folder:   tsserve FOLDER\n' +
      'All options:      tsserve --help',
  );
}
