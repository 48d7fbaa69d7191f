// The settings of listening sockets: where to listen, how long to wait for a client, how much to take from it.

import { isIPv4, isIPv6 } from 'node:net';
import { z } from 'zod';
import { addProblem, type ProblemSink } from '../config/shape/add-problem.ts';
import { resolveConfigPath } from '../config/shape/base-directory.ts';
import { positiveDuration } from '../config/shape/duration.ts';
import { size } from '../config/shape/size.ts';

/** One listening socket. */
export interface ListenAddress {
  /** Equal for equal addresses: "tcp:*:8080", "tcp:127.0.0.1:8080", "tcp:[::1]:8080", "unix:/run/site.sock". */
  key: string;
  /** Address or host name without brackets; null for every address of the machine, and for a unix socket. */
  host: string | null;
  /** 0 lets the system choose; also 0 for a unix socket. */
  port: number;
  /** Absolute path of a unix socket, else null. */
  path: string | null;
  /** Whether each connection begins with a head of the PROXY protocol. Default false. */
  proxyProtocol?: boolean;
}

const examples = 'such as 8080, "127.0.0.1:8080", "[::1]:8080" or "unix:run/site.sock"';
// sizeof(sockaddr_un.sun_path) less its end: a longer path cannot be bound.
const longestSocketPath = process.platform === 'linux' ? 107 : 103;

const portShape = z.int().min(0).max(65_535);

const addressShape = z
  .union([
    portShape.transform((port) => createTcpAddress(null, port)).describe('A port, on every address.'),
    z.string().transform(parseListenText).describe(`An address, ${examples}.`),
    z
      .strictObject({
        port: portShape.describe('The port; 0 lets the system choose one.'),
        host: z
          .string()
          .optional()
          .describe(
            'An address, or a host name for all that it stands for. Default: every address of the machine.',
          ),
        proxyProtocol: z
          .boolean()
          .optional()
          .describe(
            'Whether each connection begins with a head of the PROXY protocol, version 1 or 2, that says whose it is. ' +
              'Only "trustedProxies" can connect then. Default false.',
          ),
      })
      .transform(({ port, host, proxyProtocol }, context) => {
        const address =
          host === undefined ? createTcpAddress(null, port) : parseHost(host, port, context, ['host']);
        return proxyProtocol === true ? { ...address, proxyProtocol } : address;
      }),
  ])
  .meta({ id: 'address' });

/** Where a server listens: one address or a list. Comes out as a list of {@link ListenAddress}. */
export const listenShape = z
  .union([addressShape, z.array(addressShape).min(1)])
  .transform((addresses) => (Array.isArray(addresses) ? addresses : [addresses]));

/** How long the server waits for a client. All in milliseconds; the connection is closed when one is over. */
export const timeoutsShape = z.strictObject({
  header: waiting('For a whole request head, from its first byte', '60s'),
  body: waiting('Between two reads of a request body', '60s'),
  send: waiting('Between two writes of a response', '60s'),
  keepalive: waiting('For the next request on an idle connection', '75s'),
});

/** How much the server takes from a client. */
export const limitsShape = z.strictObject({
  head: size()
    .refine((bytes) => bytes >= 1024, 'a request head needs at least "1k"')
    .prefault('16k')
    .describe('Bytes of a request head, request line and fields: beyond it 431. Default "16k".'),
  fields: z.int().min(1).prefault(100).describe('Header fields of a request: beyond it 431. Default 100.'),
  target: size()
    .refine((bytes) => bytes >= 1, 'a request target has at least 1 byte')
    .prefault('8k')
    .describe('Bytes of a request target: beyond it 414. Default "8k".'),
  body: size()
    .prefault('1m')
    .describe('Bytes of a request body: beyond it 413. 0 for no limit. Default "1m".'),
  bodyRate: size()
    .prefault(240)
    .describe(
      'Bytes a second that a request body must bring, averaged over the time spent waiting for it, once that is more than 10 s: below it 408. 0 for no limit. Default 240.',
    ),
  connections: z
    .int()
    .min(0)
    .prefault(10_000)
    .describe(
      'Connections of a front worker: at the limit an idle one is closed for a new one, or the new one is answered 503. 0 for no limit. Default 10000.',
    ),
  connectionsPerAddress: z
    .int()
    .min(0)
    .prefault(0)
    .describe(
      'Connections from one address to a front worker: beyond it 503. Trusted proxies are exempt. 0 for no limit. Default 0.',
    ),
});

