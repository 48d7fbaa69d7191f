// Where the settings of a site come from. Read once for the start and again for every reload.

import type { SiteSettings } from '../server/site-settings.ts';

/** A source of settings. */
export interface SiteSource {
  /** What people know it by: "config/site.json", "./public". */
  readonly name: string;
  /** The absolute path of the config; null for a folder without one. */
  readonly file: string | null;
  /** Reads and checks. Rejects with a ConfigError. */
  readonly read: () => Promise<SiteSettings>;
  /** Absolute path of the pid file that it names, or null; read without checking anything else. */
  readonly findPidFile: () => string | null;
}
