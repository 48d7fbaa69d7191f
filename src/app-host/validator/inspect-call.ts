// Holds the instance to its side of a call: what a gateway function is given must be what the probe sent.

import type { GatewayContext } from '../gateway-function.ts';
import { probeAddress, probeHost } from './ask.ts';
import type { Problem } from './ledger.ts';
import type { Probe } from './probes.ts';

const connectionFields = ['connection', 'expect', 'keep-alive', 'te', 'transfer-encoding', 'upgrade'];

/** What is wrong with the arguments of a call. Leaves the body alone where there may be one. */
export function inspectCall(request: Request, context: GatewayContext, probe: Probe, id: string): Problem[] {
  const problems: Problem[] = [];
  const expect = (rule: Problem['rule'], isKept: boolean, detail: string): void => {
    if (!isKept) problems.push({ rule, level: 'host', detail });
  };
  const { method, url, headers } = request;
  const expectedUrl = new URL(`http://${probeHost}${probe.target}`).href;
  expect('G11', request instanceof Request, 'the request is no Request');
  expect('G11', method === probe.method, `request.method is ${method}`);
  expect('G12', url === expectedUrl, `request.url is ${url}, not ${expectedUrl}`);
  for (const name of connectionFields) {
    expect('G13', !headers.has(name), `request.headers have the field ${name}`);
  }
  for (let i = 0; i < probe.fields.length; i += 2) {
    const name = probe.fields[i];
    const value = headers.get(name);
    expect('G13', value?.includes(probe.fields[i + 1]) === true, `the field ${name} is ${value}`);
  }
  if (method === 'GET' || method === 'HEAD') {
    expect('G15', request.body === null, `request.body of a ${method} is not null`);
  }
  expect('G17', context.requestId === id, `context.requestId is ${context.requestId}`);
  expect('G17', context.instance === 1, `context.instance is ${context.instance}`);
  expect('G17', context.clientAddress === probeAddress, `context.clientAddress is ${context.clientAddress}`);
  expect('G18', typeof context.waitUntil === 'function', 'context.waitUntil is no function');
  expect('G19', typeof context.log === 'function', 'context.log is no function');
  expect('G20', context.signal === request.signal, 'request.signal and context.signal are not one');
  return problems;
}
