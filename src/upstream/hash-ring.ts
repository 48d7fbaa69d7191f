// A ring of points that belong to peers: a key belongs to the peer whose point comes next. When a peer leaves, only
// its keys move, each to the one that comes next for it.

import type { PeerSlot } from './peer-slot.ts';

/** Points of a peer by weight, as ketama has them: shares then differ by a few percent. */
const pointsPerWeight = 160;

/** The most points of a ring: with more, all have fewer, but one at least. */
const maxPoints = 65_536;

/** A 32-bit hash of a text: FNV-1a, its bits mixed as MurmurHash3 ends. `from` continues an earlier one. */
export function hashText(text: string, end = text.length, from = 0x811c9dc5): number {
  let hash = from;
  for (let i = 0; i < end; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** The points of some peers. Where they lie follows from names and weights alone: it is the same in every process. */
export class HashRing {
  readonly #points: Uint32Array;
  readonly #owners: readonly PeerSlot[];

  constructor(slots: readonly PeerSlot[]) {
    const total = slots.reduce((sum, { weight }) => sum + weight, 0);
    const perWeight = Math.min(pointsPerWeight, maxPoints / Math.max(1, total));
    const points = slots.flatMap((slot) => {
      const count = Math.max(1, Math.round(slot.weight * perWeight));
      return Array.from({ length: count }, (_, i) => ({ point: hashText(`${slot.peer.name}#${i}`), slot }));
    });
    points.sort((a, b) => a.point - b.point);
    this.#points = Uint32Array.from(points, ({ point }) => point);
    this.#owners = points.map(({ slot }) => slot);
  }

  /** How many points there are. */
  get size(): number {
    return this.#points.length;
  }

  /** The index of the first point at a hash or behind it; the first of all behind the last. */
  find(hash: number): number {
    const points = this.#points;
    let low = 0;
    let high = points.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (points[middle] < hash) low = middle + 1;
      else high = middle;
    }
    return low === points.length ? 0 : low;
  }

  /** Whose point that is. Indexes go round. */
  getOwner(index: number): PeerSlot {
    return this.#owners[index % this.#owners.length];
  }
}
