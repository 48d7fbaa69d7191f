// The checked settings of a site, as they travel from master to worker: plain JSON, every default filled in, every
// level merged. Only types: a worker imports this without loading what checks a config.

import type { CgiSettings } from '../handlers/cgi/cgi-shape.ts';
import type { ProxySettings } from '../handlers/proxy/proxy-shape.ts';
import type { RedirectSettings } from '../handlers/respond/redirect-shape.ts';
import type { ReturnSettings } from '../handlers/respond/return-shape.ts';
import type { StaticSettings } from '../handlers/static/static-shape.ts';
import type { LimitsSettings, ListenAddress, TimeoutsSettings } from '../listener/listener-shape.ts';
import type { CompressionSettings } from '../middleware/compression/merge-compression.ts';
import type { CorsSettings } from '../middleware/cors/cors-shape.ts';
import type { ExpiresSettings } from '../middleware/headers/compile-expires.ts';
import type { HeadersSettings } from '../middleware/headers/headers-shape.ts';
import type { LimitRateSettings } from '../middleware/limit-rate/create-limit-rate.ts';
import type { UpstreamSettings } from '../upstream/upstream-shape.ts';
import type { ErrorPagesSettings } from './error-pages.ts';
import type { AccessLogSettings, ErrorLogSettings } from './log-shape.ts';
import type { PathSettings } from './path-shape.ts';

/** What a site is made of. Durations in milliseconds, sizes in bytes, paths absolute. */
export interface SiteSettings {
  /** Front workers; 0 runs everything in one process. */
  readonly workers: 'auto' | number;
  readonly upstreams: Readonly<Record<string, UpstreamSettings>>;
  /** At least one. */
  readonly servers: readonly ServerSettings[];
  readonly timeouts: TimeoutsSettings;
  readonly limits: LimitsSettings;
  /** What a server has unless it says otherwise; each server's own is final. */
  readonly accessLog: AccessLogSettings;
  readonly errorLog: ErrorLogSettings;
  /** File for the master's process id, or null. */
  readonly pid: string | null;
  /** IP addresses and CIDR ranges. */
  readonly trustedProxies: readonly string[];
}

/** One virtual host. */
export interface ServerSettings {
  /** At least one. */
  readonly listen: readonly ListenAddress[];
  /** At least one; [""] for a server without names. */
  readonly names: readonly string[];
  /** Whether it takes what fits no name, on each of its addresses. Without any such server the first one does. */
  readonly isDefault: boolean;
  readonly routes: readonly RouteSettings[];
  /** Of the top and this level, for replies that no route gives. */
  readonly headers: HeadersSettings;
  readonly errorPages: ErrorPagesSettings;
  readonly accessLog: AccessLogSettings;
}

/** One route. Exactly one of `static`, `proxy`, `cgi`, `return` and `redirect` is there. */
export interface RouteSettings {
  readonly path: PathSettings;
  readonly static?: StaticSettings | undefined;
  readonly proxy?: ProxySettings | undefined;
  readonly cgi?: CgiSettings | undefined;
  readonly return?: ReturnSettings | undefined;
  readonly redirect?: RedirectSettings | undefined;
  /** Of all levels: final. */
  readonly headers: HeadersSettings;
  readonly errorPages: ErrorPagesSettings;
  /** Whether they are for the replies of upstreams too. */
  readonly interceptErrors: boolean;
  /** Of all levels; null for no compression. */
  readonly compress: CompressionSettings | null;
  /** Of the innermost level that says something of it, as the two that follow; null for nothing. */
  readonly expires: ExpiresSettings;
  readonly cors: CorsSettings | null;
  readonly limitRate: LimitRateSettings | null;
  /** Whether only internal redirects lead here. */
  readonly internal: boolean;
}
