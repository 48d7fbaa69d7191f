// What all compression of a process shares: threads of the pool, and how many encoders there may be at once.

import { WorkLane } from './work-lane.ts';

// libuv has four threads. Two serve clients who wait, one makes what is kept smaller, one is left to the rest.
const quickThreads = 2;
const thoroughThreads = 1;
const maxQuickWaiting = 256;
const maxThoroughWaiting = 256;
// An encoder holds 0.3 to 2 MiB.
const maxEncoders = 256;

/** The bounds of one process. Above them, bodies are sent as they are. */
export class CompressionWork {
  /** For clients who wait. */
  readonly quick = new WorkLane(quickThreads, maxQuickWaiting);
  /** For nobody in particular: takes as long as it takes. */
  readonly thorough = new WorkLane(thoroughThreads, maxThoroughWaiting);
  /** Encoders of bodies that are being sent. */
  encoders = 0;

  /** Whether one more body may be encoded while it is sent. */
  get hasEncoder(): boolean {
    return this.encoders < maxEncoders;
  }

  /** Forgets the work for nobody in particular. What clients wait for goes on. */
  close(): void {
    this.thorough.close();
  }
}
