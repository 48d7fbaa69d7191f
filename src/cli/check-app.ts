// `tsserve check-app`: holds an application to the interface of docs/gateway.md, as wsgiref.validate does for WSGI.

import { statSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { parseCheckAppArguments } from './check-app-arguments.ts';
import { chooseExitCode, formatCheckJson, formatCheckReport } from './check-app-report.ts';
import { AppCheck } from './check-app-run.ts';
import type { EarlySignals } from './early-signals.ts';
import { ArgumentError } from './parse-arguments.ts';

/**
 * Checks, and prints the report to standard output; what the application writes goes to standard error. Resolves to the
 * exit code: 0, 1 for broken rules. Rejects with an ArgumentError. @param words behind "check-app"
 */
export async function checkApp(words: readonly string[], signals: EarlySignals): Promise<number> {
  const args = parseCheckAppArguments(words);
  const file = resolve(args.file);
  const cwd = resolve(args.cwd);
  if (statSync(file, { throwIfNoEntry: false }) === undefined) {
    throw new ArgumentError(`error: there is no file ${args.file}`);
  }
  if (statSync(cwd, { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw new ArgumentError(`error: --cwd: there is no folder ${args.cwd}`);
  }
  const check = new AppCheck({
    ...args,
    file,
    cwd,
    onLine: (line) => process.stderr.write(`[app] ${line}\n`),
  });
  signals.onStop(() => {
    check.stop();
    process.exit(1);
  });
  const result = await check.run();
  const subject = { name: relative('', file), interface: args.interface, paths: args.paths };
  if (result.refusal !== null) process.stderr.write(`${result.refusal}\n`);
  if (args.json) process.stdout.write(formatCheckJson(result, subject));
  else if (result.refusal === null) {
    const color = process.stdout.isTTY === true && (process.env.NO_COLOR ?? '') === '';
    process.stdout.write(formatCheckReport(result, subject, color));
  }
  return chooseExitCode(result);
}
