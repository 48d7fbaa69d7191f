// An application from its loading to its end: module, init, requests, close, in this order.

import type { ToInstance } from '../base/instance-messages.ts';
import type { ApplicationServer } from './application-server.ts';
import type { InstanceContext } from './gateway-function.ts';
import {
  type Application,
  type ApplicationHooks,
  findApplication,
  findHooks,
  loadModule,
} from './load-application.ts';
import { reportFailure, reportMessage } from './report.ts';
import { watchApplication } from './vital-signs.ts';

/** What to run, and where. */
export type StartOrder = Extract<ToInstance, { type: 'start' }>;

/** A server with the Node server behind it, if there is one. */
interface Host {
  readonly host: ApplicationServer;
  readonly nodeServer: InstanceContext['server'];
}

/** An application that takes requests. */
export class RunningApplication {
  readonly #server: ApplicationServer;
  readonly #hooks: ApplicationHooks;
  readonly #leaving: AbortController;

  constructor(server: ApplicationServer, hooks: ApplicationHooks, leaving: AbortController) {
    this.#server = server;
    this.#hooks = hooks;
    this.#leaving = leaving;
  }

  /** Takes nothing new, tells the application so, and resolves when nothing runs any more. */
  async drain(): Promise<void> {
    this.#leaving.abort();
    await this.#server.drain();
  }

  /** Lets the application close what it opened. What goes wrong with that is reported. */
  async close(): Promise<void> {
    try {
      await this.#hooks.close?.();
    } catch (error) {
      reportFailure('close failed', error);
    }
  }
}

/**
 * Loads, initialises and serves an application. Rejects with an ApplicationError, or what the application throws.
 * @param observe what is called in the place of the application: the validator looks on there
 */
export async function startApplication(
  order: StartOrder,
  observe: (application: Application) => Application = (application) => application,
): Promise<RunningApplication> {
  const { file, name, instance, socketPath } = order;
  if (order.interface === 'fetch') {
    (await import('./install-lean-globals.ts')).installLeanGlobals();
    (await import('./guard-abort-listeners.ts')).guardAbortListeners();
  }
  const module = await loadModule(file);
  const found = observe(findApplication(module, file, order.interface));
  const application = watchApplication(found, order.concurrency);
  const hooks = findHooks(module, file);
  const { host, nodeServer } = await createHost(application, instance);
  const leaving = new AbortController();
  await hooks.init?.({
    upstream: name.slice(0, name.lastIndexOf('#')),
    instance,
    signal: leaving.signal,
    server: nodeServer,
    log: (...values) => reportMessage('', values),
  });
  await host.listen(socketPath);
  return new RunningApplication(host, hooks, leaving);
}

/** Only what this application needs is loaded. */
async function createHost(application: Application, instance: number): Promise<Host> {
  if (application.interface === 'fetch') {
    const { FetchServer } = await import('./fetch-server.ts');
    return { host: new FetchServer(application.handle, instance), nodeServer: null };
  }
  const { NodeServer } = await import('./node-server.ts');
  const host = new NodeServer(application.listener);
  return { host, nodeServer: host.server };
}
