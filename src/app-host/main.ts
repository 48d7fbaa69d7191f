// The program of an app instance, started by path from process: takes its orders over the IPC channel, runs the
// application, and ends when told to or when the master is gone.

import type { FromInstance, ToInstance } from '../base/instance-messages.ts';
import { keepNewObjectsYoung } from '../base/tune-heap.ts';
import { describeLoadFailure } from './describe-load-failure.ts';
import { reportEvent, reportFailure } from './report.ts';
import { type RunningApplication, type StartOrder, startApplication } from './running-application.ts';
import { startHeartbeat } from './vital-signs.ts';

/** How long requests may go on after an exception that nobody caught: the state of the program is unknown then. */
const crashDrainMs = 5_000;
const signalDrainMs = 30_000;

let application: RunningApplication | null = null;
let file = '';
let leaving = false;

function send(message: FromInstance): void {
  // A channel that breaks is the master's end: 'disconnect' follows.
  if (process.connected) process.send?.(message, () => {});
}

async function start(order: StartOrder): Promise<void> {
  process.title = `tsserve: app ${order.name}`;
  keepNewObjectsYoung();
  // What was compiled or bundled is shown as it was written.
  process.setSourceMapsEnabled(true);
  file = order.file;
  application = await startApplication(order);
  send({ type: 'ready' });
  startHeartbeat(order, send);
}

function fail(thrown: unknown): void {
  reportEvent(describeLoadFailure(thrown, file));
  process.exit(1);
}

/** Finishes what runs, for so long, then ends. A crashed program is not asked to close anything. */
async function leave(timeoutMs: number, reason: 'asked' | 'crashed'): Promise<void> {
  if (leaving) return;
  leaving = true;
  const exitCode = reason === 'asked' ? 0 : 1;
  send({ type: 'leaving' });
  let running = 'requests still ran';
  const timer = setTimeout(() => {
    reportEvent(`${running} after ${Math.round(timeoutMs)} ms: cut off`);
    process.exit(exitCode);
  }, timeoutMs);
  await application?.drain();
  running = 'close still ran';
  if (reason === 'asked') await application?.close();
  clearTimeout(timer);
  process.exit(exitCode);
}

process.on('message', (order: ToInstance) => {
  if (order.type === 'start') start(order).catch(fail);
  else if (order.type === 'drain') void leave(order.timeoutMs, 'asked');
});

// The master is gone, however it ended: nobody sends requests or watches any more. An instance that computes without an
// end does not come here; a thread to watch for it costs 9 MiB, and a process each is no better.
process.on('disconnect', () => process.exit(0));

// Ctrl-C and its like reach every process of the terminal; when to end is the master's decision.
for (const signal of ['SIGINT', 'SIGHUP', 'SIGQUIT'] as const) process.on(signal, () => {});
// Meant for the master, if sent to everybody. SIGUSR1 stays with Node: by it the supervisor looks into a blocked
// instance, through an inspector that nobody else is told how to reach.
process.on('SIGUSR2', () => {});
process.on('SIGTERM', () => void leave(signalDrainMs, 'asked'));

process.on('uncaughtException', (error) => {
  if (application === null) return fail(error);
  reportFailure('uncaught exception: this instance ends', error);
  void leave(crashDrainMs, 'crashed');
});

// A promise nobody waited for leaves the program's state whole: other requests need not pay for it.
process.on('unhandledRejection', (reason) => reportFailure('unhandled rejection', reason));
