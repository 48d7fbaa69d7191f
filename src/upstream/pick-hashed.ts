// The peer that a text belongs to, by a ring of hashes; the next one on the ring when that peer cannot take the
// request, or has much more to do than the others.

import type { Exchange } from '../message/exchange.ts';
import { HashRing, hashText } from './hash-ring.ts';
import type { PeerSlot } from './peer-slot.ts';
import { pickRoundRobin } from './pick-in-turn.ts';
import { type ChooseSlot, isCandidate } from './slot-candidate.ts';

/** The hash of what a request is told apart by; null when it has nothing of the kind. */
export type HashExchange = (exchange: Exchange) => number | null;

/** The hash of a client's address; of IPv4 its first three numbers count, as in nginx's ip_hash. */
export function hashClient({ clientAddress }: Exchange): number {
  const isShortened = !clientAddress.includes(':') && clientAddress.includes('.');
  return hashText(clientAddress, isShortened ? clientAddress.lastIndexOf('.') : clientAddress.length);
}

/** Makes a choice by hash. No peer gets more than `bound` times the mean of requests under way; 0 for any number. */
export function compileHashed(hash: HashExchange, bound: number): ChooseSlot {
  let ring = new HashRing([]);
  let ringOf: readonly PeerSlot[] = [];
  return (slots, backup, tried, nowMs, exchange) => {
    const key = exchange === null ? null : hash(exchange);
    if (key === null) return pickRoundRobin(slots, backup, tried, nowMs);
    if (ringOf !== slots) {
      ringOf = slots;
      ring = new HashRing(slots);
    }
    const load = measureLoad(slots, backup, tried, nowMs);
    if (load.candidates === 0) return null;
    const start = ring.find(key);
    let fallback: PeerSlot | null = null;
    for (let i = start, end = start + ring.size; i < end; i++) {
      const slot = ring.getOwner(i);
      if (!isCandidate(slot, backup, tried, nowMs)) continue;
      const isBusy =
        bound > 0 &&
        slot.peer.inFlight >= Math.ceil((bound * (load.inFlight + 1) * slot.weight) / load.weight);
      if (!isBusy) return slot;
      fallback ??= slot;
    }
    return fallback;
  };
}

/** One object for all: what is measured is used up before anybody else measures. */
const measured = { candidates: 0, weight: 0, inFlight: 0 };

function measureLoad(
  slots: readonly PeerSlot[],
  backup: boolean,
  tried: readonly PeerSlot[] | null,
  nowMs: number | null,
): typeof measured {
  measured.candidates = 0;
  measured.weight = 0;
  measured.inFlight = 0;
  for (const slot of slots) {
    if (!isCandidate(slot, backup, tried, nowMs)) continue;
    measured.candidates++;
    measured.weight += slot.weight;
    measured.inFlight += slot.peer.inFlight;
  }
  return measured;
}
