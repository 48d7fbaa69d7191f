// -t and -T: is the config good, and what does it amount to?

import { ConfigError } from '../config/config-error.ts';
import type { SiteSettings } from '../server/site-settings.ts';
import { writeConfigReport } from './config-report.ts';
import type { SiteSource } from './site-source.ts';

/** Tests a config, says so in nginx's words on standard error, and dumps it to standard output if asked to. */
export async function testConfig(
  source: SiteSource,
  options: { dump: boolean; quiet: boolean },
): Promise<number> {
  let settings: SiteSettings;
  try {
    settings = await source.read();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    writeConfigReport(error);
    process.stderr.write(`tsserve: configuration file ${source.name} test failed\n`);
    return 2;
  }
  if (!options.quiet) {
    process.stderr.write(`tsserve: the configuration file ${source.name} syntax is ok\n`);
    process.stderr.write(`tsserve: configuration file ${source.name} test is successful\n`);
  }
  if (options.dump) process.stdout.write(`${JSON.stringify(settings, null, 2)}\n`);
  return 0;
}
