// The better of two that chance draws by weight: the one with fewer requests under way, by weight. Nearly as even as
// looking at all of them, and processes that know nothing of each other do not all choose the same.

import type { PeerSlot } from './peer-slot.ts';
import { type ChooseSlot, isCandidate } from './slot-candidate.ts';

/** Makes a choice of its own chance; `random` is as Math.random. */
export function compileRandom(random: () => number): ChooseSlot {
  return (slots, backup, tried, nowMs) => {
    const first = draw(slots, backup, tried, nowMs, null, random);
    if (first === null) return null;
    const second = draw(slots, backup, tried, nowMs, first, random);
    if (second === null) return first;
    // With the same load the one drawn first has it: that is what gives each its share by weight.
    const isBusier =
      first.peer.inFlight * second.weight * second.getShare(nowMs) >
      second.peer.inFlight * first.weight * first.getShare(nowMs);
    return isBusier ? second : first;
  };
}

/** One of the candidates except that one: the chance of each is its weight. */
function draw(
  slots: readonly PeerSlot[],
  backup: boolean,
  tried: readonly PeerSlot[] | null,
  nowMs: number | null,
  except: PeerSlot | null,
  random: () => number,
): PeerSlot | null {
  let total = 0;
  let last: PeerSlot | null = null;
  for (const slot of slots) {
    if (slot === except || !isCandidate(slot, backup, tried, nowMs)) continue;
    total += slot.weight * slot.getShare(nowMs);
    last = slot;
  }
  if (last === null) return null;
  let point = random() * total;
  for (const slot of slots) {
    if (slot === except || !isCandidate(slot, backup, tried, nowMs)) continue;
    point -= slot.weight * slot.getShare(nowMs);
    if (point < 0) return slot;
  }
  return last;
}
