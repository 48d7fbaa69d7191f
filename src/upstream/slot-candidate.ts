// Which peers a request may go to: the question that every way of choosing asks first.

import type { Exchange } from '../message/exchange.ts';
import type { PeerSlot } from './peer-slot.ts';

/**
 * Chooses the slot for a request among those that are backups, or among those that are not; null when none of them is
 * a candidate. `exchange` is null for a request that nothing is known of. Allocates nothing.
 */
export type ChooseSlot = (
  slots: readonly PeerSlot[],
  backup: boolean,
  tried: readonly PeerSlot[] | null,
  nowMs: number | null,
  exchange: Exchange | null,
) => PeerSlot | null;

/** Whether a slot may have the request: not tried yet, not full, and healthy unless `nowMs` is null. */
export function isCandidate(
  slot: PeerSlot,
  backup: boolean,
  tried: readonly PeerSlot[] | null,
  nowMs: number | null,
): boolean {
  if (slot.backup !== backup || slot.isClosed || slot.isFull) return false;
  if (tried?.includes(slot)) return false;
  return nowMs === null ? !slot.isChecking : slot.isAvailable(nowMs);
}
