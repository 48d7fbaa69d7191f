// The parts of the validator that judge the instance, and those that read what comes: against answers and calls made up.

import { describe, expect, test } from 'vitest';
import type { GatewayContext } from '../../src/app-host/gateway-function.ts';
import { AnswerReader } from '../../src/app-host/validator/answer-reader.ts';
import type { AnswerEnd } from '../../src/app-host/validator/ask.ts';
import { inspectCall } from '../../src/app-host/validator/inspect-call.ts';
import { judgeAnswer } from '../../src/app-host/validator/judge-answer.ts';
import { Ledger } from '../../src/app-host/validator/ledger.ts';
import { observeFunction } from '../../src/app-host/validator/observe-function.ts';
import { ObservedCall, ObservedCalls } from '../../src/app-host/validator/observed-call.ts';
import { listSteps, type Probe } from '../../src/app-host/validator/probes.ts';
import { ReturnedHeaders } from '../../src/app-host/validator/returned-headers.ts';
import type { Finding, RuleId } from '../../src/base/check-messages.ts';
import { parseCheckMessage } from '../../src/base/check-messages.ts';
import { HttpError } from '../../src/message/http-error.ts';

const [{ probes }] = listSteps(['/']);
const [getProbe] = probes;

function read(text: string, method = 'GET', step = text.length): AnswerReader {
  const reader = new AnswerReader(method);
  for (let at = 0; at < text.length; at += step)
    reader.push(Buffer.from(text.slice(at, at + step), 'latin1'));
  return reader;
}

const head = (...lines: string[]) => `${['HTTP/1.1 200 OK', ...lines].join('\r\n')}\r\n\r\n`;

describe('the reader of answers', () => {
  test.each([
    ['a length', `${head('Content-Length: 5', 'A:  b ')}hello`, 'GET', 'hello'],
    ['chunks', `${head('Transfer-Encoding: chunked')}2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n`, 'GET', 'hello'],
    [
      'an interim response first',
      `HTTP/1.1 103 Early\r\nA: 1\r\n\r\n${head('Content-Length: 2')}ok`,
      'GET',
      'ok',
    ],
    ['no body to HEAD', head('Content-Length: 5'), 'HEAD', ''],
    ['no body of a 304', head('ETag: "a"').replace('200', '304'), 'GET', ''],
  ])('takes one with %s, however it is cut', (_, text, method, body) => {
    for (const step of [1, 3, text.length]) {
      const reader = read(text, method, step);
      expect([reader.state, reader.body.toString(), reader.surplus]).toEqual(['complete', body, 0]);
    }
  });

  test('sees what is not complete, what is too much, and what is no answer', () => {
    expect(read(`${head('Content-Length: 5')}hell`).state).toBe('body');
    expect(read(`${head('Transfer-Encoding: chunked')}2\r\nhe\r\n`).state).toBe('body');
    expect(read(`${head('Content-Length: 5')}hello!!`)).toMatchObject({ state: 'complete', surplus: 2 });
    expect(read(`${head('Content-Length: 5')}hello`, 'HEAD')).toMatchObject({
      state: 'complete',
      surplus: 5,
    });
    expect(read(head()).state).toBe('broken');
    expect(read(head('Content-Length: x')).state).toBe('broken');
    expect(read(head('No colon')).state).toBe('broken');
    expect(read('SSH-2.0-x\r\n\r\n').state).toBe('broken');
    expect(read(`${head('Transfer-Encoding: chunked')}zz\r\n`).state).toBe('broken');
    expect(read(`${head('Transfer-Encoding: chunked')}0\r\nx: y\r\n\r\n`).state).toBe('broken');
  });

  test('keeps fields as they are, each by itself', () => {
    const reader = read(head('Set-Cookie: a=1', 'set-cookie: b=2', 'Content-Length: 0'));
    expect(reader.list('set-cookie')).toEqual(['a=1', 'b=2']);
    expect(reader.declared).toBe(0);
  });
});

/** A probe that the right instance would hand over like this. */
const probe: Probe = { ...getProbe, target: '/a?b=1', fields: ['X-A', '1'] };

