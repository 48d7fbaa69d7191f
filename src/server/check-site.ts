// A config, from a file, a text or an object, to the checked settings of a site. All problems come in one report.

import { checkSettings } from '../config/check-settings.ts';
import { type ConfigDocument, createDocument } from '../config/config-document.ts';
import { ConfigError } from '../config/config-error.ts';
import { findSiteProblems } from './find-site-problems.ts';
import type { SiteSettings } from './site-settings.ts';
import { siteShape } from './site-shape.ts';
import { toSiteSettings } from './to-site-settings.ts';

/** Checks a read document. Throws a {@link ConfigError} with every problem there is. The settings are frozen. */
export function checkDocument(document: ConfigDocument): SiteSettings {
  const { settings, problems } = checkSettings(document, siteShape);
  const all = [...document.problems, ...problems, ...findSiteProblems(document)];
  if (settings === null || all.length > 0) throw new ConfigError(all);
  return freeze(toSiteSettings(settings));
}

/**
 * Checks a site given as an object. Relative paths start from `directory`; `name` stands for the file in reports.
 * Environment references are not expanded. Throws a {@link ConfigError}.
 */
export function checkSite(value: unknown, options: { directory: string; name: string }): SiteSettings {
  return checkDocument(createDocument(value, options.name, options.directory));
}

function freeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  for (const member of Object.values(value)) freeze(member);
  return Object.freeze(value);
}
