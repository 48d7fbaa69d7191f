// Loads http-proxy when the first tunnel is opened: most sites never need it.

import { createRequire } from 'node:module';
import util from 'node:util';
import type HttpProxy from 'http-proxy';

let loaded: HttpProxy | null = null;

/** The one proxy of this process. It is used for its pass of upgrades, never for a request with a body. */
export function loadHttpProxy(): HttpProxy {
  if (loaded !== null) return loaded;
  const legacy = util as { _extend?: unknown };
  const original = legacy._extend;
  // What it takes from here on loading warns of its deprecation when used. This does the same without a word.
  legacy._extend = Object.assign;
  try {
    const { createProxyServer } = createRequire(import.meta.url)('http-proxy') as typeof HttpProxy;
    loaded = createProxyServer({});
  } finally {
    legacy._extend = original;
  }
  // A failure is told to the tunnel it belongs to; without a listener it would be thrown as well.
  loaded.on('error', () => {});
  return loaded;
}
