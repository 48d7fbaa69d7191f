// Serving inside the master's own process (workers: 0): one SiteServer, told directly.

import type { ErrorLog } from '../observe/error-log.ts';
import { SiteServer } from '../server/site-server.ts';
import type { SiteSettings } from '../server/site-settings.ts';
import type { BoundSocket, SocketHandle } from './bind-socket.ts';
import { carryOutOrder } from './carry-out-order.ts';
import type { Fronts } from './fronts.ts';
import type { InstancesOrder, WorkerOrder } from './worker-messages.ts';

/** A front without processes. */
export class LocalFronts implements Fronts {
  readonly count = 0;
  readonly #errorLog: ErrorLog;
  readonly #server: SiteServer;

  constructor(errorLog: ErrorLog) {
    this.#errorLog = errorLog;
    this.#server = new SiteServer({ log: errorLog.log });
  }

  async start(settings: SiteSettings, sockets: readonly BoundSocket[]): Promise<void> {
    await this.configure(settings);
    for (const socket of sockets) await this.listen(socket);
  }

  configure(settings: SiteSettings): Promise<void> {
    return this.#order({ type: 'configure', settings });
  }

  listen(socket: BoundSocket): Promise<void> {
    return this.#order({ type: 'listen', address: socket.address, socket: socket.id }, socket.handle);
  }

  unlisten(id: string): Promise<void> {
    return this.#order({ type: 'unlisten', socket: id });
  }

  setInstances(order: InstancesOrder): Promise<void> {
    return this.#order(order);
  }

  async isQuiet(instanceId: string): Promise<boolean> {
    return this.#server.isQuiet(instanceId);
  }

  reopenLogs(): Promise<void> {
    return this.#order({ type: 'reopen' });
  }

  async drain(timeoutMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<void>((resolve) => {
      timer = setTimeout(() => {
        for (const request of this.#server.listActive().slice(0, 20)) {
          this.#errorLog.log('warn', `cut off after ${timeoutMs} ms: ${request}`);
        }
        resolve();
      }, timeoutMs);
    });
    await Promise.race([this.#server.drain(), timeout]);
    clearTimeout(timer);
    this.#server.close();
  }

  async close(): Promise<void> {
    this.#server.close();
  }

  #order(order: Exclude<WorkerOrder, { type: 'drain' }>, handle: SocketHandle | null = null): Promise<void> {
    return carryOutOrder(this.#server, this.#errorLog, order, handle);
  }
}
