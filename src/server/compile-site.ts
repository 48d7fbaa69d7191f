// Checked settings become a Site: every setting a closure, every handler made, nothing left to look up per request.
// A new handler or middleware is one line here (and one in site-shape.ts).

import { compileIpRanges } from '../base/ip-ranges.ts';
import type { Log } from '../base/log.ts';
import type { Lease, SharedPool } from '../base/shared-pool.ts';
import type { TimerWheel } from '../base/timer-wheel.ts';
import { createCgi } from '../handlers/cgi/create-cgi.ts';
import { createProxy } from '../handlers/proxy/create-proxy.ts';
import { createRedirect } from '../handlers/respond/create-redirect.ts';
import { createReturn } from '../handlers/respond/create-return.ts';
import { createStatic } from '../handlers/static/create-static.ts';
import { findClientAddress } from '../message/forwarded.ts';
import type { Handle, Handler } from '../message/handler.ts';
import { HttpError } from '../message/http-error.ts';
import { createCompression } from '../middleware/compression/create-compression.ts';
import { createCors } from '../middleware/cors/create-cors.ts';
import { compileHeaders } from '../middleware/headers/compile-headers.ts';
import { createExpires, createHeaders } from '../middleware/headers/create-headers.ts';
import { createLimitRate } from '../middleware/limit-rate/create-limit-rate.ts';
import { AccessLog, compileLogFormat } from '../observe/access-log.ts';
import { type HostEntry, HostTable } from '../router/host-table.ts';
import { type LocationEntry, LocationTable } from '../router/location-table.ts';
import { createUpstream } from '../upstream/create-upstream.ts';
import type { InstanceDirectory } from '../upstream/instance-directory.ts';
import type { Upstream } from '../upstream/upstream.ts';
import { compileErrorPages } from './error-pages.ts';
import { interceptErrors } from './error-pages-request.ts';
import { type Location, type Site, SiteUsage, VirtualHost } from './site.ts';
import type { RouteSettings, ServerSettings, SiteSettings } from './site-settings.ts';

/** What a Site is compiled with: everything here outlives it. */
export interface SiteDeps {
  readonly log: Log;
  readonly shared: SharedPool;
  readonly timers: TimerWheel;
  readonly instances: InstanceDirectory;
  /** Whether to serve without an access log that cannot be opened, and say so, rather than not at all. */
  readonly servesUnlogged: boolean;
}

/** Compiles a Site. Throws when something cannot be had (a log file, as a rule); then nothing stays taken. */
export function compileSite(settings: SiteSettings, deps: SiteDeps): Site {
  const compiler = new SiteCompiler(settings, deps);
  try {
    return compiler.compile();
  } catch (error) {
    compiler.close();
    throw error;
  }
}

class SiteCompiler {
  readonly #settings: SiteSettings;
  readonly #deps: SiteDeps;
  readonly #upstreams = new Map<string, Upstream>();
  readonly #isTrusted: (address: string) => boolean;
  readonly #closers: (() => void)[] = [];

  constructor(settings: SiteSettings, deps: SiteDeps) {
    this.#settings = settings;
    this.#deps = deps;
    this.#isTrusted = compileIpRanges(settings.trustedProxies);
  }

