// The requests that an application is held to the interface with: what browsers, programs and strangers send, and
// clients that leave in the middle.

import { randomBytes } from 'node:crypto';

/**
 * When the client goes: never before the end; soon after the application was called; with half of its body sent; or when
 * the head of the response is there.
 */
export type Departure = 'never' | 'called' | 'body' | 'head';

/** One request. */
export interface Probe {
  /** "POST /api with a JSON body". */
  readonly name: string;
  readonly method: string;
  /** As it goes over the wire. */
  readonly target: string;
  /** Names and values, beside those of the front. */
  readonly fields: readonly string[];
  readonly body: readonly Uint8Array[];
  /** How the body is framed: not at all, by its length, in chunks. */
  readonly framing: 'none' | 'length' | 'chunked';
  readonly departure: Departure;
  /** Nobody else sends this: where it comes back tells whose request was answered. */
  readonly marker: string;
}

/** Requests that are sent at the same time. */
export interface Step {
  readonly name: string;
  readonly path: string;
  readonly probes: readonly Probe[];
}

const largeBytes = 1024 * 1024;
const longTargetLength = 7_000;
const crowd = 8;

/** Everything that the paths are asked, in its order. */
export function listSteps(paths: readonly string[]): Step[] {
  return paths.flatMap((path) => [
    ...listPlain(path),
    ...listWithBodies(path),
    ...listLeaving(path),
    createCrowd(path),
  ]);
}

type Details = Partial<Omit<Probe, 'name' | 'method' | 'marker'>>;

function createProbe(method: string, path: string, what: string, details: Details = {}): Probe {
  return {
    name: what === '' ? `${method} ${path}` : `${method} ${path} ${what}`,
    method,
    target: path,
    fields: [],
    body: [],
    framing: 'none',
    departure: 'never',
    marker: randomBytes(8).toString('hex'),
    ...details,
  };
}

function toStep(path: string): (probe: Probe) => Step {
  return (probe) => ({ name: probe.name, path, probes: [probe] });
}

function addQuery(path: string, query: string): string {
  return `${path}${path.includes('?') ? '&' : '?'}${query}`;
}

function listPlain(path: string): Step[] {
  const bare = path.split('?', 1)[0];
  return [
    createProbe('GET', path, ''),
    createProbe('HEAD', path, ''),
    createProbe('GET', path, 'with a query', { target: addQuery(path, 'a=1&a=2&b=&c&d=%C3%A9+%26%00') }),
    createProbe('GET', path, 'with the fields of a browser', { fields: browserFields }),
    createProbe('GET', path, 'with odd fields', { fields: oddFields }),
    createProbe('GET', path, 'on conditions', { fields: conditionFields }),
    createProbe('GET', path, 'with a long URL', {
      target: addQuery(path, `long=${'x'.repeat(longTargetLength)}`),
    }),
    createProbe('GET', path, 'with more than ASCII behind it', {
      // UTF-8 first, then bytes that are none: a decoder of the application may stumble.
      target: `${bare}${bare.endsWith('/') ? '' : '/'}%C3%A9/%E6%97%A5%2F?%C3%BC=%FF%FE`,
    }),
    createProbe('OPTIONS', path, '', {
      fields: ['Origin', 'https://elsewhere.test', 'Access-Control-Request-Method', 'PUT'],
    }),
    createProbe('PROPFIND', path, 'with an unusual method'),
  ].map(toStep(path));
}

const browserFields = [
  'User-Agent',
  'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
  'Accept',
  'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
  'Accept-Language',
  'de,en-US;q=0.7,en;q=0.3',
  'Accept-Encoding',
  'gzip, deflate, br, zstd',
  'Cookie',
  'a=1; b="2"; c=',
  'Sec-Fetch-Dest',
  'document',
  'Sec-Fetch-Mode',
  'navigate',
];

const oddFields = [
  'X-Empty',
  '',
  'X-Twice',
  'one',
  'x-twice',
  'two',
  '__proto__',
  'polluted',
  'X-Latin',
  'caf\xe9',
  'X-Long',
  'v'.repeat(8_000),
  'Cookie',
  '; =; a; a=1; a=2; __proto__=3',
  'Accept',
  ',;q=x',
  'Authorization',
  'Basic',
];

const conditionFields = [
  'If-None-Match',
  '*',
  'If-Modified-Since',
  'Thu, 01 Jan 2099 00:00:00 GMT',
  'Range',
  'bytes=0-0',
];

function listWithBodies(path: string): Step[] {
  const json = Buffer.from('{"check":[1,2,{"a":null}]}');
  const form = Buffer.from('a=1&b=%C3%A9&b=2');
  const type = (text: string) => ['Content-Type', text];
  const parts = Array.from({ length: 16 }, (_, part) => Buffer.alloc(largeBytes / 16, 97 + part));
  return [
    createProbe('POST', path, 'with JSON', {
      fields: type('application/json'),
      body: [json],
      framing: 'length',
    }),
    createProbe('POST', path, 'with a form', {
      fields: type('application/x-www-form-urlencoded'),
      body: [form],
      framing: 'length',
    }),
    createProbe('POST', path, 'with JSON in chunks', {
      fields: type('application/json'),
      body: [json.subarray(0, 7), json.subarray(7, 8), json.subarray(8)],
      framing: 'chunked',
    }),
    createProbe('POST', path, 'with 1 MiB', {
      fields: type('application/octet-stream'),
      body: parts,
      framing: 'length',
    }),
    createProbe('POST', path, 'with an empty body', { framing: 'length' }),
    createProbe('POST', path, 'with no body and no length'),
  ].map(toStep(path));
}

function listLeaving(path: string): Step[] {
  const half = Buffer.alloc(1_000, 120);
  return [
    createProbe('GET', path, 'by a client that leaves', { departure: 'called' }),
    createProbe('POST', path, 'by a client that leaves in its body', {
      fields: ['Content-Type', 'application/octet-stream'],
      body: [half, half],
      framing: 'length',
      departure: 'body',
    }),
    createProbe('GET', path, 'by a client that leaves in the response', { departure: 'head' }),
  ].map(toStep(path));
}

function createCrowd(path: string): Step {
  const probes = Array.from({ length: crowd }, () => {
    const probe = createProbe('GET', path, `as one of ${crowd} at a time`);
    const { marker } = probe;
    return {
      ...probe,
      target: addQuery(path, `check=${marker}`),
      fields: ['X-Check', marker, 'Cookie', `check=${marker}`],
    };
  });
  return { name: probes[0].name, path, probes };
}
