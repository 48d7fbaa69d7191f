// A compiled config. Nothing in it changes while requests use it; a reload makes a new one, and the old one closes
// itself when the last request that is pinned to it is over.

import type { Exchange, ExchangeKeeper } from '../message/exchange.ts';
import type { Handle } from '../message/handler.ts';
import type { Reply } from '../message/reply.ts';
import type { HostTable } from '../router/host-table.ts';
import type { LocationTable } from '../router/location-table.ts';
import type { FindErrorPage } from './error-pages.ts';

/** A route, compiled: its handler with all middleware around it. */
export interface Location {
  /** The route's path as in the config, for logs. */
  readonly route: string;
  readonly handle: Handle;
  /** Gives the route's fields to a reply that did not come from `handle`: an error. */
  readonly applyHeaders: (exchange: Exchange, reply: Reply) => Reply;
  /** The pages for errors; null for none. */
  readonly findErrorPage: FindErrorPage | null;
}

/** What a virtual host is made of. */
export interface VirtualHostParts {
  /** Its first name, or "" when it has none. */
  readonly name: string;
  readonly locations: LocationTable<Location>;
  /** Locations that only internal redirects lead to, by name. */
  readonly named: ReadonlyMap<string, Location>;
  /** For replies to requests that no location took, as is what follows. */
  readonly applyHeaders: (exchange: Exchange, reply: Reply) => Reply;
  readonly findErrorPage: FindErrorPage | null;
  /** Writes the line of an exchange; null without an access log. */
  readonly logAccess: ((exchange: Exchange) => void) | null;
}

/** Counts the requests that use a Site, and closes it when it is retired and unused. */
export class SiteUsage {
  readonly #close: () => void;
  #active = 0;
  #retired = false;

  /** @param close lets go of everything that was taken for the Site */
  constructor(close: () => void) {
    this.#close = close;
  }

  enter(): void {
    this.#active++;
  }

  leave(): void {
    this.#active--;
    if (this.#retired && this.#active === 0) this.#close();
  }

  /** No new request comes: close as soon as the last one is over. */
  retire(): void {
    if (this.#retired) return;
    this.#retired = true;
    if (this.#active === 0) this.#close();
  }
}

/** A virtual host, compiled. Requests are pinned to it, and by it to its Site. */
export class VirtualHost implements ExchangeKeeper {
  readonly parts: VirtualHostParts;
  readonly #usage: SiteUsage;

  constructor(parts: VirtualHostParts, usage: SiteUsage) {
    this.parts = parts;
    this.#usage = usage;
  }

  /** Pins a request. */
  keep(exchange: Exchange): void {
    this.#usage.enter();
    exchange.keeper = this;
    exchange.serverName = this.parts.name;
  }

  release(exchange: Exchange): void {
    exchange.keeper = null;
    this.parts.logAccess?.(exchange);
    this.#usage.leave();
  }
}

/** A compiled config in use. */
export interface Site {
  /** By listener key. */
  readonly hosts: ReadonlyMap<string, HostTable<VirtualHost>>;
  /** Bytes; Infinity for no limit. */
  readonly maxBodyBytes: number;
  /** The client behind proxies that are trusted. */
  readonly findClientAddress: (exchange: Exchange) => string;
  readonly usage: SiteUsage;
}
