// A DNS server for tests that answers as it is told: addresses with their times, errors, or nothing at all.

import { createSocket, type RemoteInfo } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { cleanUpLater } from './clean-up.ts';

/** An answer: addresses or SRV records ("priority weight port target") with their seconds, or what goes wrong. */
export type ScriptedAnswer =
  | readonly (readonly [value: string, ttlSeconds: number])[]
  | 'nxdomain'
  | 'servfail'
  | 'silence';

/** A scripted server. Names are asked for as "A app.test", "AAAA app.test" or "SRV _http._tcp.app.test". */
export interface ScriptedDns {
  /** "127.0.0.1:PORT". */
  readonly address: string;
  /** What is not in it has no records. */
  readonly answers: Map<string, ScriptedAnswer>;
  /** Every question so far. */
  readonly questions: string[];
}

const types: Readonly<Record<number, string>> = { 1: 'A', 28: 'AAAA', 33: 'SRV' };

/** Starts a server on a free UDP port of loopback. */
export async function startScriptedDns(answers: Record<string, ScriptedAnswer> = {}): Promise<ScriptedDns> {
  const socket = createSocket('udp4');
  const script = new Map(Object.entries(answers));
  const questions: string[] = [];
  socket.on('message', (query: Buffer, from: RemoteInfo) => {
    const { name, type, end } = readQuestion(query);
    const question = `${types[type] ?? type} ${name}`;
    questions.push(question);
    const answer = script.get(question) ?? [];
    if (answer !== 'silence') socket.send(renderAnswer(query, end, type, answer), from.port, from.address);
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  cleanUpLater(() => void socket.close());
  return { address: `127.0.0.1:${socket.address().port}`, answers: script, questions };
}

function readQuestion(query: Buffer): { name: string; type: number; end: number } {
  const labels: string[] = [];
  let at = 12;
  for (; query[at] !== 0; at += query[at] + 1)
    labels.push(query.toString('latin1', at + 1, at + 1 + query[at]));
  return { name: labels.join('.').toLowerCase(), type: query.readUInt16BE(at + 1), end: at + 5 };
}

function renderAnswer(
  query: Buffer,
  end: number,
  type: number,
  answer: Exclude<ScriptedAnswer, 'silence'>,
): Buffer {
  const records = typeof answer === 'string' ? [] : answer;
  const code = answer === 'nxdomain' ? 3 : answer === 'servfail' ? 2 : 0;
  const head = Buffer.alloc(12);
  query.copy(head, 0, 0, 2);
  head.writeUInt16BE(0x8180 | code, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt16BE(records.length, 6);
  const rendered = records.map(([value, ttl]) => {
    const data = renderData(value, type);
    const record = Buffer.alloc(12);
    // The name is that of the question, at offset 12.
    record.writeUInt16BE(0xc00c, 0);
    record.writeUInt16BE(type, 2);
    record.writeUInt16BE(1, 4);
    record.writeUInt32BE(ttl, 6);
    record.writeUInt16BE(data.length, 10);
    return Buffer.concat([record, data]);
  });
  return Buffer.concat([head, query.subarray(12, end), ...rendered]);
}

function renderData(value: string, type: number): Buffer {
  if (type === 33) {
    const [priority, weight, port, target] = value.split(' ');
    const numbers = Buffer.alloc(6);
    for (const [i, number] of [priority, weight, port].entries())
      numbers.writeUInt16BE(Number(number), i * 2);
    const labels = target === '.' ? [] : target.split('.');
    const name = labels.map((label) => Buffer.from(`${String.fromCharCode(label.length)}${label}`, 'latin1'));
    return Buffer.concat([numbers, ...name, Buffer.alloc(1)]);
  }
  if (!isIPv6(value)) return Buffer.from(value.split('.').map(Number));
  // Enough for tests: "a::b" with one group on each side, or none.
  const [first, last = ''] = value.split('::');
  const bytes = Buffer.alloc(16);
  if (first !== '') bytes.writeUInt16BE(Number.parseInt(first, 16), 0);
  if (last !== '') bytes.writeUInt16BE(Number.parseInt(last, 16), 14);
  return bytes;
}
