// What a name stands for right now: asked of the system, or of DNS servers, which also say how long that holds.
// When to ask again, and what to do while nobody answers, is the caller's.

import type { Resolver } from 'node:dns/promises';
import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import { isHostName } from './host-name.ts';
import type { ResolveSettings } from './resolve-shape.ts';

/** What is looked up. Plain values: two equal ones have the same answer. */
export interface NameQuestion {
  readonly host: string;
  /** As in nginx: "http" asks for _http._tcp.HOST, one with a dot for itself in front of HOST; null for addresses. */
  readonly service: string | null;
  readonly resolve: ResolveSettings;
}

/** One address that a name stands for. */
export interface NamedAddress {
  readonly host: string;
  /** As SRV records say; null for the port of the URL. */
  readonly port: number | null;
  /** 1 or, from SRV records, more. */
  readonly weight: number;
  /** Whether SRV records name others that come first. */
  readonly backup: boolean;
}

/** What a name stands for. */
export interface NameAnswer {
  /** At least one, each once, in an order that stays the same. */
  readonly addresses: readonly NamedAddress[];
  readonly validMs: number;
}

/** Asks once. Rejects with a {@link NameError}. */
export type LookUpName = () => Promise<NameAnswer>;

/** Why a name could not be looked up. */
export class NameError extends Error {
  /** Whether that is an answer: the name has no addresses. Otherwise nobody knows. */
  readonly isAnswer: boolean;

  constructor(message: string, isAnswer: boolean) {
    super(message);
    this.name = 'NameError';
    this.isAnswer = isAnswer;
  }
}

/** How long what the system says holds, which comes without a time, and SRV records at most: Node keeps theirs back. */
const standardValidMs = 30_000;

const shortestValidMs = 1000;
const longestValidMs = 86_400_000;

/** More addresses of one name help nobody. */
const maxAddresses = 256;

/** One try takes that long; then come two more, each twice as long. */
const dnsTry = { timeout: 1000, tries: 3 };

const localhostPattern = /(?:^|\.)localhost\.?$/i;

interface FoundAddress {
  readonly address: string;
  /** Null when nobody said how long it holds. */
  readonly ttl: number | null;
}

type Family = 4 | 6;

/** Makes what asks a question again and again. `cancel` ends what is under way. */
export function createLookUp(question: NameQuestion): { ask: LookUpName; cancel: () => void } {
  const asker = new NameAsker(question);
  return { ask: () => asker.ask(), cancel: () => asker.cancel() };
}

/** Loaded by the first name: it costs a start a millisecond. */
function loadDns(): typeof import('node:dns') {
  return process.getBuiltinModule('node:dns');
}

class NameAsker {
  readonly #question: NameQuestion;
  readonly #resolver: Resolver | null;
  /** The last good answers by name and family, for when only a part of a question is answered. */
  #known = new Map<string, readonly FoundAddress[]>();
  #asked = new Map<string, readonly FoundAddress[]>();

  constructor(question: NameQuestion) {
    const { resolver } = question.resolve;
    this.#question = question;
    if (resolver.length === 0 && question.service === null) this.#resolver = null;
    else {
      this.#resolver = new (loadDns().promises.Resolver)(dnsTry);
      if (resolver.length > 0) this.#resolver.setServers(resolver);
    }
  }

  async ask(): Promise<NameAnswer> {
    const { host, service, resolve } = this.#question;
    this.#asked = new Map();
    const found = service === null ? await this.#askHost(host) : await this.#askService(service, host);
    this.#known = this.#asked;
    const ttls = found.ttls.filter((ttl) => ttl !== null).map((ttl) => ttl * 1000);
    const known = ttls.length === 0 ? standardValidMs : Math.min(...ttls);
    const standardMs = service === null ? known : Math.min(known, standardValidMs);
    const validMs = Math.min(Math.max(resolve.valid ?? standardMs, shortestValidMs), longestValidMs);
    return { addresses: toSortedSet(found.addresses).slice(0, maxAddresses), validMs };
  }

  cancel(): void {
    this.#resolver?.cancel();
  }

