// In which order a listing shows its entries, and how a URL asks for that.

import type { FolderEntry } from './read-folder.ts';

/** What a listing can be sorted by. */
export type SortKey = 'name' | 'size' | 'time';

/** An order: folders stand before files in any. */
export interface ListingOrder {
  readonly key: SortKey;
  readonly isDescending: boolean;
}

/** The order that a query asks for; by name, ascending, unless it says otherwise. */
export function parseListingOrder(query: string): ListingOrder {
  const parameters = query.split('&');
  const key = (['size', 'time'] as const).find((name) => parameters.includes(`sort=${name}`)) ?? 'name';
  return { key, isDescending: parameters.includes('order=desc') };
}

/** The query that asks for an order. */
export function toOrderQuery({ key, isDescending }: ListingOrder): string {
  return `?sort=${key}&order=${isDescending ? 'desc' : 'asc'}`;
}

/** Sorts entries in place. Names without regard to case; equal ones are told apart by it, so the order is the same always. */
export function sortEntries(entries: FolderEntry[], { key, isDescending }: ListingOrder): void {
  const lowerNames = new Map(entries.map((entry) => [entry, entry.name.toLowerCase()]));
  const byName = (a: FolderEntry, b: FolderEntry): number =>
    compare(lowerNames.get(a), lowerNames.get(b)) || compare(a.name, b.name);
  const byKey: Record<SortKey, (a: FolderEntry, b: FolderEntry) => number> = {
    name: byName,
    size: (a, b) => a.size - b.size || byName(a, b),
    time: (a, b) => a.modifiedAtMs - b.modifiedAtMs || byName(a, b),
  };
  const sign = isDescending ? -1 : 1;
  entries.sort((a, b) => Number(b.isFolder) - Number(a.isFolder) || sign * byKey[key](a, b));
}

function compare(a: string | undefined, b: string | undefined): number {
  return a === b ? 0 : (a ?? '') < (b ?? '') ? -1 : 1;
}
