// A log that keeps its lines, for tests that look at them.

import type { Log } from '../../src/base/log.ts';

/** A Log, and what was written to it: "level message". */
export function collectLog(): { log: Log; lines: string[] } {
  const lines: string[] = [];
  const log: Log = (level, message) => {
    lines.push(`${level} ${typeof message === 'string' ? message : message()}`);
  };
  return { log, lines };
}
