// The peer that is likely to answer first: the mean time of its answers, times the requests it would have, by weight.

import { monotonicMs } from '../base/clock.ts';
import type { PeerSlot } from './peer-slot.ts';
import { isCandidate } from './slot-candidate.ts';

/** Times below this are all the same: what differs there is chance. */
const leastMs = 0.1;

/** Chooses by time. Who is not known yet counts as one of the fastest. Allocates nothing. */
export function pickLeastTime(
  slots: readonly PeerSlot[],
  backup: boolean,
  tried: readonly PeerSlot[] | null,
  nowMs: number | null,
): PeerSlot | null {
  const now = nowMs ?? monotonicMs();
  let fastestMs = Number.POSITIVE_INFINITY;
  let total = 0;
  for (const slot of slots) {
    if (!isCandidate(slot, backup, tried, nowMs)) continue;
    const weight = slot.weight * slot.getShare(nowMs);
    slot.currentWeight = Math.min(slot.currentWeight + weight, 2 * slot.weight);
    total += weight;
    const meanMs = slot.peer.responseTime.getMean(now);
    if (meanMs > 0 && meanMs < fastestMs) fastestMs = meanMs;
  }
  if (fastestMs === Number.POSITIVE_INFINITY) fastestMs = leastMs;
  let leastScore = Number.POSITIVE_INFINITY;
  for (const slot of slots) {
    if (isCandidate(slot, backup, tried, nowMs))
      leastScore = Math.min(leastScore, getScore(slot, fastestMs, nowMs, now));
  }
  // Those that are about as good take turns.
  let best: PeerSlot | null = null;
  for (const slot of slots) {
    if (!isCandidate(slot, backup, tried, nowMs)) continue;
    if (getScore(slot, fastestMs, nowMs, now) > leastScore * 1.25) continue;
    if (best === null || slot.currentWeight > best.currentWeight) best = slot;
  }
  if (best !== null) best.currentWeight = Math.max(best.currentWeight - total, -2 * total);
  return best;
}

/** Among idle peers the time alone counts: those that are equally fast then take turns by weight. */
function getScore(slot: PeerSlot, fastestMs: number, nowMs: number | null, now: number): number {
  const { peer, weight } = slot;
  const meanMs = peer.responseTime.getMean(now) || fastestMs;
  return Math.max(leastMs, meanMs) * (1 + peer.inFlight / (weight * slot.getShare(nowMs)));
}
