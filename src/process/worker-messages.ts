// What the master tells a front worker and what it answers. Each order has a number and is answered by it, in the
// order in which they were given; a socket travels beside its order.

import type { SiteServer } from '../server/site-server.ts';
import type { SiteSettings } from '../server/site-settings.ts';
import type { BindAddress } from './bind-socket.ts';

type InstanceArguments = Parameters<SiteServer['setInstances']>;
/** What an application as a whole is doing. */
export type InstanceState = InstanceArguments[1];
/** One instance that takes requests. */
export type InstanceAddress = InstanceArguments[2][number];

/** Which instances of an application take requests. */
export interface InstancesOrder {
  readonly type: 'instances';
  readonly upstream: string;
  readonly state: InstanceState;
  readonly instances: readonly InstanceAddress[];
}

/** Something for a front worker to do. */
export type WorkerOrder =
  /** `inForce`: others serve these settings already, so a log that cannot be opened now is no reason to refuse them. */
  | { readonly type: 'configure'; readonly settings: SiteSettings; readonly inForce?: boolean }
  /** `socket` is the id of the one that comes with the order. */
  | { readonly type: 'listen'; readonly address: BindAddress; readonly socket: string }
  | { readonly type: 'unlisten'; readonly socket: string }
  | InstancesOrder
  /** Refused while a request is under way at an instance that was taken out. */
  | { readonly type: 'quiet'; readonly instanceId: string }
  | { readonly type: 'reopen' }
  /** Accept no more and end when nothing runs any more. Answered at once. */
  | { readonly type: 'drain'; readonly timeoutMs: number };

/** From the master. */
export interface ToWorker {
  readonly id: number;
  readonly order: WorkerOrder;
}

/** To the master: an order was carried out, or why not. `code` is the system's, when it was the system that refused. */
export interface FromWorker {
  readonly id: number;
  readonly problem: string | null;
  readonly code: string | null;
}

/** An order that was not carried out. */
export class OrderError extends Error {
  override readonly name = 'OrderError';
  /** The system's ("EADDRINUSE"), or null. */
  readonly code: string | null;

  constructor(problem: string, code: string | null) {
    super(problem);
    this.code = code;
  }
}
