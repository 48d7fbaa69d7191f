// What `tsserve check-app` and the process that holds an application to the interface tell each other over their IPC
// channel. The process runs other people's code, which may write to the channel too: nothing is believed unchecked.

/** A rule of docs/gateway.md. */
export type RuleId = `G${number}`;

/**
 * broken: the application does not keep the rule. advice: it does, but something will surprise. host: tsserve's side is
 * broken.
 */
export type FindingLevel = 'broken' | 'advice' | 'host';

/** Something that was noticed. */
export interface Finding {
  readonly rule: RuleId;
  readonly level: FindingLevel;
  /** What was going on: "POST /api with 21 bytes", "close". */
  readonly occasion: string;
  readonly detail: string;
}

/** To the process: check this application. Comes once and first. */
export interface CheckOrder {
  readonly type: 'check';
  /** Absolute path of the module. */
  readonly file: string;
  readonly interface: 'fetch' | 'node';
  readonly socketPath: string;
  /** Paths to ask, each beginning with "/". */
  readonly paths: readonly string[];
  /** The step to begin with, from 0: those before it were done by a process that has died. */
  readonly fromStep: number;
  /** How long one thing may take: a response, its body, draining, `close`. */
  readonly timeoutMs: number;
  /** How often to send a beat. */
  readonly beatMs: number;
}

/** From the process. `step` comes before each group of requests; `done` when everything was asked and closed. */
export type FromCheck =
  | { readonly type: 'beat' }
  | { readonly type: 'loaded' }
  | { readonly type: 'refused'; readonly report: string }
  | { readonly type: 'step'; readonly step: number; readonly occasion: string; readonly requests: number }
  | { readonly type: 'kept'; readonly rule: RuleId }
  | { readonly type: 'finding'; readonly finding: Finding }
  | { readonly type: 'done' };

const levels: readonly unknown[] = ['broken', 'advice', 'host'] satisfies FindingLevel[];

/** The message, or null when it is none of ours. */
export function parseCheckMessage(message: unknown): FromCheck | null {
  if (typeof message !== 'object' || message === null) return null;
  const { type, report, step, occasion, requests, rule, finding } = message as Record<string, unknown>;
  if (type === 'beat' || type === 'loaded' || type === 'done') return { type };
  if (type === 'refused' && typeof report === 'string') return { type, report };
  if (type === 'kept' && isRule(rule)) return { type, rule };
  if (type === 'finding' && isFinding(finding)) return { type, finding };
  const isStep = type === 'step' && typeof occasion === 'string' && isCount(step) && isCount(requests);
  return isStep ? { type, step, occasion, requests } : null;
}

function isFinding(value: unknown): value is Finding {
  if (typeof value !== 'object' || value === null) return false;
  const { rule, level, occasion, detail } = value as Record<string, unknown>;
  return isRule(rule) && levels.includes(level) && typeof occasion === 'string' && typeof detail === 'string';
}

function isRule(value: unknown): value is RuleId {
  return typeof value === 'string' && /^G\d{1,3}$/.test(value);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
