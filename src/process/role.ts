// The kinds of processes beside the master, as rows of data: which program, and when to start it again.

import type { BackOffSettings } from './back-off.ts';

/** A kind of child process. */
export interface Role {
  readonly name: 'worker' | 'app';
  /** The program, as a file URL. */
  readonly entry: URL;
  readonly restart: BackOffSettings;
  /** Crashes in a row after which it counts as failed and is tried again only now and then. */
  readonly failedAfter: number;
  /** How long such a try waits. */
  readonly failedDelayMs: number;
  /** How long a new process may take to be ready, and a worker to answer. */
  readonly startTimeoutMs: number;
}

/** A front worker: without it nobody is served, so it is never given up. */
export const workerRole: Role = {
  name: 'worker',
  entry: new URL('../process/worker-main.js', import.meta.url),
  restart: { healthyMs: 5_000, crashMs: 1_000, firstDelayMs: 20, longestDelayMs: 5_000 },
  failedAfter: Number.POSITIVE_INFINITY,
  failedDelayMs: 5_000,
  startTimeoutMs: 30_000,
};

/** What is run for an upstream: its settings say how long it may take. */
export type ProgramRole = Omit<Role, 'startTimeoutMs'>;

/** An app instance, or a program in its place: then the entry is not used. */
export const appRole: ProgramRole = {
  name: 'app',
  entry: new URL('../app-host/main.js', import.meta.url),
  restart: { healthyMs: 10_000, crashMs: 1_000, firstDelayMs: 100, longestDelayMs: 5_000 },
  failedAfter: 5,
  failedDelayMs: 30_000,
};
