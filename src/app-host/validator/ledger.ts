// What is known of each rule while an application is held to them: kept where it came to matter, or broken.

import type { Finding, FindingLevel, FromCheck, RuleId } from '../../base/check-messages.ts';

/** What a check has to say of a rule. */
export interface Problem {
  readonly rule: RuleId;
  readonly level: FindingLevel;
  readonly detail: string;
}

/** Passes on what is noticed, each thing once. */
export class Ledger {
  readonly #send: (message: FromCheck) => void;
  readonly #kept = new Set<RuleId>();
  readonly #findings = new Set<string>();

  constructor(send: (message: FromCheck) => void) {
    this.#send = send;
  }

  /** The rules came to matter. One that is broken elsewhere is broken all the same. */
  keep(...rules: RuleId[]): void {
    for (const rule of rules) {
      if (this.#kept.has(rule)) continue;
      this.#kept.add(rule);
      this.#send({ type: 'kept', rule });
    }
  }

  /** @param occasion what was going on: "GET /" */
  add({ rule, level, detail }: Problem, occasion: string): void {
    const finding: Finding = { rule, level, occasion, detail };
    const key = JSON.stringify(finding);
    if (this.#findings.has(key)) return;
    this.#findings.add(key);
    this.#send({ type: 'finding', finding });
  }
}
