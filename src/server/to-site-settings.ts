// From a checked config as its author arranged it to the one form that the rest of the server knows: the shorthand
// for a single server becomes a server, defaults are filled in, levels merged.

import type { ListenAddress } from '../listener/listener-shape.ts';
import { mergeCompression } from '../middleware/compression/merge-compression.ts';
import { mergeHeaders } from '../middleware/headers/header-rules.ts';
import { mergeErrorPages } from './error-pages.ts';
import type { ErrorLogSettings } from './log-shape.ts';
import type { RouteSettings, ServerSettings, SiteSettings } from './site-settings.ts';
import type { WrittenRoute, WrittenServer, WrittenSite } from './site-shape.ts';

/** Where a server listens that does not say where. */
export const standardListen: ListenAddress = { key: 'tcp:*:8080', host: null, port: 8080, path: null };

const standardErrorLog: ErrorLogSettings = { path: null, level: 'notice' };

/** Brings a checked config into its final form. */
export function toSiteSettings(site: WrittenSite): SiteSettings {
  const servers: WrittenServer[] = site.servers ?? [{ routes: site.routes ?? [], listen: site.listen }];
  return {
    workers: site.workers,
    pid: site.pid ?? null,
    errorLog: site.errorLog ?? { ...standardErrorLog },
    accessLog: site.accessLog ?? null,
    timeouts: site.timeouts,
    limits: site.limits,
    trustedProxies: site.trustedProxies,
    upstreams: site.upstreams,
    servers: servers.map((server) => toServerSettings(server, site)),
  };
}

function toServerSettings(server: WrittenServer, site: WrittenSite): ServerSettings {
  const names = server.names ?? [];
  return {
    listen: server.listen ?? [{ ...standardListen }],
    names: names.length === 0 ? [''] : names,
    isDefault: server.default ?? false,
    accessLog: server.accessLog === undefined ? (site.accessLog ?? null) : server.accessLog,
    headers: mergeHeaders(server.security ?? site.security, site.headers, server.headers),
    errorPages: mergeErrorPages(site.errorPages, server.errorPages),
    routes: server.routes.map((route) => toRouteSettings(route, server, site)),
  };
}

function toRouteSettings(
  { security, limitRateAfter, ...route }: WrittenRoute,
  server: WrittenServer,
  site: WrittenSite,
): RouteSettings {
  const preset = security ?? server.security ?? site.security;
  const rate = route.limitRate ?? server.limitRate ?? site.limitRate ?? 0;
  const after = limitRateAfter ?? server.limitRateAfter ?? site.limitRateAfter ?? 0;
  return {
    ...route,
    internal: route.internal ?? false,
    headers: mergeHeaders(preset, site.headers, server.headers, route.headers),
    errorPages: mergeErrorPages(site.errorPages, server.errorPages, route.errorPages),
    interceptErrors: route.interceptErrors ?? server.interceptErrors ?? site.interceptErrors ?? false,
    compress: mergeCompression(site.compress, server.compress, route.compress),
    expires: pickInnermost(route.expires, server.expires, site.expires),
    cors: pickInnermost(route.cors, server.cors, site.cors),
    limitRate: rate === 0 ? null : { rate, after },
  };
}

/** The first that is there; null says that there is nothing, and is an answer too. */
function pickInnermost<T>(...levels: readonly (T | null | undefined)[]): T | null {
  return levels.find((level) => level !== undefined) ?? null;
}
