// Serving in the foreground: everything until the first reading of the settings, then the master takes over.

import { ConfigError } from '../config/config-error.ts';
import { ErrorLog } from '../observe/error-log.ts';
import { Master } from '../process/master.ts';
import type { SiteSettings } from '../server/site-settings.ts';
import { writeConfigReport } from './config-report.ts';
import type { EarlySignals } from './early-signals.ts';
import type { SiteSource } from './site-source.ts';

/** Serves until told to end. Resolves to the exit code. */
export async function serve(
  source: SiteSource,
  options: { quiet: boolean; watch: boolean; signals: EarlySignals },
): Promise<number> {
  const { quiet, signals } = options;
  // Nothing runs yet that would have to come to an end first.
  signals.onStop(() => process.exit(0));
  process.title = `tsserve: master ${source.name}`;
  let settings: SiteSettings;
  let errorLog: ErrorLog;
  try {
    settings = await source.read();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    writeConfigReport(error);
    return 2;
  }
  try {
    errorLog = new ErrorLog(settings.errorLog);
  } catch (error) {
    process.stderr.write(`tsserve: cannot open the error log: ${(error as Error).message}\n`);
    return 1;
  }
  const isTerminal = process.stdout.isTTY === true && !quiet;
  const master = await Master.create({
    settings,
    errorLog,
    readSettings: source.read,
    source: source.name,
    watch: options.watch ? { configFile: source.file } : null,
    announce: (line) => {
      if (isTerminal) process.stdout.write(`tsserve is ${line}\n`);
      else errorLog.log('notice', line);
    },
    reportStartFailure: (message) => {
      // Whoever started the server sees why it does not run, wherever its log is.
      if (settings.errorLog.path !== null) process.stderr.write(`tsserve: ${message}\n`);
      errorLog.log('crit', message);
    },
  });
  const finished = master.run(signals.reloadAsked);
  // The master obeys from its first moment.
  signals.close();
  const exitCode = await finished;
  // The logs had their time: a reader of standard output that has stopped must not keep a server that has ended.
  if (process.stdout.writableLength > 0) process.exit(exitCode);
  return exitCode;
}
