// The command line to what it asks for. Rooms that take time to load are loaded only by what needs them.

import { ConfigError } from '../config/config-error.ts';
import { writeConfigReport } from './config-report.ts';
import type { EarlySignals } from './early-signals.ts';
import { ArgumentError, type Arguments, parseArguments } from './parse-arguments.ts';
import { formatBuildInfo, formatVersion } from './version.ts';

/**
 * Resolves to the exit code: 0, 1 (failure at run time) or 2 (bad config or arguments).
 * @param words without node and script
 * @param signals whoever holds back signals until it is known what they mean
 */
export async function runCommand(words: readonly string[], signals: EarlySignals): Promise<number> {
  try {
    if (words[0] === 'check-app') {
      const { checkApp } = await import('./check-app.ts');
      return await checkApp(words.slice(1), signals);
    }
    return await obey(parseArguments(words), signals);
  } catch (error) {
    if (error instanceof ArgumentError) {
      const stream = error.exitCode === 0 ? process.stdout : process.stderr;
      stream.write(`${error.message}\n`);
      return error.exitCode;
    }
    if (error instanceof ConfigError) {
      writeConfigReport(error);
      return 2;
    }
    process.stderr.write(`tsserve: ${describeFailure(error)}\n`);
    return 1;
  }
}

/** What the system refuses is told in its words; anything else is a fault of ours, and its stack tells where. */
function describeFailure(error: unknown): string {
  if (!(error instanceof Error)) return `thrown: ${String(error)}`;
  const { code, syscall, message, stack } = error as NodeJS.ErrnoException;
  if (code === 'EMFILE' || code === 'ENFILE') return `${message} (raise "ulimit -n")`;
  return syscall !== undefined ? message : (stack ?? message);
}

async function obey(args: Arguments, signals: EarlySignals): Promise<number> {
  const isServing = !(args.version || args.buildInfo || args.signal || args.test || args.dump);
  if (!isServing) signals.release();
  if (args.version || args.buildInfo) {
    process.stdout.write(`${args.buildInfo ? formatBuildInfo() : formatVersion()}\n`);
    return 0;
  }
  const { findSiteSource } = await import('./find-site-source.ts');
  const source = findSiteSource(args);
  if (args.signal !== undefined) {
    const { sendSignal } = await import('./send-signal.ts');
    return sendSignal(source, args.signal);
  }
  if (args.test || args.dump) {
    const { testConfig } = await import('./test-config.ts');
    return testConfig(source, { dump: args.dump, quiet: args.quiet });
  }
  const { serve } = await import('./serve.ts');
  return serve(source, { quiet: args.quiet, watch: args.watch, open: args.open, signals });
}
