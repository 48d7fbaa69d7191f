// The program that holds an application to the interface, started by path from cli: the application is loaded, served
// and ended as in an instance, and looked on meanwhile.

import type { CheckOrder, FromCheck } from '../base/check-messages.ts';
import { describeLoadFailure } from './describe-load-failure.ts';
import { type Application, loadModule } from './load-application.ts';
import { observeFailures } from './report.ts';
import { type RunningApplication, type StartOrder, startApplication } from './running-application.ts';
import { closeApplication } from './validator/close-application.ts';
import { CollectedFailures } from './validator/collected-failures.ts';
import { Ledger } from './validator/ledger.ts';
import { observeApplication } from './validator/observe-application.ts';
import { ObservedCalls } from './validator/observed-call.ts';
import { OpenHandles } from './validator/open-handles.ts';
import { ReturnedHeaders } from './validator/returned-headers.ts';
import { runBattery } from './validator/run-battery.ts';
import { WebClassesWatch } from './validator/watch-globals.ts';
import { ExitCall, watchExit, watchListening, watchUncaught } from './validator/watch-process.ts';
import { startHeartbeat } from './vital-signs.ts';

/** The application may not have it. */
const exit = process.exit.bind(process);
/** Which upstream and instance the application is told to be. */
const name = 'app#1';

function send(message: FromCheck | { readonly type: string }, onSent: () => void = () => {}): void {
  if (process.connected) process.send?.(message, onSent);
}

/** One check from its order to its end. */
class Check {
  readonly #order: CheckOrder;
  readonly #start: StartOrder;
  readonly #ledger = new Ledger(send);
  readonly #calls: ObservedCalls;
  readonly #headers = new ReturnedHeaders();
  readonly #failures: CollectedFailures;
  readonly #handles = new OpenHandles();
  #isLoaded = false;
  /** The default export, where it is a listener or a server. */
  #exported: unknown = null;

  constructor(order: CheckOrder) {
    this.#order = order;
    this.#start = { ...order, type: 'start', instance: 1, name, maxRequests: 0, concurrency: 0 };
    this.#calls = new ObservedCalls(order.interface, this.#ledger);
    this.#failures = new CollectedFailures(this.#calls);
  }

  async run(): Promise<void> {
    this.#watch();
    const classes = this.#order.interface === 'fetch' ? await this.#watchClasses() : null;
    const application = await this.#load();
    if (application === null) return;
    await runBattery({
      ...this.#order,
      calls: this.#calls,
      headers: this.#headers,
      failures: this.#failures.byRequest,
      send,
    });
    classes?.compare(this.#ledger, 'the end');
    await closeApplication(application, this.#calls, this.#handles, this.#order.timeoutMs);
    // What the process would still do is nobody's any more.
    send({ type: 'done' }, () => exit(0));
  }

  #watch(): void {
    process.on('uncaughtException', (error) => this.#refuse(error));
    watchExit(this.#calls);
    watchUncaught(this.#calls);
    observeFailures((headline, thrown) => this.#failures.add(headline, thrown));
    if (this.#order.interface === 'node') watchListening(this.#calls, () => this.#exported);
  }

  /** The lean classes are in their places before anybody adds to them. */
  async #watchClasses(): Promise<WebClassesWatch> {
    const { installLeanGlobals } = await import('./install-lean-globals.ts');
    installLeanGlobals();
    return new WebClassesWatch();
  }

  async #load(): Promise<RunningApplication | null> {
    try {
      const application = await startApplication(this.#start, (found) => this.#observe(found));
      this.#isLoaded = true;
      const exports = await loadModule(this.#order.file);
      this.#ledger.keep('G4', 'G8', this.#order.interface === 'fetch' ? 'G2' : 'G3');
      if ('init' in exports) this.#ledger.keep('G5');
      if ('close' in exports) this.#ledger.keep('G6');
      send({ type: 'loaded' });
      startHeartbeat(this.#start, send);
      return application;
    } catch (thrown) {
      this.#refuse(thrown);
      return null;
    }
  }

  #observe(found: Application): Application {
    this.#exported = found.interface === 'node' ? found.listener : null;
    return observeApplication(found, this.#calls, this.#headers);
  }

  /** It does not load: nothing else is to be known about it. */
  #refuse(thrown: unknown): void {
    if (this.#isLoaded) return;
    const { file } = this.#order;
    const report =
      thrown instanceof ExitCall
        ? `${file}: ${thrown.message} before the application was ready`
        : describeLoadFailure(thrown, file);
    send({ type: 'refused', report }, () => exit(2));
  }
}

process.once('message', (order: CheckOrder) => void new Check(order).run());
process.on('disconnect', () => exit(0));
// Ctrl-C reaches every process of the terminal; whoever started this one decides.
for (const signal of ['SIGINT', 'SIGHUP', 'SIGQUIT'] as const) process.on(signal, () => {});
