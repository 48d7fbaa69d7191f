// The program: argv in, exit code out.

import { EarlySignals } from './early-signals.ts';

const signals = new EarlySignals();
// Only now: loading takes its time, and a signal may come in it.
const { runCommand } = await import('./run-command.ts');

// A reader that went away early ("| head") is no failure.
process.stdout.on('error', () => {});

const exitCode = await runCommand(process.argv.slice(2), signals);
// Behind whatever is still on its way to a pipe.
process.stdout.write('', () => process.exit(exitCode));
