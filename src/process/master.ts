// The master: starts a site, obeys signals as nginx does, and decides how the process ends. Serving is the runner's.

import type { ErrorLog } from '../observe/error-log.ts';
import { settleLogSinks } from '../observe/log-sink.ts';
import type { SiteSettings } from '../server/site-settings.ts';
import type { BoundSocket } from './bind-socket.ts';
import type { Fronts } from './fronts.ts';
import { removePidFile, writePidFile } from './pid-file.ts';
import { SiteRunner } from './site-runner.ts';
import type { SiteWatch } from './watch-site.ts';
import { countWorkers, WorkerFronts } from './worker-fronts.ts';

/** What to run. */
export interface MasterOptions {
  /** Checked already. */
  readonly settings: SiteSettings;
  /** Reads the settings anew for a reload. Throws an error whose message says all that is wrong with them. */
  readonly readSettings: () => Promise<SiteSettings>;
  /** What the settings come from, for people: "config/site.json". */
  readonly source: string;
  readonly errorLog: ErrorLog;
  /** Whether to follow changes of the applications' files and of the config. */
  readonly watch: { readonly configFile: string | null } | null;
  /** Tells that the server serves, and where. */
  readonly announce: (line: string, places: readonly BoundSocket[]) => void;
  /** Tells why it does not, with the code of the system's error if it is one; the process ends with 1 then. */
  readonly reportStartFailure: (message: string, code: string | null) => void;
}

/** QUIT: as long as nginx users expect a graceful end to be allowed. */
const quitDrainMs = 30_000;
/** TERM and INT: less than what `docker stop` (10 s) waits before it kills. */
const termDrainMs = 8_000;

/** The master of a site. */
export class Master {
  readonly #options: MasterOptions;
  readonly #runner: SiteRunner;
  #watch: SiteWatch | null = null;
  #pidFile: string | null = null;
  #serving = false;
  #reloading = false;
  #reloadAgain = false;
  #stopping = false;
  #finish: (exitCode: number) => void = () => {};

  constructor(options: MasterOptions, fronts: Fronts) {
    this.#options = options;
    this.#runner = new SiteRunner({ log: options.errorLog.log, fronts });
  }

  /** Makes a master with the fronts that the settings ask for. */
  static async create(options: MasterOptions): Promise<Master> {
    const { settings, errorLog } = options;
    if (countWorkers(settings) > 0)
      return new Master(options, new WorkerFronts(errorLog.log, errorLog.passOn));
    // All that serving takes is loaded only by who serves: a master of workers starts 50 ms earlier without it.
    const { LocalFronts } = await import('./local-fronts.ts');
    return new Master(options, new LocalFronts(errorLog));
  }

