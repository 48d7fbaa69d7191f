// The settings of an upstream: an application or a program that is run here, or servers that run elsewhere.

import { isIPv6 } from 'node:net';
import { z } from 'zod';
import type { CgiProtocol } from '../cgi/cgi-codec.ts';
import { addProblem, type ProblemSink } from '../config/shape/add-problem.ts';
import { resolveConfigPath } from '../config/shape/base-directory.ts';
import { duration } from '../config/shape/duration.ts';
import { balanceKey, forwardingKeys, keepaliveKey, keepaliveMeaning } from './forwarding-shape.ts';
import { appShape, commandShape } from './program-shape.ts';

/** Where a server of an upstream listens, and what it speaks there if it is not HTTP. */
export type ServerAddress = ({ host: string; port: number } | { path: string }) & { protocol?: CgiProtocol };

const examples = 'such as "http://127.0.0.1:3000" or "unix:run/app.sock"';
const cgiExamples = 'such as "fastcgi://127.0.0.1:9000" or "fastcgi://unix:run/php.sock"';

/** "http://host[:port]" or "unix:path", relative to the config file; either behind "fastcgi://" and its like. */
const addressShape = z.string().transform(parseServerUrl);

const settingsOfServer = z.strictObject({
  url: addressShape.describe(`Where the server listens, ${examples}.`),
  weight: z.int().min(1).max(1000).prefault(1).describe('Its share of the requests. Default 1.'),
  backup: z
    .boolean()
    .prefault(false)
    .describe('Takes requests only while no other server is available. Default false.'),
  down: z.boolean().prefault(false).describe('Takes no requests at all. Default false.'),
  maxFails: z
    .int()
    .min(0)
    .prefault(1)
    .describe('Failures within failTimeout that take the server out; 0 never does. Default 1.'),
  failTimeout: duration()
    .prefault('10s')
    .describe('Time in which failures are counted, and for which the server is out then. Default "10s".'),
});

const serverShape = z.union([
  addressShape.transform((url): z.output<typeof settingsOfServer> => ({ ...defaultsOfServer, url })),
  settingsOfServer,
]);

const defaultsOfServer = settingsOfServer.omit({ url: true }).parse({});

const serversShape = z
  .strictObject({
    servers: z.array(serverShape).min(1).describe('The servers that requests are spread over.'),
    balance: balanceKey('round_robin'),
    ...forwardingKeys,
    keepalive: keepaliveKey
      .optional()
      .describe(
        `${keepaliveMeaning} Default 128 for servers of HTTP, 0 for others: php-fpm has a process wait on each.`,
      ),
  })
  .transform((settings, context) => ({ ...settings, keepalive: decideKeepalive(settings, context) }));

/** One upstream: with `app`, with `command`, or with `servers`. */
export const upstreamShape = z.union([appShape, commandShape, serversShape]);

/** A checked upstream. Durations in milliseconds. */
export type UpstreamSettings = z.output<typeof upstreamShape>;
/** A checked upstream of servers that run elsewhere. */
export type ServersSettings = z.output<typeof serversShape>;

/** What holds for all servers of an upstream together, and follows from it. */
function decideKeepalive(
  { servers, keepalive }: { servers: readonly { url: ServerAddress }[]; keepalive?: number | undefined },
  context: ProblemSink,
): number {
  const { protocol } = servers[0].url;
  if (servers.some(({ url }) => url.protocol !== protocol)) {
    return addProblem(context, 'the servers of an upstream speak one protocol', '', ['servers']);
  }
  if (keepalive !== undefined && keepalive > 0 && protocol !== undefined && protocol !== 'fastcgi') {
    return addProblem(context, `${protocol} has a connection for each request`, 'leave it out', [
      'keepalive',
    ]);
  }
  return keepalive ?? (protocol === undefined ? 128 : 0);
}

function parseServerUrl(text: string, context: ProblemSink): ServerAddress {
  const [, protocol, rest] = /^(fastcgi|uwsgi|scgi):\/\/(.*)$/is.exec(text) ?? [];
  if (protocol === undefined) return parseHttpUrl(text, context);
  // No port belongs to these protocols.
  if (!/^unix:|:[0-9]+$/.test(rest)) {
    return addProblem(context, `${JSON.stringify(text)} has neither port nor socket`, cgiExamples);
  }
  const address = parseHttpUrl(rest.startsWith('unix:') ? rest : `http://${rest}`, context);
  return { ...address, protocol: protocol.toLowerCase() as CgiProtocol };
}

function parseHttpUrl(text: string, context: ProblemSink): ServerAddress {
  if (text.startsWith('unix:')) return parseSocketPath(text.slice('unix:'.length), context);
  const match = /^([a-z][a-z0-9+.-]*):\/\/(?:([^/@]*)@)?([^/?#]*)(.*)$/i.exec(text);
  if (match === null) {
    return addProblem(context, `${JSON.stringify(text)} is not the URL of a server`, suggestUrl(text));
  }
  const [, scheme, userinfo, authority, rest] = match;
  if (scheme.toLowerCase() !== 'http') {
    const isTls = scheme.toLowerCase() === 'https';
    return addProblem(
      context,
      isTls ? 'servers are not spoken to over TLS yet' : `${JSON.stringify(scheme)} is not spoken here`,
      examples,
    );
  }
  if (userinfo !== undefined) return addProblem(context, 'the URL of a server has no user and password');
  if (rest !== '' && rest !== '/') {
    const hint = 'the path belongs to the route: "proxy": { "upstream": …, "addPrefix": … }';
    return addProblem(context, 'the URL of a server has no path and no query', hint);
  }
  return parseAuthority(authority, context);
}

function parseAuthority(authority: string, context: ProblemSink): ServerAddress {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::([0-9]{1,5}))?$/.exec(authority);
  const [, literal, name, digits = '80'] = match ?? [];
  const port = Number(digits);
  const isHost =
    literal === undefined
      ? /^[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_.])?$/i.test(name ?? '') && name.length <= 253
      : isIPv6(literal);
  if (!isHost || port < 1 || port > 65_535) {
    return addProblem(context, `${JSON.stringify(authority)} is not a host and port`, examples);
  }
  return { host: (literal ?? name).toLowerCase(), port };
}

function parseSocketPath(written: string, context: ProblemSink): ServerAddress {
  if (written === '' || written.includes('\0')) {
    return addProblem(context, 'this names no socket', 'such as "unix:run/app.sock"');
  }
  return { path: resolveConfigPath(written) };
}

function suggestUrl(text: string): string {
  if (/^[a-z0-9.-]+:[0-9]+$/i.test(text)) return `did you mean "http://${text}"?`;
  if (/^[./]|\.sock$/.test(text)) return `did you mean "unix:${text}"?`;
  return examples;
}
