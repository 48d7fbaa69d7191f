// Looks on while a Node listener is called: what it throws, and what it does to its response that Node refuses, drops or
// would not notice.

import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { NodeListener } from '../gateway-function.ts';
import { describeBriefly, findRule } from './describe-briefly.ts';
import type { ObservedCall, ObservedCalls } from './observed-call.ts';

type Listener = (request: IncomingMessage, response: ServerResponse) => unknown;
type Method = (...given: unknown[]) => unknown;

/** The same application, looked on. */
export function observeListener(
  application: NodeListener | Server,
  calls: ObservedCalls,
): NodeListener | Server {
  if (typeof application === 'function') return observe(application, calls);
  observeServer(application, calls);
  return application;
}

function observe(listener: Listener, calls: ObservedCalls): NodeListener {
  return (request, response) => {
    const call = calls.find(String(request.headers['x-request-id']));
    if (call === null) return listener(request, response);
    observeResponse(call, response);
    call.begin(null);
    try {
      const result = calls.run(call, () => listener(request, response));
      if (result instanceof Promise) result.catch((thrown) => fail(call, thrown, response));
      return result;
    } catch (thrown) {
      fail(call, thrown, response);
      throw thrown;
    }
  };
}

/** An application that is a server is told of its requests by an event. */
function observeServer(server: Server, calls: ObservedCalls): void {
  const emit = server.emit.bind(server) as (event: string | symbol, ...values: unknown[]) => boolean;
  const listener = observe((...values) => emit('request', ...values), calls);
  const value = (event: string | symbol, ...values: unknown[]): boolean => {
    if (event !== 'request') return emit(event, ...values);
    listener(values[0] as IncomingMessage, values[1] as ServerResponse);
    return true;
  };
  Object.defineProperty(server, 'emit', { value, configurable: true, writable: true });
}

function fail(call: ObservedCall, thrown: unknown, response: ServerResponse): void {
  call.fail(thrown);
  if (call.hasLeft || call.isExplained) return;
  const rule = findRule(thrown, response.headersSent ? 'G32' : 'G31');
  call.break(rule, `the listener failed: ${describeBriefly(thrown)}`);
}

function observeResponse(call: ObservedCall, response: ServerResponse): void {
  const wrap = (name: 'writeHead' | 'setHeader' | 'appendHeader' | 'write' | 'end', look: Method): void => {
    const method = response[name].bind(response) as Method;
    const value = (...given: unknown[]): unknown => {
      look(...given);
      return method(...given);
    };
    Object.defineProperty(response, name, { value, configurable: true, writable: true });
  };
  const isTooLate = (): boolean => !call.hasLeft && response.headersSent;
  wrap('writeHead', () => isTooLate() && call.break('G51', 'writeHead was called when the head was out'));
  for (const name of ['setHeader', 'appendHeader'] as const) {
    wrap(name, (field) => {
      if (isTooLate())
        call.break('G51', `${name}(${JSON.stringify(field)}) was called when the head was out`);
    });
  }
  for (const name of ['write', 'end'] as const) {
    wrap(name, (chunk, encoding) => {
      const bytes = measure(chunk, encoding);
      if (response.writableEnded && !call.hasLeft && chunk !== undefined && typeof chunk !== 'function') {
        call.break('G51', `${name} was called behind end`);
      }
      call.bytesWritten += bytes;
    });
  }
  response.once('finish', () => {
    call.isFinished = true;
    call.status = response.statusCode;
    call.onFinish();
  });
  response.once('close', () => call.settle());
}

function measure(chunk: unknown, encoding: unknown): number {
  if (typeof chunk === 'string') {
    return Buffer.byteLength(chunk, typeof encoding === 'string' ? (encoding as BufferEncoding) : 'utf8');
  }
  return chunk instanceof Uint8Array ? chunk.byteLength : 0;
}
