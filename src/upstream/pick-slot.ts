// Whose turn it is: smooth weighted round robin, or the fewest requests under way, both as nginx has them.

import type { PeerSlot } from './peer-slot.ts';

/** How requests are spread. */
export type Balance = 'round_robin' | 'least_conn';

/**
 * How many turns a slot that was busy can make up for, so that over a long time equal slots get equal shares although
 * chance stalls one or the other. Only ties are decided by turns: a slot that catches up never has more than one
 * request more under way than the others.
 */
const maxCreditTurns = 1000;

/**
 * The slot for the next request, or null when none is left: not tried yet by this request, not down, not full, and
 * healthy unless `nowMs` is null. Backups have their turn only when nobody else is left.
 */
export function pickSlot(
  slots: readonly PeerSlot[],
  balance: Balance,
  tried: readonly PeerSlot[] | null,
  nowMs: number | null,
): PeerSlot | null {
  const pick = balance === 'least_conn' ? pickLeastConn : pickRoundRobin;
  return pick(slots, false, tried, nowMs) ?? pick(slots, true, tried, nowMs);
}

function isCandidate(
  slot: PeerSlot,
  backup: boolean,
  tried: readonly PeerSlot[] | null,
  nowMs: number | null,
): boolean {
  if (slot.backup !== backup || slot.down || slot.isFull) return false;
  if (tried?.includes(slot)) return false;
  return nowMs === null || slot.peer.health.isAvailable(nowMs);
}

function pickRoundRobin(
  slots: readonly PeerSlot[],
  backup: boolean,
  tried: readonly PeerSlot[] | null,
  nowMs: number | null,
): PeerSlot | null {
  let best: PeerSlot | null = null;
  let total = 0;
  for (const slot of slots) {
    if (!isCandidate(slot, backup, tried, nowMs)) continue;
    total += takeTurn(slot);
    if (best === null || slot.currentWeight > best.currentWeight) best = slot;
  }
  if (best !== null) best.currentWeight -= total;
  return best;
}

function takeTurn(slot: PeerSlot): number {
  const weight = slot.effectiveWeight;
  slot.currentWeight += weight;
  if (weight < slot.weight) slot.effectiveWeight = Math.min(slot.weight, weight + 1);
  return weight;
}

function pickLeastConn(
  slots: readonly PeerSlot[],
  backup: boolean,
  tried: readonly PeerSlot[] | null,
  nowMs: number | null,
): PeerSlot | null {
  let least: PeerSlot | null = null;
  let total = 0;
  for (const slot of slots) {
    if (!isCandidate(slot, backup, tried, nowMs)) continue;
    total += takeTurn(slot);
    slot.currentWeight = Math.min(slot.currentWeight, slot.weight * maxCreditTurns);
    if (least === null || compareLoad(slot, least) < 0) least = slot;
  }
  if (least === null) return null;
  // Those with about the same load take turns; who was passed over for its load has its turns later.
  let best = least;
  for (const slot of slots) {
    if (!isCandidate(slot, backup, tried, nowMs) || !isAboutAsFree(slot, least)) continue;
    if (slot.currentWeight > best.currentWeight) best = slot;
  }
  best.currentWeight = Math.max(best.currentWeight - total, -total * maxCreditTurns);
  return best;
}

/** Requests under way by weight, without a division. */
function compareLoad(a: PeerSlot, b: PeerSlot): number {
  return a.peer.inFlight * b.weight - b.peer.inFlight * a.weight;
}

/**
 * Whether a slot has at most a quarter more under way, by weight, than the one with the least: beside four or more
 * requests, one more is chance, not load. Beside an idle slot only another idle one will do.
 */
function isAboutAsFree(slot: PeerSlot, least: PeerSlot): boolean {
  return slot.peer.inFlight * least.weight * 4 <= least.peer.inFlight * slot.weight * 5;
}
