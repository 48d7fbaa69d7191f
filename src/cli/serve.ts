// Serving in the foreground: everything until the first reading of the settings, then the master takes over.

import { networkInterfaces } from 'node:os';
import { ConfigError } from '../config/config-error.ts';
import { ErrorLog } from '../observe/error-log.ts';
import { Master, type MasterOptions } from '../process/master.ts';
import { openBrowser } from '../process/open-browser.ts';
import type { SiteSettings } from '../server/site-settings.ts';
import { writeConfigReport } from './config-report.ts';
import type { EarlySignals } from './early-signals.ts';
import { formatGreeting, listAddresses } from './greeting.ts';
import type { SiteSource } from './site-source.ts';
import { formatVersion } from './version.ts';

/** Serves until told to end. Resolves to the exit code. */
export async function serve(
  source: SiteSource,
  options: { quiet: boolean; watch: boolean; open: boolean; signals: EarlySignals },
): Promise<number> {
  const { signals } = options;
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
  const master = await Master.create({
    settings,
    errorLog,
    readSettings: source.read,
    source: source.name,
    watch: options.watch ? { configFile: source.file } : null,
    announce: createGreeting(source, errorLog, options),
    reportStartFailure: (message, code) => {
      const isBusy = code === 'EADDRINUSE' && source.file === null;
      const advice = isBusy ? '; --port takes another one, --auto-port the next that is free' : '';
      // Whoever started the server sees why it does not run, wherever its log is.
      if (settings.errorLog.path !== null) process.stderr.write(`tsserve: ${message}${advice}\n`);
      errorLog.log('crit', `${message}${advice}`);
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

/** What tells that the server serves: people with a folder get its addresses, a log gets a line. */
function createGreeting(
  source: SiteSource,
  errorLog: ErrorLog,
  options: { quiet: boolean; open: boolean },
): MasterOptions['announce'] {
  const isTerminal = process.stdout.isTTY === true;
  const isFolder = source.file === null;
  return (line, places) => {
    if (!isTerminal || options.quiet) errorLog.log('notice', line);
    else if (!isFolder) process.stdout.write(`tsserve is ${line}\n`);
    if (!isFolder) return;
    const addresses = listAddresses(places, networkInterfaces());
    if (!options.quiet) {
      const color = isTerminal && (process.env.NO_COLOR ?? '') === '';
      process.stdout.write(formatGreeting(`${formatVersion()} serves ${source.name}`, addresses, color));
    }
    const url = addresses.find((address) => address.url.startsWith('http'))?.url;
    if (options.open && isTerminal && url !== undefined)
      openBrowser(url, (problem) => errorLog.log('warn', problem));
  };
}
