// The `errorPages` setting: which page answers for an error. Levels are merged at load, pages found per status; how a
// page is fetched is for dispatch.

import { compileLocation } from '../handlers/respond/compile-location.ts';
import type { Exchange } from '../message/exchange.ts';

/** What answers in place of an error. */
export interface ErrorPageSettings {
  /** A URI of the site, "@name" for a named route of the same server, or an absolute URL. May hold variables. */
  readonly to: string;
  /** The status that the client sees: this one, the error's, or the one that the page was answered with. */
  readonly status: number | 'kept' | 'answered';
}

/** Pages by status ("404") or class ("5xx"). Null: none, whatever an outer level or the class says. */
export type ErrorPagesSettings = Readonly<Record<string, ErrorPageSettings | null>>;

/** A page, compiled. */
export interface ErrorPage {
  /** Where it is: percent-encoded, or "@name". */
  readonly locate: (exchange: Exchange) => string;
  /** Whether the client is sent there. */
  readonly isElsewhere: boolean;
  readonly status: ErrorPageSettings['status'];
}

/** The page for a status, or null for none. */
export type FindErrorPage = (status: number) => ErrorPage | null;

/**
 * Merges levels, outermost first. An inner level overrides the outer ones status by status; its classes override all
 * that they say of any status of the class.
 */
export function mergeErrorPages(...levels: readonly (ErrorPagesSettings | undefined)[]): ErrorPagesSettings {
  const merged = new Map<string, ErrorPageSettings | null>();
  for (const level of levels) {
    const keys = Object.keys(level ?? {});
    for (const key of keys.filter(isClass)) {
      for (const other of [...merged.keys()]) if (other[0] === key[0]) merged.delete(other);
    }
    for (const key of keys) merged.set(key, level?.[key] ?? null);
  }
  return Object.fromEntries(merged);
}

function isClass(key: string): boolean {
  return key.endsWith('xx');
}

/** Compiles merged levels; null when there is no page at all. */
export function compileErrorPages(settings: ErrorPagesSettings): FindErrorPage | null {
  const pages = new Map<string, ErrorPage | null>();
  for (const [key, page] of Object.entries(settings))
    pages.set(key, page === null ? null : compilePage(page));
  if (![...pages.values()].some((page) => page !== null)) return null;
  const byStatus = new Map<number, ErrorPage>();
  for (let status = 400; status < 600; status++) {
    const exact = pages.get(String(status));
    // 499 is what is logged when the client has left: nobody would see a page.
    const ofClass = status === 499 ? null : pages.get(`${String(status)[0]}xx`);
    const page = exact === undefined ? ofClass : exact;
    if (page) byStatus.set(status, page);
  }
  return (status) => byStatus.get(status) ?? null;
}

function compilePage({ to, status }: ErrorPageSettings): ErrorPage {
  const isElsewhere = !/^[/@]/.test(to);
  if (to.startsWith('@')) return { locate: () => to, isElsewhere, status };
  const location = compileLocation(to);
  return { locate: location.evaluate, isElsewhere, status };
}
