// A server inside somebody's own process: no master, no workers, no signals; applications still run in processes of
// their own.

import { ErrorLog } from '../observe/error-log.ts';
import { settleLogSinks } from '../observe/log-sink.ts';
import { checkSite } from '../server/check-site.ts';
import { LocalFronts } from './local-fronts.ts';
import { SiteRunner } from './site-runner.ts';

/** Where a server listens. */
export interface ServerAddress {
  /** "http://127.0.0.1:8080", or "unix:/run/site.sock". */
  readonly url: string;
  /** The port, also when the config left it to the system; 0 for a unix socket. */
  readonly port: number;
}

/** A server made by {@link createServer}. */
export interface EmbeddedServer {
  /**
   * Begins to serve; to be called once. Resolves when every application has come up, or has shown that it does not. Rejects when an
   * address cannot be listened on; then nothing is left running.
   */
  listen(): Promise<ServerAddress[]>;
  /** Accepts no more, lets requests finish for at most `timeoutMs` (default 30 000), and ends the applications. */
  close(timeoutMs?: number): Promise<void>;
}

const standardCloseMs = 30_000;

/**
 * Makes a server of a site in the form of the config file. `workers` means nothing here: everything but the
 * applications runs in this process. Throws a ConfigError with everything that is wrong with the site.
 * @param options.directory where relative paths of the site start; default: the working directory
 */
export function createServer(site: unknown, options: { directory?: string } = {}): EmbeddedServer {
  const checked = checkSite(site, { directory: options.directory ?? process.cwd(), name: 'site' });
  const settings = { ...checked, workers: 0 };
  const errorLog = new ErrorLog(settings.errorLog);
  const runner = new SiteRunner({ log: errorLog.log, fronts: new LocalFronts(errorLog) });
  // An application must not outlive a program that simply ends.
  const killApps = (): void => void runner.close();
  return {
    async listen() {
      await runner.start(settings);
      process.once('exit', killApps);
      await runner.appsStarted;
      return runner.places.map(({ name, port }) => ({ url: name, port }));
    },
    async close(timeoutMs = standardCloseMs) {
      await runner.drain(timeoutMs);
      process.off('exit', killApps);
      await errorLog.close();
      await settleLogSinks(1_000);
    },
  };
}