  compile(): Site {
    const { servers, limits, upstreams, trustedProxies } = this.#settings;
    for (const [name, upstreamSettings] of Object.entries(upstreams)) {
      const upstream = createUpstream(name, upstreamSettings, this.#deps);
      this.#upstreams.set(name, upstream);
      this.#closers.push(() => upstream.close());
    }
    const usage = new SiteUsage(() => this.close());
    const hosts = servers.map((server) => ({ server, host: this.#compileServer(server, usage) }));
    const isTrusted = this.#isTrusted;
    return {
      hosts: compileListeners(hosts),
      maxBodyBytes: limits.body === 0 ? Number.POSITIVE_INFINITY : limits.body,
      findClientAddress:
        trustedProxies.length === 0
          ? (exchange) => exchange.connection.peerAddress
          : (exchange) => findClientAddress(exchange.connection.peerAddress, exchange.fields, isTrusted),
      usage,
    };
  }

  /** Lets go of everything taken so far. */
  close(): void {
    for (const close of this.#closers.splice(0).reverse()) close();
  }

  #compileServer(server: ServerSettings, usage: SiteUsage): VirtualHost {
    const entries: LocationEntry<Location>[] = [];
    const named = new Map<string, Location>();
    for (const route of server.routes) {
      const { modifier, value } = route.path;
      const payload = this.#compileRoute(route);
      if (modifier === '@') named.set(value, payload);
      else entries.push({ modifier, value, payload });
    }
    const parts = {
      name: server.names[0] ?? '',
      locations: new LocationTable(entries),
      named,
      applyHeaders: compileHeaders(server.headers),
      findErrorPage: compileErrorPages(server.errorPages),
      logAccess: this.#compileAccessLog(server),
    };
    return new VirtualHost(parts, usage);
  }

  #compileRoute(route: RouteSettings): Location {
    const handler = this.#createHandler(route);
    this.#closers.push(() => handler.close());
    const { headers, expires, cors, limitRate } = route;
    const { modifier, value } = route.path;
    const applyHeaders = compileHeaders(headers);
    const findErrorPage = compileErrorPages(route.errorPages);
    let { handle } = handler;
    if (findErrorPage !== null && answersErrors(route)) handle = interceptErrors(handle, findErrorPage);
    if (expires !== null) handle = createExpires(expires)(handle);
    if (Object.keys(headers).length > 0) handle = createHeaders(headers)(handle);
    handle = this.#compress(route, handle);
    const policy = cors === null ? null : createCors(cors);
    if (policy !== null) handle = policy.wrap(handle);
    if (limitRate !== null) handle = createLimitRate(limitRate, this.#deps.timers)(handle);
    return {
      route: modifier === '@' ? `@${value}` : `${modifier} ${value}`.trim(),
      handle: route.internal ? hideFromClients(handle) : handle,
      findErrorPage,
      applyHeaders:
        policy === null
          ? applyHeaders
          : (exchange, reply) => policy.apply(exchange, applyHeaders(exchange, reply)),
    };
  }

  #compress({ compress, headers, ...route }: RouteSettings, handle: Handle): Handle {
    if (compress === null) return handle;
    const hasOwnTag = Object.keys(headers).some((name) => name.toLowerCase() === 'etag');
    const answersFiles = route.static !== undefined && !hasOwnTag;
    const compression = createCompression(compress, { shared: this.#deps.shared, answersFiles });
    this.#closers.push(() => compression.close());
    return compression.wrap(handle);
  }

  #createHandler(route: RouteSettings): Handler {
    const { log, shared, timers } = this.#deps;
    if (route.static !== undefined) return createStatic(route.static, { shared, log });
    if (route.return !== undefined) return createReturn(route.return);
    if (route.redirect !== undefined) return createRedirect(route.redirect);
    const isTrusted = this.#isTrusted;
    if (route.cgi !== undefined) {
      return createCgi(route.cgi, { upstream: this.#getUpstream(route.cgi.upstream), isTrusted });
    }
    if (route.proxy === undefined) throw new Error(`route ${route.path.value} has no handler`);
    const getUpstream = (name: string) => this.#getUpstream(name);
    return createProxy(route.proxy, { getUpstream, timers, log, isTrusted });
  }

  #getUpstream(name: string): Upstream {
    const upstream = this.#upstreams.get(name);
    if (upstream === undefined) throw new Error(`no upstream ${name}`);
    return upstream;
  }

  #compileAccessLog(server: ServerSettings): VirtualHost['parts']['logAccess'] {
    const { accessLog } = server;
    if (accessLog === null) return null;
    const { path, format } = accessLog;
    const lease = this.#takeAccessLog(path);
    if (lease === null) return null;
    this.#closers.push(() => lease.release());
    const formatLine = compileLogFormat(format);
    return (exchange) => lease.value.write(formatLine(exchange));
  }

  #takeAccessLog(path: string): Lease<AccessLog> | null {
    const { shared, log, servesUnlogged } = this.#deps;
    try {
      return shared.take(`access-log:${path}`, () => new AccessLog(path));
    } catch (error) {
      if (!servesUnlogged) throw error;
      log('error', `no access log until the next reload: ${(error as Error).message}`);
      return null;
    }
  }
}

/** Whether this route's replies with an error's status are errors of ours, or count as such. A text from the config stands. */
function answersErrors(route: RouteSettings): boolean {
  if (route.proxy !== undefined || route.cgi !== undefined) return route.interceptErrors;
  return route.return === undefined || route.return.body === '';
}

const internalRoute = new HttpError('TSS_NO_ROUTE', 'this route is internal', [], { shared: true });

function hideFromClients(handle: Handle): Handle {
  return (exchange) => (exchange.redirected ? handle(exchange) : internalRoute);
}

function compileListeners(
  hosts: readonly { server: ServerSettings; host: VirtualHost }[],
): ReadonlyMap<string, HostTable<VirtualHost>> {
  const entriesByKey = new Map<string, HostEntry<VirtualHost>[]>();
  for (const { server, host } of hosts) {
    for (const { key } of server.listen) {
      const entries = entriesByKey.get(key) ?? [];
      entries.push({ names: server.names, isDefault: server.isDefault, payload: host });
      entriesByKey.set(key, entries);
    }
  }
  return new Map([...entriesByKey].map(([key, entries]) => [key, new HostTable(entries)]));
}
