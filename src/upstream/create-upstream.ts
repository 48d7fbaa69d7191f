// Makes an upstream from its settings.

import { Upstream, type UpstreamDeps } from './upstream.ts';
import type { UpstreamSettings } from './upstream-shape.ts';

/** Makes the upstream of that name. What it shares with one of the same settings survives a reload. */
export function createUpstream(name: string, settings: UpstreamSettings, deps: UpstreamDeps): Upstream {
  return new Upstream(name, settings, deps);
}