  /** Serves until told to end. Resolves to the exit code. @param reloadAsked whether to begin with a reload */
  async run(reloadAsked = false): Promise<number> {
    this.#reloadAgain = reloadAsked;
    const finished = new Promise<number>((resolve) => {
      this.#finish = resolve;
    });
    this.#obeySignals();
    try {
      await this.#runner.start(this.#options.settings);
      if (!this.#stopping) this.#onStarted();
    } catch (error) {
      if (!this.#stopping) {
        const { message, code } = error as NodeJS.ErrnoException;
        this.#options.reportStartFailure(message, code ?? null);
        this.#finish(1);
      }
    }
    const exitCode = await finished;
    if (this.#pidFile !== null) removePidFile(this.#pidFile);
    await settleLogSinks(1_000);
    return exitCode;
  }

  #onStarted(): void {
    this.#movePidFile(this.#options.settings.pid);
    const { places } = this.#runner;
    const addresses = places.map(({ name }) => name).join(', ');
    const line = `serving ${addresses} from ${this.#options.source}: ${this.#runner.describe()}`;
    this.#options.announce(line, places);
    this.#serving = true;
    void this.#followFiles(this.#options.settings);
    if (this.#reloadAgain) void this.#reload();
  }

  #obeySignals(): void {
    process.on('SIGHUP', () => void this.#reload());
    process.on('SIGQUIT', () => void this.#stop('SIGQUIT', quitDrainMs));
    process.on('SIGTERM', () => void this.#stop('SIGTERM', termDrainMs));
    process.on('SIGINT', () => void this.#stop('SIGINT', termDrainMs));
    // As gunicorn: one instance more, or fewer, of each application.
    process.on('SIGTTIN', () => void this.#runner.scale(1));
    process.on('SIGTTOU', () => void this.#runner.scale(-1));
    process.on('SIGUSR1', () => void this.#reopenLogs());
    process.on('SIGUSR2', () => this.#log('warn', 'SIGUSR2: this server cannot hand over to a new binary'));
    process.on('uncaughtException', (error) => {
      this.#log('crit', `uncaught exception: ${error?.stack ?? String(error)}`);
      void this.#stopNow(1);
    });
  }

  /** One reload at a time, none before the start is over; any number of requests during one are worth one more. */
  async #reload(): Promise<void> {
    this.#reloadAgain = true;
    if (this.#reloading || !this.#serving) return;
    this.#reloading = true;
    while (this.#reloadAgain && !this.#stopping) {
      this.#reloadAgain = false;
      await this.#reloadOnce();
    }
    this.#reloading = false;
  }

  async #reloadOnce(): Promise<void> {
    this.#log('notice', `reloading ${this.#options.source}`);
    try {
      const settings = await this.#options.readSettings();
      if (this.#stopping) return;
      const started = await this.#runner.reload(settings);
      this.#options.errorLog.configure(settings.errorLog);
      if (this.#stopping) return;
      this.#movePidFile(settings.pid);
      void this.#followFiles(settings);
      const outcome = started ? '' : ', but not all applications came up';
      this.#log('notice', `reloaded: ${this.#runner.describe()}${outcome}`);
    } catch (error) {
      if (this.#stopping) return;
      this.#log('error', `the reload failed, the old site serves on:\n${(error as Error).message}`);
    }
  }

  /** Only a server in development loads what this takes. */
  async #followFiles(settings: SiteSettings): Promise<void> {
    const { watch, errorLog } = this.#options;
    if (watch === null) return;
    const { SiteWatch } = await import('./watch-site.ts');
    this.#watch ??= new SiteWatch({
      log: errorLog.log,
      configFile: watch.configFile,
      reload: () => void this.#reload(),
      restart: (upstream) => this.#runner.restart(upstream),
    });
    if (this.#stopping) return;
    await this.#watch.follow(settings);
    this.#log('notice', 'watching for changes');
  }

  async #reopenLogs(): Promise<void> {
    this.#options.errorLog.reopen();
    await this.#runner.reopenLogs().catch((error: Error) => this.#log('error', error.message));
    this.#log('notice', 'logs reopened');
  }

  async #stop(signal: string, timeoutMs: number): Promise<void> {
    if (this.#stopping) {
      // A second QUIT is impatience without a decision; TERM and INT mean it.
      if (signal !== 'SIGQUIT') await this.#stopNow(0);
      return;
    }
    this.#stopping = true;
    this.#watch?.close();
    this.#log('notice', `${signal}: ending within ${timeoutMs / 1000} s`);
    await this.#runner.drain(timeoutMs);
    this.#finish(0);
  }

  async #stopNow(exitCode: number): Promise<void> {
    this.#stopping = true;
    this.#watch?.close();
    await this.#runner.close();
    this.#finish(exitCode);
  }

  #movePidFile(path: string | null): void {
    if (path === this.#pidFile) return;
    if (this.#pidFile !== null) removePidFile(this.#pidFile);
    this.#pidFile = null;
    if (path === null) return;
    try {
      writePidFile(path);
      this.#pidFile = path;
    } catch (error) {
      this.#log('error', `cannot write the pid file ${path}: ${(error as Error).message}`);
    }
  }

  #log(level: 'notice' | 'warn' | 'error' | 'crit', message: string): void {
    this.#options.errorLog.log(level, message);
  }
}
