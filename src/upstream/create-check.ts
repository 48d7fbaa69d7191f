// Makes the health check of a peer: what its results mean for the peer, and what the log learns of them.

import { monotonicMs } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { TimerWheel } from '../base/timer-wheel.ts';
import { ActiveCheck } from './active-check.ts';
import { compileProbe } from './health-probe.ts';
import type { HealthSettings } from './health-shape.ts';
import type { Peer } from './peer.ts';

/** What a check is made with. */
export interface CheckDeps {
  readonly timers: TimerWheel;
  readonly log: Log;
}

/** Begins to look after a peer, until it is closed. `owner` says in the log whose peer it is. */
export function createCheck(
  settings: HealthSettings,
  peer: Peer,
  owner: string,
  deps: CheckDeps,
): ActiveCheck {
  const { counters, health } = peer;
  let passesWhileOut = 0;
  const observer = {
    onPassed: () => {
      counters.checksPassed++;
      // Requests failed, checks do not: the peer is back before its time is over.
      if (!health.failed) passesWhileOut = 0;
      else if (++passesWhileOut >= settings.rise) health.restore(monotonicMs());
    },
    onFailed: () => {
      counters.checksFailed++;
      passesWhileOut = 0;
    },
    onChange: (state: 'up' | 'down', problem: string) => {
      if (state === 'down') counters.checkOutages++;
      const what = state === 'up' ? 'is well' : `does not pass its health check: ${problem}`;
      deps.log(state === 'up' ? 'notice' : 'warn', `${owner}: ${peer.name} ${what}`);
    },
  };
  return new ActiveCheck(settings, compileProbe(settings, peer), observer, deps.timers);
}
