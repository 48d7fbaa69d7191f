// The upstreams of a site whose processes are started and watched here.

import type { SiteSettings } from '../server/site-settings.ts';

type UpstreamSettings = SiteSettings['upstreams'][string];

/** What the config says of an application or a program. */
export type ProgramSettings = Exclude<UpstreamSettings, { readonly servers: unknown }>;

/** What it says of an application. */
export type AppSettings = Extract<ProgramSettings, { readonly app: string }>;

/** What says that an instance is ready. */
export type ReadySettings = NonNullable<ProgramSettings['ready']>;

/** Those of a site, by name. */
export function listPrograms(settings: SiteSettings): Map<string, ProgramSettings> {
  const programs = new Map<string, ProgramSettings>();
  for (const [name, upstream] of Object.entries(settings.upstreams)) {
    if (!('servers' in upstream)) programs.set(name, upstream);
  }
  return programs;
}
