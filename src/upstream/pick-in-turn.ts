// Whose turn it is: smooth weighted round robin, or the fewest requests under way, both as nginx has them.

import type { PeerSlot } from './peer-slot.ts';
import { isCandidate } from './slot-candidate.ts';

/**
 * How many turns a slot that was busy can make up for, so that over a long time equal slots get equal shares although
 * chance stalls one or the other. Only ties are decided by turns: a slot that catches up never has more than one
 * request more under way than the others.
 */
const maxCreditTurns = 1000;

/** In turn, by weight: smooth weighted round robin. Allocates nothing. */
export function pickRoundRobin(
  slots: readonly PeerSlot[],
  backup: boolean,
  tried: readonly PeerSlot[] | null,
  nowMs: number | null,
): PeerSlot | null {
  let best: PeerSlot | null = null;
  let total = 0;
  for (const slot of slots) {
    if (!isCandidate(slot, backup, tried, nowMs)) continue;
    total += takeTurn(slot, nowMs);
    if (best === null || slot.currentWeight > best.currentWeight) best = slot;
  }
  if (best !== null) best.currentWeight -= total;
  return best;
}

function takeTurn(slot: PeerSlot, nowMs: number | null): number {
  const effective = slot.effectiveWeight;
  const weight = effective * slot.getShare(nowMs);
  slot.currentWeight += weight;
  if (effective < slot.weight) slot.effectiveWeight = Math.min(slot.weight, effective + 1);
  return weight;
}

/** The fewest requests under way, by weight. Allocates nothing. */
export function pickLeastConn(
  slots: readonly PeerSlot[],
  backup: boolean,
  tried: readonly PeerSlot[] | null,
  nowMs: number | null,
): PeerSlot | null {
  let least: PeerSlot | null = null;
  let total = 0;
  for (const slot of slots) {
    if (!isCandidate(slot, backup, tried, nowMs)) continue;
    total += takeTurn(slot, nowMs);
    slot.currentWeight = Math.min(slot.currentWeight, slot.weight * maxCreditTurns);
    if (least === null || compareLoad(slot, least, nowMs) < 0) least = slot;
  }
  if (least === null) return null;
  // Those with about the same load take turns; who was passed over for its load has its turns later.
  let best = least;
  for (const slot of slots) {
    if (!isCandidate(slot, backup, tried, nowMs) || !isAboutAsFree(slot, least, nowMs)) continue;
    if (slot.currentWeight > best.currentWeight) best = slot;
  }
  best.currentWeight = Math.max(best.currentWeight - total, -total * maxCreditTurns);
  return best;
}

/** Requests under way by weight, without a division. */
function compareLoad(a: PeerSlot, b: PeerSlot, nowMs: number | null): number {
  return a.peer.inFlight * b.weight * b.getShare(nowMs) - b.peer.inFlight * a.weight * a.getShare(nowMs);
}

/**
 * Whether a slot has at most a quarter more under way, by weight, than the one with the least: beside four or more
 * requests, one more is chance, not load. Beside an idle slot only another idle one will do.
 */
function isAboutAsFree(slot: PeerSlot, least: PeerSlot, nowMs: number | null): boolean {
  const mine = slot.peer.inFlight * least.weight * least.getShare(nowMs);
  return mine * 4 <= least.peer.inFlight * slot.weight * slot.getShare(nowMs) * 5;
}
