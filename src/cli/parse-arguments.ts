// The command line: nginx's flags with nginx's meanings, and a folder to serve without any config.

import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';

/** What `-s` can tell a running server. */
export type ServerSignal = 'reload' | 'quit' | 'stop' | 'reopen';

/** A parsed command line. */
export interface Arguments {
  /** Folder to serve, as written. */
  readonly folder: string | undefined;
  readonly config: string | undefined;
  readonly test: boolean;
  readonly dump: boolean;
  readonly signal: ServerSignal | undefined;
  /** Where relative paths of the command line start. */
  readonly prefix: string | undefined;
  readonly errorLog: string | undefined;
  /** JSON, to replace keys of the config. */
  readonly directives: string | undefined;
  readonly version: boolean;
  readonly buildInfo: boolean;
  readonly quiet: boolean;
  /** Whether to follow changes of applications and of the config. */
  readonly watch: boolean;
  readonly port: number | undefined;
  readonly host: string | undefined;
  /** Whether a folder's index.html answers navigations to what is no file. */
  readonly spa: boolean;
  /** Whether folders without index are listed. */
  readonly listing: boolean;
  /** Whether a busy port is passed over. */
  readonly autoPort: boolean;
  /** Whether to show the site in a browser. */
  readonly open: boolean;
}

/** The command line is not to be obeyed (or was already: help). Holds what to print and the exit code. */
export class ArgumentError extends Error {
  override readonly name = 'ArgumentError';
  readonly exitCode: number;

  constructor(message: string, exitCode = 2) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** @param words without node and script. Throws an {@link ArgumentError}, also for --help, with exit code 0. */
export function parseArguments(words: readonly string[]): Arguments {
  let printed = '';
  const program = createProgram((text) => {
    printed += text;
  });
  try {
    program.parse(words, { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) {
      throw new ArgumentError(printed.trimEnd(), error.exitCode === 0 ? 0 : 2);
    }
    throw error;
  }
  const options = program.opts<Partial<Arguments>>();
  const parsed: Arguments = {
    folder: program.args[0],
    config: options.config,
    test: options.test ?? false,
    dump: options.dump ?? false,
    signal: options.signal,
    prefix: options.prefix,
    errorLog: options.errorLog,
    directives: options.directives,
    version: options.version ?? false,
    buildInfo: options.buildInfo ?? false,
    quiet: options.quiet ?? false,
    watch: options.watch ?? false,
    port: options.port,
    host: options.host,
    spa: options.spa ?? false,
    listing: options.listing ?? false,
    autoPort: options.autoPort ?? false,
    open: options.open ?? false,
  };
  checkCombination(parsed);
  return parsed;
}

function createProgram(print: (text: string) => void): Command {
  const signals = new Option(
    '-s, --signal <signal>',
    'tell a running server, found by the pid file of its config',
  );
  return new Command('tsserve')
    .description('Serves a site: static files, upstream servers and gateway functions.')
    .argument('[folder]', 'serve this folder on port 8080 of localhost, without a config')
    .option('-c, --config <file>', 'the config (default: config/site.json, site.json or tsserve.json)')
    .option('-t, --test', 'test the config and exit')
    .option('-T, --dump', 'test the config, print it with all defaults as JSON, and exit')
    .addOption(signals.choices(['reload', 'quit', 'stop', 'reopen']))
    .option('-p, --prefix <path>', 'where relative paths on the command line start (default: here)')
    .option('-e, --error-log <file>', 'write the error log there; "stderr" for standard error')
    .option('-g, --directives <json>', `replace keys of the config, as in -g '"workers": 2'`)
    .option('--port <number>', 'with a folder: the port (default: 8080)', parsePort)
    .option('--host <address>', 'with a folder: the address (default: localhost; 0.0.0.0 for all)')
    .option('--auto-port', 'with a folder: take the next free port when that one is busy')
    .option('--spa', 'with a folder: index.html answers navigations to pages that are no files')
    .option('--listing', 'with a folder: list folders that have no index.html')
    .option('--open', 'with a folder, on a terminal: show it in the browser')
    .option('--watch', 'for development: start applications anew and reload the config when files change')
    .option('-q, --quiet', 'with -t: say nothing but what is wrong; else: no greeting')
    .option('-v, --version', 'print the version and exit')
    .option('-V, --build-info', 'print the versions of everything and exit')
    .helpOption('-h, --help', 'print this and exit')
    .addHelpText('after', '\nTo hold an application to the interface: tsserve check-app --help')
    .allowExcessArguments(false)
    .exitOverride()
    .configureOutput({ writeOut: print, writeErr: print });
}

function parsePort(text: string): number {
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port <= 65_535) return port;
  throw new InvalidArgumentError('A port is a number from 0 to 65535.');
}

function checkCombination(args: Arguments): void {
  const { folder, config, signal } = args;
  if (folder !== undefined && config !== undefined) {
    throw new ArgumentError('error: a folder is served without a config: give a folder or -c, not both');
  }
  const listens = args.port !== undefined || args.host !== undefined || args.autoPort;
  if (folder === undefined && listens) {
    throw new ArgumentError(
      'error: --port, --host and --auto-port go with a folder; a config says "listen", and -g can replace it',
    );
  }
  if (folder === undefined && (args.spa || args.listing || args.open)) {
    throw new ArgumentError(
      'error: --spa, --listing and --open go with a folder; a config says "fallback" and "autoindex"',
    );
  }
  if (folder !== undefined && signal !== undefined) {
    throw new ArgumentError('error: -s finds the server by its config (-c), not by a folder');
  }
}
