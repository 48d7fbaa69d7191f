// The kinds of work that are measured. Each is a row: another one needs no code.

import { type Answer, bodies } from './site-content.ts';

/** What a server must be able to do to take part: app is an application in JavaScript, program one that is not. */
export type Ability = 'files' | 'proxy' | 'app' | 'program';

/** One kind of work. */
export interface BenchKind {
  readonly name: string;
  /** What the tables call it. */
  readonly title: string;
  readonly path: string;
  readonly needs: Ability;
  /** The name of the application that answers, if one does. */
  readonly application?: string;
  /** Field lines beside Host. */
  readonly fields: readonly string[];
  /** Is sent with POST instead of GET. */
  readonly body?: Buffer;
  /** Sends the ETag that the server itself gave for the path, so that it may answer 304. */
  readonly conditional?: boolean;
  /** Connections of the load generator. */
  readonly connections: number;
  /** What every answer must be. */
  readonly answer: Answer;
  /** What the ratio to nginx must come to. */
  readonly target: Target;
}

/** A ratio of ours to nginx, in requests per CPU second (at least), or in CPU seconds per request (at most). */
export type Target = { readonly atLeast: number } | { readonly cpuAtMost: number };

/** A browser's request for a page, with Host 14 fields. */
const browserFields = [
  'Connection: keep-alive',
  'Cache-Control: max-age=0',
  'sec-ch-ua: "Chromium";v="140", "Not=A?Brand";v="24"',
  'sec-ch-ua-mobile: ?0',
  'sec-ch-ua-platform: "Linux"',
  'Upgrade-Insecure-Requests: 1',
  'User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36',
  'Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8',
  'Sec-Fetch-Site: none',
  'Sec-Fetch-Mode: navigate',
  'Sec-Fetch-Dest: document',
  'Accept-Encoding: gzip, deflate, br, zstd',
  'Accept-Language: en-GB,en;q=0.9,de;q=0.8',
];

/** What most kinds share: a bare request over 64 connections that are kept. */
const plain = { needs: 'files', fields: [], connections: 64 } as const;

/** What every application says for a start. */
const hello: Answer = { status: 200, body: bodies.hello, type: 'application/json' };

/** 100 KiB of JSON for an application that sends it back. */
const posted = {
  needs: 'app',
  application: 'bulk',
  fields: ['Content-Type: application/json'],
  body: bodies.hundredKiBOfJson,
  // What is under way when a run ends is work that counts for nothing.
  connections: 16,
  answer: { status: 200, body: bodies.hundredKiBOfJson, type: 'application/json' },
} as const;

/** Everything that is measured, in the order of the tables. */
export const benchKinds: readonly BenchKind[] = [
  {
    ...plain,
    name: '1k',
    title: '1 KiB file, bare request',
    path: '/1k.txt',
    answer: { status: 200, body: bodies.oneKiB },
    target: { atLeast: 1.1 },
  },
  {
    ...plain,
    name: '1k-browser',
    title: "1 KiB file, a browser's 14 fields",
    path: '/1k.txt',
    fields: browserFields,
    answer: { status: 200, body: bodies.oneKiB },
    target: { atLeast: 1.05 },
  },
  {
    ...plain,
    name: 'not-modified',
    title: '304',
    path: '/1k.txt',
    conditional: true,
    answer: { status: 304, body: bodies.none },
    target: { atLeast: 1.1 },
  },
  {
    ...plain,
    name: '100k',
    title: '100 KiB file',
    path: '/100k.bin',
    answer: { status: 200, body: bodies.hundredKiB },
    target: { atLeast: 0.9 },
  },
  {
    ...plain,
    name: '10m',
    title: '10 MiB file',
    path: '/10m.bin',
    // What is under way when a run ends is work that counts for nothing: with 64 that would be a fifth of a second.
    connections: 16,
    answer: { status: 200, body: bodies.tenMiB },
    target: { atLeast: 1 },
  },
  {
    ...plain,
    name: 'not-found',
    title: '404',
    path: '/none.txt',
    answer: { status: 404, body: null },
    target: { atLeast: 1 },
  },
  {
    ...plain,
    name: 'new-connection',
    title: 'new connection for every request',
    path: '/1k.txt',
    fields: ['Connection: close'],
    answer: { status: 200, body: bodies.oneKiB, closes: true },
    target: { atLeast: 0.6 },
  },
  {
    ...plain,
    name: 'proxied',
    title: 'small proxied answer, keep-alive both sides',
    path: '/proxied/small',
    needs: 'proxy',
    answer: { status: 200, body: bodies.small },
    target: { atLeast: 0.85 },
  },
  {
    ...plain,
    name: 'proxied-100k',
    title: '100 KiB proxied answer',
    path: '/proxied/100k.bin',
    needs: 'proxy',
    answer: { status: 200, body: bodies.hundredKiB },
    target: { atLeast: 0.9 },
  },
  {
    ...plain,
    name: 'gateway',
    title: 'gateway function (others: in front of a node:http app)',
    path: '/hello/',
    needs: 'app',
    application: 'hello',
    answer: hello,
    target: { cpuAtMost: 0.75 },
  },
  {
    ...plain,
    name: 'gateway-hono',
    title: 'Hono app (others: in front of its own server)',
    path: '/hono/',
    needs: 'app',
    application: 'hono',
    answer: hello,
    target: { cpuAtMost: 0.6 },
  },
  {
    ...plain,
    name: 'gateway-flask',
    title: 'Flask under gunicorn, the same behind all',
    path: '/flask/',
    needs: 'program',
    application: 'flask',
    answer: hello,
    target: { cpuAtMost: 1.05 },
  },
  {
    ...plain,
    name: 'gateway-100k',
    title: '100 KiB from a gateway function (others: a node:http app)',
    path: '/bulk/100k',
    needs: 'app',
    application: 'bulk',
    answer: { status: 200, body: bodies.hundredKiB, type: 'application/octet-stream' },
    target: { cpuAtMost: 1 },
  },
  {
    ...posted,
    name: 'gateway-json',
    title: '100 KiB of JSON posted, parsed and sent back (likewise)',
    path: '/bulk/json',
    target: { cpuAtMost: 1 },
  },
  {
    ...posted,
    name: 'gateway-echo',
    title: '100 KiB posted and streamed back (likewise)',
    path: '/bulk/stream',
    target: { cpuAtMost: 1 },
  },
];
