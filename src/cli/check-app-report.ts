// What `tsserve check-app` found, for people and for programs.

import type { Finding } from '../base/check-messages.ts';
import { type CheckedRule, checkedRules } from './check-app-rules.ts';
import type { CheckResult } from './check-app-run.ts';

/** What can be said of a rule. unused: nothing of what the application did came under it. */
export type Verdict = 'kept' | 'broken' | 'advice' | 'unused';

/** One thing that was found, however often. */
export interface FoundThing {
  readonly level: Finding['level'];
  readonly detail: string;
  /** When: "GET /". */
  readonly occasions: readonly string[];
}

/** A rule with what was found. */
export interface RuleReport {
  readonly rule: CheckedRule;
  readonly verdict: Verdict;
  readonly found: readonly FoundThing[];
}

/** Which application was checked. */
export interface CheckSubject {
  readonly name: string;
  readonly interface: 'fetch' | 'node';
  readonly paths: readonly string[];
}

const maxOccasions = 3;

/** Every rule for applications of that interface, or that something was found about, in the order of the document. */
export function reportRules(result: CheckResult, kind: 'fetch' | 'node'): RuleReport[] {
  const isFound = ({ id }: CheckedRule) => result.findings.some((finding) => finding.rule === id);
  const rules = checkedRules.filter(
    (rule) => rule.interface === kind || rule.interface === 'both' || isFound(rule),
  );
  return rules.map((rule) => {
    const found = mergeFindings(result.findings.filter((finding) => finding.rule === rule.id));
    const isBroken = found.some(({ level }) => level !== 'advice');
    const verdict = isBroken ? 'broken' : found.length > 0 ? 'advice' : null;
    return { rule, verdict: verdict ?? (result.kept.has(rule.id) ? 'kept' : 'unused'), found };
  });
}

function mergeFindings(findings: readonly Finding[]): FoundThing[] {
  const merged = new Map<string, FoundThing>();
  for (const { level, detail, occasion } of findings) {
    const key = `${level} ${detail}`;
    const occasions = merged.get(key)?.occasions ?? [];
    merged.set(key, {
      level,
      detail,
      occasions: occasions.includes(occasion) ? occasions : [...occasions, occasion],
    });
  }
  return [...merged.values()];
}

/** For a terminal, or a file: colours only if asked for. Ends with a newline. */
export function formatCheckReport(result: CheckResult, subject: CheckSubject, color: boolean): string {
  const reports = reportRules(result, subject.interface);
  const paint = (code: number, text: string): string => (color ? `\x1b[${code}m${text}\x1b[0m` : text);
  const labels: Record<Verdict, string> = {
    kept: paint(32, 'kept  '),
    broken: paint(31, 'BROKEN'),
    advice: paint(33, 'advice'),
    unused: paint(2, 'unused'),
  };
  const what = subject.interface === 'node' ? 'a Node listener' : 'a gateway function';
  const lines = [`${subject.name}: ${what}, asked ${result.requests} times at ${subject.paths.join(' ')}`];
  let section = '';
  for (const { rule, verdict, found } of reports) {
    if (rule.section !== section) lines.push('', paint(1, rule.section));
    section = rule.section;
    lines.push(`  ${labels[verdict]}  ${rule.id.padEnd(3)}  ${rule.sentence}`);
    for (const thing of found) lines.push(`               ${formatFound(thing)}`);
  }
  if (result.isIncomplete) lines.push('', 'It ended its process again and again: not everything was asked.');
  return `${[...lines, '', formatSummary(reports)].join('\n')}\n`;
}

function formatFound({ level, detail, occasions }: FoundThing): string {
  const shown = occasions.slice(0, maxOccasions).join(', ');
  const more = occasions.length > maxOccasions ? ` and ${occasions.length - maxOccasions} more` : '';
  const host = level === 'host' ? 'a fault of tsserve, please report it: ' : '';
  return `- ${host}${detail} [${shown}${more}]`;
}

function formatSummary(reports: readonly RuleReport[]): string {
  const count = (verdict: Verdict): number => reports.filter((report) => report.verdict === verdict).length;
  return (
    `${count('broken')} broken, ${count('advice')} with advice, ${count('kept')} kept, ` +
    `${count('unused')} that nothing came under (docs/gateway.md has the rules)`
  );
}

/** The same for programs. Ends with a newline. */
export function formatCheckJson(result: CheckResult, subject: CheckSubject): string {
  const { refusal, requests, isIncomplete } = result;
  const rules = reportRules(result, subject.interface).map(({ rule, verdict, found }) => ({
    id: rule.id,
    section: rule.section,
    sentence: rule.sentence,
    verdict,
    findings: found,
  }));
  const body = refusal === null ? { requests, complete: !isIncomplete, rules } : { refusal };
  return `${JSON.stringify({ application: subject.name, interface: subject.interface, paths: subject.paths, ...body }, null, 2)}\n`;
}

/** 0 when all rules are kept, 1 when one is broken, 2 when the application does not load. */
export function chooseExitCode(result: CheckResult): number {
  if (result.refusal !== null) return 2;
  return result.isIncomplete || result.findings.some(({ level }) => level !== 'advice') ? 1 : 0;
}
