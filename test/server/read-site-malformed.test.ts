// Each malformed config of malformed-sites.txt with its report, to the letter.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ConfigError } from '../../src/config/config-error.ts';
import { formatConfigError } from '../../src/config/format-config-error.ts';
import { parseSite } from '../../src/server/read-site.ts';
import { createTempFolder } from '../support/temp-folder.ts';

interface MalformedSite {
  readonly what: string;
  readonly config: string;
  readonly report: string;
}

/** Cases as "=== what it is", the config, "---", the report. The folder of the config is written /site. */
function readCases(): MalformedSite[] {
  const text = readFileSync(join(import.meta.dirname, 'malformed-sites.txt'), 'utf8');
  return text
    .split(/^=== /m)
    .slice(1)
    .map((part) => {
      const [, what, config, report] = /^(.*)\n([\s\S]*?)^---\n([\s\S]*)$/m.exec(part) ?? [];
      return { what, config, report };
    });
}

const cases = readCases();
const folder = createTempFolder({ 'public/index.html': '', 'apps/app.ts': '' });

function report(config: string): string {
  try {
    parseSite(config, `${folder}/site.json`);
  } catch (error) {
    if (error instanceof ConfigError)
      return formatConfigError(error, { color: false }).replaceAll(folder, '/site');
    throw error;
  }
  return 'no problem\n';
}

describe('T29: a malformed config is reported with place, words and hint', () => {
  test.each(cases.map(({ what, config, report }) => [what, config, report]))(
    '%s',
    (_what, config, expected) => {
      expect(report(config)).toBe(expected);
    },
  );

  test('no case is given twice', () => {
    expect(new Set(cases.map(({ what }) => what)).size).toBe(cases.length);
    expect(cases.length).toBeGreaterThan(45);
  });
});
