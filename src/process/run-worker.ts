// The work of a front worker: a SiteServer that takes its orders from the master and ends with it. Runs when imported.

import { ErrorLog } from '../observe/error-log.ts';
import { settleLogSinks } from '../observe/log-sink.ts';
import { SiteServer } from '../server/site-server.ts';
import type { SocketHandle } from './bind-socket.ts';
import { carryOutOrder } from './carry-out-order.ts';
import type { FromWorker, ToWorker } from './worker-messages.ts';

const signalDrainMs = 30_000;

// Until the settings say otherwise, which they do with the first order.
const errorLog = new ErrorLog({ path: null, level: 'notice' });
const server = new SiteServer({ log: errorLog.log });
let draining = false;

/** Ends the process with what is still to be written to the log. */
async function end(exitCode: number): Promise<void> {
  await settleLogSinks(500);
  process.exit(exitCode);
}

async function drain(timeoutMs: number): Promise<void> {
  if (draining) return;
  draining = true;
  const timer = setTimeout(() => {
    const active = server.listActive();
    errorLog.log('warn', `cut off after ${timeoutMs} ms: ${server.connectionCount} connections`);
    for (const request of active.slice(0, 20)) errorLog.log('warn', `cut off: ${request}`);
    server.close();
    void end(0);
  }, timeoutMs);
  await server.drain();
  clearTimeout(timer);
  server.close();
  await end(0);
}

async function obey({ id, order }: ToWorker, handle: SocketHandle | null): Promise<void> {
  let answer: FromWorker = { id, problem: null, code: null };
  try {
    if (order.type === 'drain') void drain(order.timeoutMs);
    else await carryOutOrder(server, errorLog, order, handle);
  } catch (error) {
    const { message, code } = error as NodeJS.ErrnoException;
    answer = { id, problem: message, code: code ?? null };
  }
  // The master may be gone by now: then so is this process soon.
  if (process.connected) process.send?.(answer, () => {});
}

process.on('message', (message: ToWorker, handle?: SocketHandle) => void obey(message, handle ?? null));
process.on('disconnect', () => process.exit(0));
// The master may have gone while this was loaded.
if (!process.connected) process.exit(0);

process.on('SIGTERM', () => void drain(signalDrainMs));
process.on('SIGQUIT', () => void drain(signalDrainMs));
// Sent to all processes at once by whoever rotates logs.
process.on('SIGUSR1', () => {
  server.reopenLogs();
  errorLog.reopen();
});

process.on('uncaughtException', (error) => {
  errorLog.log('crit', `uncaught exception, this worker ends: ${error?.stack ?? String(error)}`);
  void end(1);
});
