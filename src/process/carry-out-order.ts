// What each order means for a SiteServer: the same in a worker process and in the master's own (workers: 0).

import type { ErrorLog } from '../observe/error-log.ts';
import type { SiteServer } from '../server/site-server.ts';
import type { SiteSettings } from '../server/site-settings.ts';
import type { SocketHandle } from './bind-socket.ts';
import type { WorkerOrder } from './worker-messages.ts';

/** Carries out every order but `drain`, which ends a process. Rejects with what went wrong. */
export async function carryOutOrder(
  server: SiteServer,
  errorLog: ErrorLog,
  order: Exclude<WorkerOrder, { type: 'drain' }>,
  handle: SocketHandle | null,
): Promise<void> {
  switch (order.type) {
    case 'configure':
      configure(server, errorLog, order.settings, order.inForce ?? false);
      return;
    case 'listen':
      if (handle === null) throw new Error(`no socket came with the order to listen on ${order.address.key}`);
      await server.listen(order.address, handle, order.socket);
      return;
    case 'unlisten':
      server.unlisten(order.socket);
      return;
    case 'instances':
      server.setInstances(order.upstream, order.state, order.instances);
      return;
    case 'quiet':
      if (!server.isQuiet(order.instanceId)) throw new Error('requests are under way');
      return;
    case 'reopen':
      server.reopenLogs();
      errorLog.reopen();
  }
}

/** Both or nothing: who refuses new settings must not serve by half of them. */
function configure(
  server: SiteServer,
  errorLog: ErrorLog,
  settings: SiteSettings,
  servesUnlogged: boolean,
): void {
  const before = errorLog.target;
  try {
    errorLog.configure(settings.errorLog);
  } catch (error) {
    if (!servesUnlogged) throw error;
    errorLog.log('error', `cannot open the error log: ${(error as Error).message}`);
  }
  try {
    server.swap(settings, servesUnlogged);
  } catch (error) {
    errorLog.configure(before);
    throw error;
  }
}
