// A site from its config file, or from the text of one.

import { dirname, resolve } from 'node:path';
import { parseDocument } from '../config/config-document.ts';
import { formatFileName, readDocument } from '../config/read-document.ts';
import { checkDocument } from './check-site.ts';
import type { SiteSettings } from './site-settings.ts';

/** Reads and checks a config file. Throws a ConfigError with every problem, also when the file cannot be read. */
export function readSite(file: string): SiteSettings {
  return checkDocument(readDocument(file));
}

/** Checks the text of a config as if it stood in `file`, which need not exist. Throws a ConfigError. */
export function parseSite(text: string, file: string): SiteSettings {
  return checkDocument(parseDocument(text, formatFileName(file), dirname(resolve(file))));
}
