// Holds an application to the interface within a test: the battery of `tsserve check-app` without its process.

import { join } from 'node:path';
import { FetchServer } from '../../src/app-host/fetch-server.ts';
import type { Application } from '../../src/app-host/load-application.ts';
import { NodeServer } from '../../src/app-host/node-server.ts';
import { observeFailures } from '../../src/app-host/report.ts';
import { CollectedFailures } from '../../src/app-host/validator/collected-failures.ts';
import { Ledger } from '../../src/app-host/validator/ledger.ts';
import { observeApplication } from '../../src/app-host/validator/observe-application.ts';
import { ObservedCalls } from '../../src/app-host/validator/observed-call.ts';
import { ReturnedHeaders } from '../../src/app-host/validator/returned-headers.ts';
import { runBattery } from '../../src/app-host/validator/run-battery.ts';
import type { Finding, FromCheck, RuleId } from '../../src/base/check-messages.ts';
import { createTempFolder } from '../support/temp-folder.ts';

/** What was found. */
export interface Checked {
  readonly findings: readonly Finding[];
  /** Broken rules, each once, in the order of their numbers. */
  readonly broken: readonly RuleId[];
  readonly advised: readonly RuleId[];
  readonly kept: ReadonlySet<RuleId>;
  readonly requests: number;
}

/** Asks it everything at the path "/". @param timeoutMs what one thing may take */
export async function checkApplication(application: Application, timeoutMs = 5_000): Promise<Checked> {
  const messages: FromCheck[] = [];
  const send = (message: FromCheck) => void messages.push(message);
  const calls = new ObservedCalls(application.interface, new Ledger(send));
  const headers = new ReturnedHeaders();
  const failures = new CollectedFailures(calls);
  const observed = observeApplication(application, calls, headers);
  const server =
    observed.interface === 'fetch' ? new FetchServer(observed.handle, 1) : new NodeServer(observed.listener);
  const socketPath = join(createTempFolder(), 'app.sock');
  await server.listen(socketPath);
  observeFailures((headline, thrown) => failures.add(headline, thrown));
  try {
    await runBattery({
      socketPath,
      paths: ['/'],
      fromStep: 0,
      timeoutMs,
      calls,
      headers,
      failures: failures.byRequest,
      send,
    });
  } finally {
    observeFailures(null);
    await server.drain();
  }
  return summarise(messages);
}

function summarise(messages: readonly FromCheck[]): Checked {
  const findings = messages.flatMap((message) => (message.type === 'finding' ? [message.finding] : []));
  const list = (isWanted: (finding: Finding) => boolean) => [
    ...new Set(findings.filter(isWanted).map(({ rule }) => rule)),
  ];
  return {
    findings,
    broken: list(({ level }) => level !== 'advice'),
    advised: list(({ level }) => level === 'advice'),
    kept: new Set(messages.flatMap((message) => (message.type === 'kept' ? [message.rule] : []))),
    requests: messages.reduce((sum, message) => sum + (message.type === 'step' ? message.requests : 0), 0),
  };
}
