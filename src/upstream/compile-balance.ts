// The setting `balance` as a function that chooses a peer.

import { compileTemplate } from '../message/template.ts';
import type { BalanceSettings } from './balance-shape.ts';
import { hashText } from './hash-ring.ts';
import { compileHashed, hashClient } from './pick-hashed.ts';
import { pickLeastConn, pickRoundRobin } from './pick-in-turn.ts';
import { pickLeastTime } from './pick-least-time.ts';
import { compileRandom } from './pick-random.ts';
import type { ChooseSlot } from './slot-candidate.ts';

/** Compiles the setting. `random` is as Math.random. */
export function compileBalance(balance: BalanceSettings, random: () => number = Math.random): ChooseSlot {
  if (typeof balance === 'object') {
    const { evaluate } = compileTemplate(balance.hash);
    return compileHashed((exchange) => {
      const text = evaluate(exchange);
      return text === '' ? null : hashText(text);
    }, balance.bound);
  }
  if (balance === 'ip_hash') return compileHashed(hashClient, 0);
  if (balance === 'random') return compileRandom(random);
  if (balance === 'least_time') return pickLeastTime;
  return balance === 'least_conn' ? pickLeastConn : pickRoundRobin;
}