/** Milliseconds. */
export type TimeoutsSettings = z.output<typeof timeoutsShape>;
/** Bytes, and a number of fields. A `body` of 0 means no limit. */
export type LimitsSettings = z.output<typeof limitsShape>;

function waiting(meaning: string, standard: string) {
  return positiveDuration().prefault(standard).describe(`${meaning}. Default "${standard}".`);
}

function parseListenText(text: string, context: ProblemSink): ListenAddress {
  if (text.startsWith('unix:')) return parseSocketPath(text, context);
  if (/^\d+$/.test(text)) return parsePort(null, text, text, context);
  const match = /^(.+):(\d+)$/.exec(text);
  if (match === null || /^[a-z]+:\/\//i.test(text))
    return addProblem(
      context,
      `${JSON.stringify(text)} is not an address to listen on`,
      suggestAddress(text),
    );
  return parsePort(match[1], match[2], text, context);
}

function parsePort(host: string | null, digits: string, text: string, context: ProblemSink): ListenAddress {
  const port = Number(digits);
  if (port > 65_535) return addProblem(context, `${JSON.stringify(text)}: a port is at most 65535`);
  return host === null ? createTcpAddress(null, port) : parseHost(host, port, context);
}

function parseHost(
  written: string,
  port: number,
  context: ProblemSink,
  path: readonly string[] = [],
): ListenAddress {
  if (written === '*') return createTcpAddress(null, port);
  const host = written.startsWith('[') && written.endsWith(']') ? written.slice(1, -1) : written;
  const isBracketed = host !== written;
  // Only what can be one is tried: the first call costs a start some milliseconds.
  if (host.includes(':') && isIPv6(host)) {
    if (!isBracketed && path.length === 0)
      return addProblem(context, 'an IPv6 address needs brackets here', `write "[${host}]:${port}"`);
    // A scope ("%eth0") is nothing a URL knows of; without one a URL knows the shortest form of an address.
    const shortest = host.includes('%')
      ? host.toLowerCase()
      : new URL(`http://[${host}]`).hostname.slice(1, -1);
    return createTcpAddress(shortest, port);
  }
  const looksLikeAddress = /^[\d.]+$/.test(host);
  const isName = /^[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/i.test(host) && host.length <= 253;
  if (!isBracketed && (looksLikeAddress ? isIPv4(host) : isName))
    return createTcpAddress(host.toLowerCase(), port);
  return addProblem(context, `${JSON.stringify(written)} is not a host to listen on`, examples, path);
}

function parseSocketPath(text: string, context: ProblemSink): ListenAddress {
  const written = text.slice('unix:'.length);
  if (written === '' || written.includes('\0'))
    return addProblem(context, `${JSON.stringify(text)} names no socket`, 'such as "unix:run/site.sock"');
  const path = resolveConfigPath(written);
  if (Buffer.byteLength(path) > longestSocketPath)
    return addProblem(context, `the socket path ${path} is too long`, `at most ${longestSocketPath} bytes`);
  return { key: `unix:${path}`, host: null, port: 0, path };
}

function createTcpAddress(host: string | null, port: number): ListenAddress {
  const shown = host === null ? '*' : host.includes(':') ? `[${host}]` : host;
  return { key: `tcp:${shown}:${port}`, host, port, path: null };
}

function suggestAddress(text: string): string {
  const url = /^https?:\/\/([^/]+)/i.exec(text);
  if (url !== null) return `did you mean "${url[1].includes(':') ? url[1] : `${url[1]}:80`}"?`;
  if (/^:\d+$/.test(text)) return `did you mean "${text.slice(1)}"?`;
  if (/^[./]|\.sock$/.test(text)) return `did you mean "unix:${text}"?`;
  if (isIPv4(text) || /^[a-z*][a-z0-9.-]*$/i.test(text)) return `a port is missing: "${text}:8080"`;
  return examples;
}
