// The program of an app instance, started by path from process: takes its orders over the IPC channel, loads the
// application, serves it, and ends when told to or when the master is gone.

import type { FromInstance, ToInstance } from '../base/instance-messages.ts';
import type { ApplicationServer } from './application-server.ts';
import { ApplicationError, loadApplication } from './load-application.ts';
import { reportEvent, reportFailure } from './report.ts';

/** How long requests may go on after an exception that nobody caught: the state of the program is unknown then. */
const crashDrainMs = 5_000;
const signalDrainMs = 30_000;

let server: ApplicationServer | null = null;
let leaving = false;

function send(message: FromInstance): void {
  // A channel that breaks is the master's end: 'disconnect' follows.
  if (process.connected) process.send?.(message, () => {});
}

async function start(order: Extract<ToInstance, { type: 'start' }>): Promise<void> {
  process.title = `tsserve: app ${order.name}`;
  if (order.interface === 'fetch') (await import('./install-lean-globals.ts')).installLeanGlobals();
  const application = await loadApplication(order.file, order.interface);
  if (application.interface === 'fetch') {
    const { FetchServer } = await import('./fetch-server.ts');
    server = new FetchServer(application.handle, order.instance);
  } else {
    const { NodeServer } = await import('./node-server.ts');
    server = new NodeServer(application.listener);
  }
  await server.listen(order.socketPath);
  send({ type: 'ready' });
}

function fail(thrown: unknown): void {
  // A wrong export, or TypeScript that is none: the message names the place, a stack would only hide it.
  if (thrown instanceof ApplicationError || (thrown instanceof SyntaxError && thrown.cause !== undefined)) {
    reportEvent(thrown.message);
    process.exit(1);
  }
  // Node knows the line of a syntax error, but shows it only of an exception that nobody catches.
  process.removeAllListeners('uncaughtException');
  process.nextTick(() => {
    throw thrown;
  });
}

/** Finishes what runs, for so long, then ends. */
async function leave(timeoutMs: number, exitCode: number): Promise<void> {
  if (leaving) return;
  leaving = true;
  send({ type: 'leaving' });
  const timer = setTimeout(() => {
    reportEvent(`requests still ran after ${timeoutMs} ms: they are cut off`);
    process.exit(exitCode);
  }, timeoutMs);
  await server?.drain();
  clearTimeout(timer);
  process.exit(exitCode);
}

process.on('message', (order: ToInstance) => {
  if (order.type === 'start') start(order).catch(fail);
  else if (order.type === 'drain') void leave(order.timeoutMs, 0);
});

// The master is gone, however it ended: nobody sends requests or watches any more.
process.on('disconnect', () => process.exit(0));

// Ctrl-C reaches every process of the terminal; when to end is the master's decision.
process.on('SIGINT', () => {});
process.on('SIGHUP', () => {});
process.on('SIGTERM', () => void leave(signalDrainMs, 0));

process.on('uncaughtException', (error) => {
  if (server === null) return fail(error);
  reportFailure('uncaught exception: this instance ends', error);
  void leave(crashDrainMs, 1);
});

// A promise nobody waited for leaves the program's state whole: other requests need not pay for it.
process.on('unhandledRejection', (reason) => reportFailure('unhandled rejection', reason));
