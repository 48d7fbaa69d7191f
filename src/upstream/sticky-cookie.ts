// Binds clients to peers: the cookie that says which peer a client belongs to, and its way back. Its value is a keyed
// hash: it tells nobody where the peer is, and nobody can make one up.

import { createHmac } from 'node:crypto';
import type { Exchange } from '../message/exchange.ts';
import { compileVariable } from '../message/variables.ts';
import type { StickySettings } from './balance-shape.ts';
import type { PeerSlot } from './peer-slot.ts';

/** The cookie of one upstream. */
export class StickyCookie {
  readonly #settings: StickySettings;
  readonly #upstream: string;
  readonly #read: (exchange: Exchange) => string;
  readonly #values = new WeakMap<PeerSlot, string>();

  /** @param upstream its name: the same peer has another value in each upstream */
  constructor(settings: StickySettings, upstream: string) {
    this.#settings = settings;
    this.#upstream = upstream;
    this.#read = compileVariable(`cookie_${settings.cookie}`) as (exchange: Exchange) => string;
  }

  /** The peer that the client is bound to, or null. Takes as long whichever it is. */
  find(exchange: Exchange, slots: readonly PeerSlot[]): PeerSlot | null {
    const given = this.#read(exchange);
    if (given === '') return null;
    let found: PeerSlot | null = null;
    for (const slot of slots) if (isEqual(given, this.#getValue(slot))) found = slot;
    return found;
  }

  /** The value of Set-Cookie that binds the client to a peer. */
  render(exchange: Exchange, slot: PeerSlot): string {
    const { cookie, path, domain, maxAge, secure, sameSite } = this.#settings;
    let text = `${cookie}=${this.#getValue(slot)}; Path=${path}`;
    if (domain !== undefined) text += `; Domain=${domain}`;
    if (maxAge > 0) text += `; Max-Age=${Math.floor(maxAge / 1000)}`;
    const isSecure = secure === 'always' || (secure === 'auto' && exchange.connection.scheme === 'https');
    return `${text}; HttpOnly${isSecure ? '; Secure' : ''}; SameSite=${sameSite}`;
  }

  #getValue(slot: PeerSlot): string {
    let value = this.#values.get(slot);
    if (value === undefined) {
      const hash = createHmac('sha256', this.#settings.secret).update(`${this.#upstream}\0${slot.peer.name}`);
      value = hash.digest('base64url');
      this.#values.set(slot, value);
    }
    return value;
  }
}

/** In constant time: how much of a value was guessed right must not be measurable. */
function isEqual(given: string, value: string): boolean {
  if (given.length !== value.length) return false;
  let difference = 0;
  for (let i = 0; i < value.length; i++) difference |= given.charCodeAt(i) ^ value.charCodeAt(i);
  return difference === 0;
}
