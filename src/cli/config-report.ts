// What is wrong with a config, on standard error: in colour for people at a terminal.

import type { ConfigError } from '../config/config-error.ts';
import { formatConfigError } from '../config/format-config-error.ts';

/** Writes the whole report. */
export function writeConfigReport(error: ConfigError): void {
  const color = process.stderr.isTTY === true && (process.env.NO_COLOR ?? '') === '';
  process.stderr.write(formatConfigError(error, { color }));
}