  async #askHost(host: string) {
    const found = await this.#findAddresses(host);
    return {
      addresses: found.map(({ address }) => ({ host: address, port: null, weight: 1, backup: false })),
      ttls: found.map(({ ttl }) => ttl),
    };
  }

  async #askService(service: string, host: string) {
    const name = service.includes('.') ? `${service}.${host}` : `_${service}._tcp.${host}`;
    const records = await (this.#resolver as Resolver).resolveSrv(name).catch((error: unknown) => {
      throw toNameError(name, error);
    });
    // A lone "." says that the service is not there (RFC 2782).
    const usable = records
      .filter((record) => isHostName(record.name) && record.port > 0)
      .slice(0, maxAddresses);
    if (usable.length === 0) throw new NameError(`${name} has no SRV record that names a server`, true);
    const first = Math.min(...usable.map(({ priority }) => priority));
    const outcomes = await Promise.allSettled(usable.map((record) => this.#findAddresses(record.name)));
    const failure = outcomes.find((outcome) => outcome.status === 'rejected');
    const addresses: NamedAddress[] = [];
    const ttls: (number | null)[] = [];
    for (const [i, outcome] of outcomes.entries()) {
      if (outcome.status === 'rejected') continue;
      const { port, priority, weight } = usable[i];
      for (const { address, ttl } of outcome.value) {
        addresses.push({ host: address, port, weight: Math.max(weight, 1), backup: priority > first });
        ttls.push(ttl);
      }
    }
    if (addresses.length === 0) throw failure?.reason;
    return { addresses, ttls };
  }

  async #findAddresses(name: string): Promise<FoundAddress[]> {
    if (isIP(name) !== 0) return [{ address: name, ttl: null }];
    const { family } = this.#question.resolve;
    const families: readonly Family[] = family === 'any' ? [4, 6] : family === 'ipv4' ? [4] : [6];
    const found = await this.#findIn(name, families);
    return keepReachable(found.filter(({ address }) => isIP(address) !== 0)).slice(0, maxAddresses);
  }

  #findIn(name: string, families: readonly Family[]): Promise<FoundAddress[]> | FoundAddress[] {
    // RFC 6761 6.3: it is loopback, whatever a hosts file leaves out.
    if (localhostPattern.test(name)) {
      return families.map((family) => ({ address: family === 4 ? '127.0.0.1' : '::1', ttl: null }));
    }
    return this.#question.resolve.resolver.length > 0
      ? this.#askDns(name, families)
      : this.#askSystem(name, families);
  }

  async #askSystem(name: string, families: readonly Family[]): Promise<FoundAddress[]> {
    const family = families.length > 1 ? 0 : families[0];
    const { ADDRCONFIG, promises } = loadDns();
    try {
      const found = await promises.lookup(name, { all: true, family, hints: ADDRCONFIG });
      return found.map(({ address }) => ({ address, ttl: null }));
    } catch (error) {
      throw toNameError(name, error);
    }
  }

  /** Each family is a question of its own: if one is answered and the other fails, its last answer stands. */
  async #askDns(name: string, families: readonly Family[]): Promise<FoundAddress[]> {
    const outcomes = await Promise.allSettled(families.map((family) => this.#askFamily(name, family)));
    const errors: NameError[] = [];
    const found: FoundAddress[] = [];
    for (const [i, outcome] of outcomes.entries()) {
      const key = `${families[i]} ${name}`;
      if (outcome.status === 'rejected') errors.push(toNameError(name, outcome.reason));
      const isUnknown = outcome.status === 'rejected' && !errors.at(-1)?.isAnswer;
      const addresses =
        outcome.status === 'fulfilled' ? outcome.value : isUnknown ? (this.#known.get(key) ?? []) : [];
      this.#asked.set(key, addresses);
      found.push(...addresses);
    }
    const unknown = errors.find((error) => !error.isAnswer);
    // Addresses that only stand from before are no answer: the caller knows them, and how old they are.
    if (errors.length === outcomes.length) throw unknown ?? errors[0];
    if (found.length === 0) throw unknown ?? new NameError(`${name} has no address`, true);
    return found;
  }

  #askFamily(name: string, family: Family): Promise<FoundAddress[]> {
    const resolver = this.#resolver as Resolver;
    return family === 4 ? resolver.resolve4(name, { ttl: true }) : resolver.resolve6(name, { ttl: true });
  }
}

function toNameError(name: string, error: unknown): NameError {
  if (error instanceof NameError) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  const isAnswer = code === 'ENOTFOUND' || code === 'ENODATA';
  return new NameError(`${name} cannot be resolved: ${code ?? message}`, isAnswer);
}

function toSortedSet(addresses: readonly NamedAddress[]): NamedAddress[] {
  const byKey = new Map(addresses.map((one) => [`${one.backup} ${one.host} ${one.port}`, one]));
  return [...byKey].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one);
}

/** Leaves out IPv6 addresses that this machine has no way to, unless there is nothing else. */
function keepReachable(found: FoundAddress[]): FoundAddress[] {
  if (!found.some(({ address }) => address.includes(':'))) return found;
  const own = listOwnIpv6();
  const kept = found.filter(({ address }) => {
    if (!address.includes(':')) return true;
    return address === '::1'
      ? own.includes(address)
      : own.some((each) => each !== '::1' && !/^fe80:/i.test(each));
  });
  return kept.length === 0 ? found : kept;
}

function listOwnIpv6(): string[] {
  try {
    const all = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
    return all.filter(({ family }) => family === 'IPv6').map(({ address }) => address);
  } catch {
    return ['::1', '::'];
  }
}
