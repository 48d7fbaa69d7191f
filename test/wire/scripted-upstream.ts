// An upstream that answers with the bytes of a corpus file, whatever they are: "/res/NAME?cuts=1,2" is answered by the
// case NAME, cut at these positions. "/res/own-answer?TEXT" gets a proper answer with TEXT in it.

import { createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { cleanUpLater } from '../support/clean-up.ts';
import type { ResponseSidecar, WireCase } from './read-corpus.ts';
import { cutBytes } from './split-plan.ts';
import { splitRequest } from './split-requests.ts';

/** A running upstream. */
export interface ScriptedUpstream {
  readonly port: number;
  /** Whether every answer begun is written to its end. */
  readonly isQuiet: boolean;
  /** The connection that carried the last request. */
  readonly lastSocket: Socket | null;
  /** The connection that carried the last request for a case. */
  readonly caseSocket: Socket | null;
}

/** Starts one on a free port of 127.0.0.1. */
export async function startScriptedUpstream(
  cases: readonly WireCase<ResponseSidecar>[],
): Promise<ScriptedUpstream> {
  const byName = new Map(cases.map((wireCase) => [wireCase.name, wireCase]));
  const sockets = new Set<Socket>();
  const state = { running: 0, lastSocket: null as Socket | null, caseSocket: null as Socket | null };
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    let text = '';
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      for (let split = splitRequest(text); split !== null; split = splitRequest(text)) {
        text = text.slice(split.end);
        state.lastSocket = socket;
        if (!split.request.head[0].includes('/own-answer?')) state.caseSocket = socket;
        state.running++;
        void answer(socket, split.request.head[0], byName).finally(() => state.running--);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanUpLater(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return {
    port: (server.address() as { port: number }).port,
    get isQuiet() {
      return state.running === 0;
    },
    get lastSocket() {
      return state.lastSocket;
    },
    get caseSocket() {
      return state.caseSocket;
    },
  };
}

async function answer(
  socket: Socket,
  requestLine: string,
  byName: ReadonlyMap<string, WireCase<ResponseSidecar>>,
): Promise<void> {
  const [path, query = ''] = requestLine.split(' ')[1].slice('/res/'.length).split('?');
  const wireCase = byName.get(path);
  if (wireCase === undefined) {
    const body = path === 'own-answer' ? query : `no case ${path}`;
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    return;
  }
  await writeSteps(socket, wireCase, readCuts(query));
  const { afterwards } = wireCase.sidecar;
  if (afterwards === 'close') socket.end();
  else if (afterwards === 'reset') {
    await sleep(5);
    socket.resetAndDestroy();
  }
}

function readCuts(query: string): number[] {
  if (query.startsWith('cuts=every')) return Array.from({ length: 5000 }, (_, i) => i + 1);
  return query.replace('cuts=', '').split(',').filter(Boolean).map(Number);
}

async function writeSteps(
  socket: Socket,
  { steps, name }: WireCase<ResponseSidecar>,
  cuts: readonly number[],
): Promise<void> {
  let position = 0;
  for (const step of steps) {
    if (step.kind === 'pause') await sleep(20);
    else if (step.kind !== 'bytes') throw new Error(`\\{${step.kind}} has no place in ${name}.res`);
    else {
      const start = position;
      const parts = cutBytes(
        step.bytes,
        cuts.map((cut) => cut - start),
      );
      for (const part of parts) {
        if (socket.destroyed) return;
        socket.write(part);
        if (parts.length > 1) await (parts.length < 8 ? sleep(2) : new Promise(setImmediate));
      }
      position += step.bytes.length;
    }
  }
}