function createContext(members: Partial<GatewayContext>, signal: AbortSignal): GatewayContext {
  return {
    clientAddress: '192.0.2.7',
    requestId: 'check-1',
    instance: 1,
    signal,
    waitUntil: () => {},
    log: () => {},
    ...members,
  };
}

function inspect(
  request: { url?: string; headers?: Record<string, string>; method?: string; body?: string },
  context: Partial<GatewayContext> = {},
): RuleId[] {
  const { url = 'http://check.test/a?b=1', headers = { 'X-A': '1' }, method = 'GET', body = null } = request;
  const made = new Request(url, { method, headers, body });
  const problems = inspectCall(made, createContext(context, made.signal), { ...probe, method }, 'check-1');
  expect(problems.every(({ level }) => level === 'host')).toBe(true);
  return problems.map(({ rule }) => rule);
}

describe('an instance is told which rule it breaks', () => {
  test('none when the call is what the client sent', () => {
    expect(inspect({})).toEqual([]);
    expect(inspect({ method: 'POST', body: 'x' })).toEqual([]);
  });

  test('in what it calls the function with', () => {
    const made = new Request('http://check.test/a?b=1', { headers: { 'X-A': '1' } });
    const notWeb = { method: 'POST', url: made.url, headers: made.headers, signal: made.signal } as Request;
    const context = createContext({}, made.signal);
    const rulesOf = (request: Request) =>
      inspectCall(request, context, probe, 'check-1').map(({ rule }) => rule);
    expect(rulesOf(notWeb)).toEqual(['G11', 'G11']);
    expect(inspect({ url: 'http://check.test/a' })).toEqual(['G12']);
    expect(inspect({ url: 'http://elsewhere.test/a?b=1' })).toEqual(['G12']);
    expect(inspect({ headers: {} })).toEqual(['G13']);
    expect(inspect({ headers: { 'X-A': '1', TE: 'trailers' } })).toEqual(['G13']);
    const withBody = Object.defineProperty(made.clone(), 'body', { value: new ReadableStream() });
    expect(
      inspectCall(withBody, createContext({}, withBody.signal), probe, 'check-1').map(({ rule }) => rule),
    ).toEqual(['G15']);
    expect(inspect({}, { requestId: 'other' })).toEqual(['G17']);
    expect(inspect({}, { instance: 2 })).toEqual(['G17']);
    expect(inspect({}, { clientAddress: 'unix:' })).toEqual(['G17']);
    expect(inspect({}, { waitUntil: undefined })).toEqual(['G18']);
    expect(inspect({}, { log: undefined })).toEqual(['G19']);
    expect(inspect({}, { signal: new AbortController().signal })).toEqual(['G20']);
  });

  interface Seen {
    text?: string;
    end?: AnswerEnd;
    method?: string;
    /** What is known of the call. */
    call?: Partial<ObservedCall>;
  }

  /** What an instance is found guilty of that sends this after a call that went well. */
  function judge({ text = '', end = 'complete', method = 'GET', call: members = {} }: Seen): Finding[] {
    const findings: Finding[] = [];
    const ledger = new Ledger(
      (message) => void (message.type === 'finding' && findings.push(message.finding)),
    );
    const call = new ObservedCall('check-1', { ...probe, method }, false, ledger);
    Object.assign(call, { hasBegun: true, isSettled: true, status: 200, ...members });
    judgeAnswer(call, { end, reader: read(text, method) }, new Map());
    return findings;
  }

  const ok = `${head('Content-Length: 2')}ok`;
  const failed = (body: string) => `${head(`Content-Length: ${body.length}`).replace('200', '500')}${body}`;

  test.each<[rule: string, name: string, seen: Seen]>([
    ['G11', 'the application was not called', { text: ok, call: { hasBegun: false } }],
    ['G23', 'a Response is not sent', { end: 'late' }],
    ['G26', 'a field of the connection is sent', { text: `${head('Content-Length: 2', 'Upgrade: x')}ok` }],
    ['G29', 'HEAD has a body', { text: ok, method: 'HEAD' }],
    ['G30', 'a 304 has a body', { text: ok.replace('200', '304'), call: { status: 304 } }],
    ['G31', 'another status is sent', { text: ok, call: { status: 201 } }],
    [
      'G31',
      'the answer tells of the error',
      {
        text: failed('Error: secret'),
        call: { hasFailed: true, thrown: new Error('secret'), isExplained: true },
      },
    ],
    ['G32', 'the response is broken off', { text: head('Content-Length: 2'), end: 'cut' }],
  ])('%s: %s', (rule, _, seen) => {
    expect(judge(seen)).toEqual([
      { rule, level: 'host', occasion: expect.any(String), detail: expect.any(String) },
    ]);
  });

  test('none when the client sees what the application did', () => {
    expect(judge({ text: ok })).toEqual([]);
    const call = { hasFailed: true, thrown: new Error('secret'), isExplained: true };
    expect(judge({ text: failed('Internal Server Error'), call })).toEqual([]);
  });

  test('G34: a body fails for a client that left, before the signal is aborted', () => {
    const findings: Finding[] = [];
    const ledger = new Ledger(
      (message) => void (message.type === 'finding' && findings.push(message.finding)),
    );
    const calls = new ObservedCalls('fetch', ledger);
    const call = calls.expect({ ...probe, departure: 'body' });
    const handle = observeFunction(
      () => {
        throw new HttpError('TSS_CLIENT_CLOSED', 'it left');
      },
      calls,
      new ReturnedHeaders(),
    );
    const made = new Request('http://check.test/a?b=1', { headers: { 'X-A': '1' } });
    call.noteDeparture();
    expect(() => handle(made, createContext({ requestId: call.id }, made.signal))).toThrow('it left');
    expect(findings).toEqual([expect.objectContaining({ rule: 'G34', level: 'host' })]);
  });
});

