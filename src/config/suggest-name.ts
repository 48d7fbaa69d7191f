// Did-you-mean: the candidate that a mistyped name most probably stands for.

/**
 * The candidate nearest to `name` by Damerau-Levenshtein distance (optimal string alignment), letter case counting
 * for nothing; null when none is near: one slip in a short name, about one in three letters of a longer one.
 */
export function suggestName(name: string, candidates: Iterable<string>): string | null {
  if (name.length === 0 || name.length > 200) return null;
  const threshold = Math.max(1, Math.floor((name.length + 1) / 3));
  let best: string | null = null;
  let bestDistance = threshold + 1;
  for (const candidate of candidates) {
    if (candidate === name) continue;
    const distance = measureLikeness(name.toLowerCase(), candidate.toLowerCase(), threshold);
    // One letter for another is no likeness between names of one letter.
    if (distance >= Math.max(name.length, candidate.length)) continue;
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** The distance, or `limit` when one of the two only goes on where the other ends ("warning" for "warn"). */
function measureLikeness(a: string, b: string, limit: number): number {
  const distance = measureDistance(a, b, limit);
  if (distance <= limit || Math.min(a.length, b.length) < 3) return distance;
  return a.startsWith(b) || b.startsWith(a) ? limit : distance;
}

/** Insertions, deletions, replacements and swaps of neighbours between two texts; `limit + 1` when there are more. */
export function measureDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) > limit) return limit + 1;
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      let distance = Math.min(last[j] + 1, row[j - 1] + 1, last[j - 1] + cost);
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (isSwap) distance = Math.min(distance, beforeLast[j - 2] + 1);
      row.push(distance);
    }
    beforeLast = last;
    last = row;
  }
  return Math.min(last[b.length], limit + 1);
}
