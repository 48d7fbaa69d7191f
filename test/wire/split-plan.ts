// The ways in which the bytes of a case are cut into writes: whole, at every byte, and at random places that are the
// same in every run.

/** Positions at which bytes are cut. */
export type SplitPlan = { readonly name: string; readonly cuts: readonly number[] };

/** Longer cases are not sent byte by byte: thousands of writes show nothing that hundreds do not. */
const maxBytesOneByOne = 1500;

/** Plans for bytes of that length: whole, byte by byte, and `randomCount` seeded by `seed`. */
export function planSplits(seed: string, length: number, randomCount: number): SplitPlan[] {
  const plans: SplitPlan[] = [{ name: 'whole', cuts: [] }];
  if (length < 2) return plans;
  if (length <= maxBytesOneByOne) {
    plans.push({ name: 'byte by byte', cuts: Array.from({ length: length - 1 }, (_, i) => i + 1) });
  }
  const random = createRandom(seed);
  for (let i = 0; i < randomCount; i++) {
    const cuts = Array.from({ length: 1 + (i % 4) }, () => 1 + Math.floor(random() * (length - 1)));
    plans.push({ name: `cut at ${cuts.sort((a, b) => a - b).join(', ')}`, cuts });
  }
  return plans;
}

/** Cuts bytes at positions. */
export function cutBytes(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const inside = [...new Set(cuts)].filter((cut) => cut > 0 && cut < bytes.length);
  const ends = [0, ...inside, bytes.length];
  return ends.slice(1).map((end, i) => bytes.subarray(ends[i], end));
}

/** Numbers from 0 to 1, the same for the same seed (FNV-1a, then mulberry32). */
function createRandom(seed: string): () => number {
  let state = 0x811c9dc5;
  for (let i = 0; i < seed.length; i++) state = Math.imul(state ^ seed.charCodeAt(i), 0x01000193);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
