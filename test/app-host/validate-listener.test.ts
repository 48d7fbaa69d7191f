// The validator and Node listeners: each breaks one rule, which is named, and no other.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import express from 'express';
import { describe, expect, test } from 'vitest';
import type { NodeListener } from '../../src/app-host/gateway-function.ts';
import { checkApplication } from './check-in-process.ts';

type Listener = (request: IncomingMessage, response: ServerResponse) => unknown;

const check = (listener: Listener, timeoutMs?: number) =>
  checkApplication({ interface: 'node', listener: listener as NodeListener }, timeoutMs);

/** Node makes an uncaught exception of a late write that nobody listens for: that has its test where it may. */
const ignoreErrors = (response: ServerResponse) => void response.on('error', () => {});

const broken: [rule: string, name: string, says: RegExp, listener: Listener, timeoutMs?: number][] = [
  [
    'G27',
    'declares more bytes than it writes',
    /declares 9 bytes, and its body has 5/,
    (_, response) => void response.writeHead(200, { 'Content-Length': 9 }).end('hello'),
  ],
  [
    'G27',
    'declares fewer bytes than it writes',
    /3 bytes came behind the end/,
    (_, response) => void response.setHeader('Content-Length', 2).end('hello'),
  ],
  [
    'G28',
    'sets a field with a line end in it',
    /the listener failed: TypeError: Invalid character/,
    (_, response) => void response.setHeader('X-Line', 'a\nb').end('hello'),
  ],
  [
    'G31',
    'throws',
    /the listener failed: Error: no database \(at .*validate-listener\.test\.ts:\d+:\d+\)/,
    () => {
      throw new Error('no database');
    },
  ],
  [
    'G31',
    'rejects',
    /the listener failed: Error: no database/,
    async () => {
      throw new Error('no database');
    },
  ],
  [
    'G32',
    'throws behind its head',
    /the listener failed: Error: too late/,
    (_, response) => {
      response.write('hello');
      throw new Error('too late');
    },
  ],
  [
    'G32',
    'breaks its response off',
    /the response was broken off/,
    (_, response) => {
      response.write('hello', () => response.destroy());
    },
  ],
  ['G50', 'never ends its response', /did not end its response in time/, () => {}, 100],
  [
    'G51',
    'writes its head twice',
    /writeHead was called when the head was out/,
    (_, response) => void response.writeHead(200).writeHead(404).end('hello'),
  ],
  [
    'G51',
    'sets a field when the head is out',
    /setHeader\("X-Late"\) was called when the head was out/,
    (_, response) => {
      response.write('hello');
      response.setHeader('X-Late', '1');
    },
  ],
  [
    'G51',
    'writes behind the end',
    /write was called behind end/,
    (_, response) => {
      ignoreErrors(response);
      response.end('hello');
      response.write('more');
    },
  ],
  [
    'G51',
    'ends twice, with bytes',
    /end was called behind end/,
    (_, response) => {
      ignoreErrors(response);
      response.end('hello');
      response.end('more');
    },
  ],
];

describe('a Node listener is told which rule it breaks when it', () => {
  test.each(broken)('%s: %s', async (rule, _, says, listener, timeoutMs) => {
    const { broken: rules, findings } = await check(listener, timeoutMs);
    expect(rules).toEqual([rule]);
    expect(findings.map(({ detail }) => detail).join('\n')).toMatch(says);
  });
});

const kept = ['G27', 'G28', 'G29', 'G31', 'G39', 'G50', 'G51'];

describe('a Node listener passes', () => {
  test('that is a plain one', async () => {
    const checked = await check((request, response) => {
      if (request.method === 'POST') request.pipe(response);
      else response.setHeader('Content-Length', 5).end('hello');
    });
    expect(checked.findings).toEqual([]);
    expect([...checked.kept]).toEqual(expect.arrayContaining(kept));
  });

  test('that is a server', async () => {
    const server = createServer((_, response) => void response.end('hello'));
    const checked = await checkApplication({ interface: 'node', listener: server });
    expect(checked.findings).toEqual([]);
    expect(checked.requests).toBeGreaterThan(20);
  });

  test('that is an Express application', async () => {
    const app = express();
    app.use(express.json());
    app.get('/', (_, response) => void response.cookie('a', '1').send('hello'));
    app.post('/', (request, response) => void response.json(request.body ?? null));
    const checked = await check(app);
    expect(checked.findings).toEqual([]);
    expect([...checked.kept]).toEqual(expect.arrayContaining(kept));
  });
});

test('an answer of 500 of its own earns a Node listener advice', async () => {
  const { findings } = await check((request, response) => {
    response.statusCode = request.method === 'PROPFIND' ? 500 : 200;
    response.end('x');
  });
  expect(findings).toEqual([
    {
      rule: 'G31',
      level: 'advice',
      occasion: 'PROPFIND / with an unusual method',
      detail: 'the application itself answers 500',
    },
  ]);
});
