// What an instance lets its supervisor know of its life: a beat of its event loop with the number of requests so far,
// and, for whoever stops it in a debugger, what runs. Also the gate that keeps to the limit of concurrency.

import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { monotonicMs } from '../base/clock.ts';
import { type FromInstance, runningSymbolName, type ToInstance } from '../base/instance-messages.ts';
import type { GatewayContext, GatewayFunction, NodeListener } from './gateway-function.ts';
import type { Application } from './load-application.ts';
import { RequestGate } from './request-gate.ts';

type StartOrder = Extract<ToInstance, { type: 'start' }>;

interface Running {
  /** "GET /path, request 0123". Made when asked for. */
  describe(): string;
  readonly startedAtMs: number;
}

const running = new Set<Running>();
/** The one whose function is on the stack, if it has not returned yet. */
let current: Running | null = null;
let requests = 0;
let onWorn: () => void = () => {};
let wornAt = 0;

/** The same application, its requests counted, and held back when too many would run at a time. */
export function watchApplication<T extends Application>(application: T, concurrency: number): T {
  const gate = concurrency > 0 ? new RequestGate(concurrency) : null;
  if (application.interface === 'node') {
    const { listener } = application;
    if (typeof listener === 'function') return { ...application, listener: watchListener(listener, gate) };
    watchServer(listener, gate);
    return application;
  }
  return { ...application, handle: watchFunction(application.handle, gate) };
}

/** Sends a beat each `order.beatMs`, and one at once when the instance has had `order.maxRequests`. */
export function startHeartbeat(order: StartOrder, send: (message: FromInstance) => void): void {
  const beat = (): void => send({ type: 'beat', requests });
  wornAt = order.maxRequests;
  onWorn = beat;
  if (order.beatMs > 0) setInterval(beat, order.beatMs).unref();
  Object.defineProperty(globalThis, Symbol.for(runningSymbolName), { value: describeRunning });
}

function count(): void {
  if (++requests === wornAt) onWorn();
}

class RunningCall implements Running {
  readonly startedAtMs = monotonicMs();
  readonly #request: Request;
  readonly #context: GatewayContext;

  constructor(request: Request, context: GatewayContext) {
    this.#request = request;
    this.#context = context;
  }

  describe(): string {
    const { method, url } = this.#request;
    return `${method} ${new URL(url).pathname}, request ${this.#context.requestId}`;
  }
}

function watchFunction(handle: GatewayFunction, gate: RequestGate | null): GatewayFunction {
  const call: GatewayFunction = (request, context) => {
    const one = new RunningCall(request, context);
    current = one;
    let returned: Response | Promise<Response>;
    try {
      returned = handle(request, context);
    } finally {
      current = null;
    }
    if (typeof (returned as { then?: unknown } | null)?.then !== 'function') return returned;
    running.add(one);
    const forget = (): void => void running.delete(one);
    (returned as Promise<Response>).then(forget, forget);
    return returned;
  };
  return (request, context) => {
    count();
    if (gate === null) return call(request, context);
    return gate.run(() => call(request, context));
  };
}

function watchListener(listener: NodeListener, gate: RequestGate | null): NodeListener {
  const call = (request: IncomingMessage, response: ServerResponse): unknown => {
    const one: Running = {
      startedAtMs: monotonicMs(),
      describe: () => {
        const path = (request.url ?? '').split('?', 1)[0];
        return `${request.method} ${path}, request ${request.headers['x-request-id'] ?? 'without an id'}`;
      },
    };
    running.add(one);
    response.once('close', () => running.delete(one));
    return listener(request, response);
  };
  return (request, response) => {
    count();
    if (gate === null) return call(request, response);
    // What the listener returns matters only when it fails, and only to who calls it now.
    return gate.hold((done) => {
      response.once('close', done);
      return response.closed ? undefined : call(request, response);
    });
  };
}

/** An application that is a server is told of its requests by an event. */
function watchServer(server: Server, gate: RequestGate | null): void {
  const emit = server.emit.bind(server) as (event: string | symbol, ...values: unknown[]) => boolean;
  const listener = watchListener((...values) => emit('request', ...values), gate);
  const emitWatched = (event: string | symbol, ...values: unknown[]): boolean => {
    if (event !== 'request') return emit(event, ...values);
    listener(values[0] as IncomingMessage, values[1] as ServerResponse);
    return true;
  };
  Object.defineProperty(server, 'emit', { value: emitWatched, configurable: true, writable: true });
}

/** What runs, oldest first, one line each: called by the supervisor through the inspector. */
function describeRunning(): string {
  const nowMs = monotonicMs();
  const all = [...running].sort((a, b) => a.startedAtMs - b.startedAtMs);
  const listed = current === null ? all : [current, ...all];
  return listed
    .slice(0, 10)
    .map((one) => `${one.describe()}, for ${((nowMs - one.startedAtMs) / 1000).toFixed(1)} s`)
    .join('\n');
}
