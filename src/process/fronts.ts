// Whoever serves clients, seen from the master: worker processes, or the master itself.

import type { SiteSettings } from '../server/site-settings.ts';
import type { BoundSocket } from './bind-socket.ts';
import type { InstancesOrder } from './worker-messages.ts';

/** The serving side of a site. Every order is carried out by all, or rejects with what one of them said. */
export interface Fronts {
  /** Begins to serve. Resolves when all are ready. */
  start(settings: SiteSettings, sockets: readonly BoundSocket[]): Promise<void>;
  /** Swaps in new settings. */
  configure(settings: SiteSettings): Promise<void>;
  listen(socket: BoundSocket): Promise<void>;
  /** @param id of the socket */
  unlisten(id: string): Promise<void>;
  setInstances(order: InstancesOrder): Promise<void>;
  /** Whether no request is under way at an instance that was taken out. */
  isQuiet(instanceId: string): Promise<boolean>;
  reopenLogs(): Promise<void>;
  /** Accepts no more; resolves when nothing is served any more, at the latest some time after `timeoutMs`. */
  drain(timeoutMs: number): Promise<void>;
  /** Ends everything now. */
  close(): Promise<void>;
  /** How many processes serve; 0 when the master does. */
  readonly count: number;
}
