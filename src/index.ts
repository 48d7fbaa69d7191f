// The public API: a site as a typed object, a server inside one's own process, and the types of gateway functions.

import { createServer as createUntypedServer, type EmbeddedServer } from './process/create-server.ts';
import type { SiteInput } from './server/site-shape.ts';

export type {
  GatewayContext,
  GatewayFunction,
  GatewayModule,
  GatewayObject,
  NodeListener,
} from './app-host/gateway-function.ts';
export { ConfigError, type ConfigProblem } from './config/config-error.ts';
export type { EmbeddedServer, ServerAddress } from './process/create-server.ts';
export type { SiteInput } from './server/site-shape.ts';

/** Gives a site back as it is: an editor then completes and checks its keys. */
export function defineSite(site: SiteInput): SiteInput {
  return site;
}

/**
 * Makes a server of a site. Everything but the applications runs in this process; `workers` means nothing here.
 * Throws a ConfigError with everything that is wrong with the site.
 * @param options.directory where relative paths of the site start; default: the working directory
 */
export function createServer(site: SiteInput, options: { directory?: string } = {}): EmbeddedServer {
  return createUntypedServer(site, options);
}
