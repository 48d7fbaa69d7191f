// A document against a shape: settings, or everything that is wrong with them, each problem in its place.

import type { z } from 'zod';
import type { ConfigDocument } from './config-document.ts';
import type { ConfigProblem } from './config-error.ts';
import { describeIssue, type Finding, knownKeysInMessage } from './describe-issue.ts';
import { formatSettingPath } from './setting-path.ts';
import { parseInDirectory } from './shape/base-directory.ts';

/** What checking gives: settings when there are no problems, else null. */
export interface CheckedSettings<T> {
  readonly settings: T | null;
  /** In the order in which they were found; those of reading are not among them. */
  readonly problems: readonly ConfigProblem[];
}

/** Checks a document. A value that was already unreadable (an unset variable in it) is not complained of again. */
export function checkSettings<S extends z.ZodType>(
  document: ConfigDocument,
  shape: S,
): CheckedSettings<z.output<S>> {
  // Code made for a shape, as zod would by itself, takes longer to make than to do without: a config is read once.
  const result = parseInDirectory(document.directory, () =>
    shape.safeParse(document.value, { error: knownKeysInMessage, jitless: true }),
  );
  if (result.success) return { settings: result.data, problems: [] };
  const findings = result.error.issues.flatMap((issue) => describeIssue(issue, document.value));
  const known = new Set(document.problems.map((problem) => problem.at));
  const problems = findings
    .filter((finding) => !isMistypedKey(finding, findings) && !known.has(formatSettingPath(finding.path)))
    .map(({ path, problem, hint, part }) => document.createProblem(path, problem, hint, part));
  return { settings: null, problems };
}

/** Whether a key is missing only because its name was mistyped, which is another finding's to say. */
function isMistypedKey(finding: Finding, findings: readonly Finding[]): boolean {
  if (finding.missing === null) return false;
  const at = formatSettingPath(finding.path);
  return findings.some(
    (other) =>
      other.hint === `did you mean "${finding.missing}"?` &&
      formatSettingPath(other.path.slice(0, -1)) === at,
  );
}
