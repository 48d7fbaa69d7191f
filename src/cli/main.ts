// The program: argv in, exit code out.

import { runCommand } from './run-command.ts';

// A reader that went away early ("| head") is no failure.
process.stdout.on('error', () => {});

const exitCode = await runCommand(process.argv.slice(2));
// Behind whatever is still on its way to a pipe.
process.stdout.write('', () => process.exit(exitCode));