describe('calls', () => {
  test('are known to the code that they run', async () => {
    const findings: Finding[] = [];
    const ledger = new Ledger(
      (message) => void (message.type === 'finding' && findings.push(message.finding)),
    );
    const calls = new ObservedCalls('fetch', ledger);
    const call = calls.expect(probe);
    await calls.run(call, async () => {
      await null;
      calls.break('G33', 'inside');
    });
    calls.break('G33', 'outside');
    expect(findings.map(({ occasion, detail }) => [occasion, detail])).toEqual([
      [probe.name, 'inside'],
      ['loading', 'outside'],
    ]);
    expect([calls.find(call.id), calls.find('other')]).toEqual([call, null]);
  });

  test('are told of once, whatever is found again and again', () => {
    const messages: unknown[] = [];
    const ledger = new Ledger((message) => void messages.push(message));
    for (const _ of [1, 2]) {
      ledger.keep('G1', 'G2');
      ledger.add({ rule: 'G3', level: 'advice', detail: 'x' }, 'GET /');
    }
    expect(messages).toHaveLength(3);
  });
});

describe('a message of the checking process', () => {
  const finding: Finding = { rule: 'G1', level: 'host', occasion: 'GET /', detail: 'x' };

  test.each([
    { type: 'beat' },
    { type: 'loaded' },
    { type: 'done' },
    { type: 'refused', report: 'no' },
    { type: 'kept', rule: 'G12' },
    { type: 'finding', finding },
    { type: 'step', step: 0, occasion: 'GET /', requests: 1 },
  ])('is understood: $type', (message) => {
    expect(parseCheckMessage(message)).toEqual(message);
  });

  test.each([
    null,
    'beat',
    {},
    { type: 'refused' },
    { type: 'kept', rule: 'T1' },
    { type: 'finding' },
    { type: 'finding', finding: { ...finding, level: 'bad' } },
    { type: 'finding', finding: { ...finding, detail: 1 } },
    { type: 'step', step: -1, occasion: '', requests: 1 },
    { type: 'step', step: 1, occasion: '', requests: 0.5 },
  ])('is not believed: %j', (message) => {
    expect(parseCheckMessage(message)).toBeNull();
  });
});
