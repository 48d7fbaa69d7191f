// From a checked config as its author arranged it to the one form that the rest of the server knows: the shorthand
// for a single server becomes a server, defaults are filled in, levels merged.

import type { ListenAddress } from '../listener/listener-shape.ts';
import type { WrittenCompression } from '../middleware/compression/compression-shape.ts';
import { mergeCompression } from '../middleware/compression/merge-compression.ts';
import { mergeHeaders } from '../middleware/headers/header-rules.ts';
import type { HeadersSettings } from '../middleware/headers/headers-shape.ts';
import type { AccessLogSettings, ErrorLogSettings } from './log-shape.ts';
import type { ServerSettings, SiteSettings } from './site-settings.ts';
import type { WrittenServer, WrittenSite } from './site-shape.ts';

/** Where a server listens that does not say where. */
export const standardListen: ListenAddress = { key: 'tcp:*:8080', host: null, port: 8080, path: null };

const standardErrorLog: ErrorLogSettings = { path: null, level: 'notice' };

/** Brings a checked config into its final form. */
export function toSiteSettings(site: WrittenSite): SiteSettings {
  const accessLog = site.accessLog ?? null;
  const headers = site.headers ?? {};
  const servers: WrittenServer[] = site.servers ?? [{ routes: site.routes ?? [], listen: site.listen }];
  return {
    workers: site.workers,
    pid: site.pid ?? null,
    errorLog: site.errorLog ?? { ...standardErrorLog },
    accessLog,
    timeouts: site.timeouts,
    limits: site.limits,
    trustedProxies: site.trustedProxies,
    upstreams: site.upstreams,
    servers: servers.map((server) => toServerSettings(server, headers, accessLog, site.compress)),
  };
}

function toServerSettings(
  server: WrittenServer,
  outerHeaders: HeadersSettings,
  outerAccessLog: AccessLogSettings,
  outerCompress: WrittenCompression | undefined,
): ServerSettings {
  const names = server.names ?? [];
  return {
    listen: server.listen ?? [{ ...standardListen }],
    names: names.length === 0 ? [''] : names,
    isDefault: server.default ?? false,
    accessLog: server.accessLog === undefined ? outerAccessLog : server.accessLog,
    headers: mergeHeaders(outerHeaders, server.headers),
    routes: server.routes.map((route) => ({
      ...route,
      internal: route.internal ?? false,
      headers: mergeHeaders(outerHeaders, server.headers, route.headers),
      compress: mergeCompression(outerCompress, server.compress, route.compress),
    })),
  };
}
