// The settings of an upstream: an application or a program that is run here, or servers that run elsewhere.

import { isIP } from 'node:net';
import { z } from 'zod';
import { addProblem, type ProblemSink } from '../config/shape/add-problem.ts';
import { duration } from '../config/shape/duration.ts';
import { availabilityKeys, checkAvailability, dutyKeys } from './availability-shape.ts';
import { balanceKey } from './balance-shape.ts';
import { forwardingKeys, keepaliveKey, keepaliveMeaning } from './forwarding-shape.ts';
import { appShape, commandShape } from './program-shape.ts';
import { resolveShape } from './resolve-shape.ts';
import {
  addressExamples,
  type ServerAddress,
  serverAddressShape,
  standardPorts,
} from './server-address-shape.ts';
import { defaultTls, type TlsSettings, tlsShape } from './tls-shape.ts';

const settingsOfServer = z.strictObject({
  url: serverAddressShape.describe(`Where the server listens, ${addressExamples}.`),
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
  ...dutyKeys,
  service: z
    .string()
    .regex(/^[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/i, 'this is not the name of a service')
    .optional()
    .describe(
      'Ports and weights come from SRV records: "http" asks for those of _http._tcp.HOST, a name with a dot for those of ' +
        'NAME.HOST. Default: none, the URL says the port.',
    ),
});

const serverShape = z.union([
  serverAddressShape.transform((url): z.output<typeof settingsOfServer> => ({ ...defaultsOfServer, url })),
  settingsOfServer,
]);

const defaultsOfServer = settingsOfServer.omit({ url: true }).parse({});

const serversShape = z
  .strictObject({
    servers: z.array(serverShape).min(1).describe('The servers that requests are spread over.'),
    balance: balanceKey('round_robin'),
    ...availabilityKeys,
    ...forwardingKeys,
    keepalive: keepaliveKey
      .optional()
      .describe(
        `${keepaliveMeaning} Default 128 for servers of HTTP, 0 for others: php-fpm has a process wait on each; and 0 ` +
          'with "proxyProtocol".',
      ),
    resolve: resolveShape.prefault({}).describe('How host names of servers are looked up, again and again.'),
    tls: tlsShape.optional().describe('How servers with an https URL are spoken to.'),
    proxyProtocol: z
      .enum(['v1', 'v2'])
      .optional()
      .describe(
        'Has each connection begin with the address of the client (PROXY protocol), for servers that expect that. ' +
          'Default: none.',
      ),
  })
  .transform((settings, context) => {
    checkServers(settings.servers, context);
    checkSecurity(settings, context);
    checkAvailability(settings, context);
    return { ...settings, keepalive: decideKeepalive(settings, context) };
  });

/** One upstream: with `app`, with `command`, or with `servers`. */
export const upstreamShape = z.union([appShape, commandShape, serversShape]);

/** A checked upstream. Durations in milliseconds. */
export type UpstreamSettings = z.output<typeof upstreamShape>;
/** A checked upstream of servers that run elsewhere. */
export type ServersSettings = z.output<typeof serversShape>;

type Servers = readonly z.output<typeof settingsOfServer>[];

/** What holds for all servers of an upstream together, and for a name that stands for several. */
function checkServers(servers: Servers, context: ProblemSink): void {
  const { protocol } = servers[0].url;
  if (servers.some(({ url }) => url.protocol !== protocol)) {
    addProblem(context, 'the servers of an upstream speak one protocol', '', ['servers']);
  }
  for (const [i, { url, service }] of servers.entries()) {
    const problem = service === undefined ? null : findServiceProblem(url);
    if (problem !== null) addProblem(context, problem, '', ['servers', i, 'service']);
  }
}

function findServiceProblem(url: ServerAddress): string | null {
  if (!('host' in url) || isIP(url.host) !== 0) return 'only a host name has services';
  if (url.protocol !== undefined && url.protocol !== 'https') return `${url.protocol} has no services`;
  return url.port === standardPorts[url.protocol ?? 'http']
    ? null
    : 'the service says the port: the URL has none';
}

/** TLS needs somebody who speaks it, and a name to ask for. */
function checkSecurity(
  { servers, tls }: { servers: Servers; tls?: TlsSettings | undefined },
  context: ProblemSink,
) {
  const { url } = servers[0];
  if (tls !== undefined && url.protocol !== 'https') {
    addProblem(context, 'no server here has an https URL', 'write "https://…", or remove "tls"', ['tls']);
  }
  const nameless = servers.findIndex((server) => 'path' in server.url);
  if (url.protocol === 'https' && nameless !== -1 && (tls ?? defaultTls).verify && tls?.name === undefined) {
    const hint = '"tls": { "name": … } next to "servers"';
    addProblem(context, 'a socket has no name that a certificate could have', hint, ['servers', nameless]);
  }
}

/** How many idle connections are kept, and whether any can be. */
function decideKeepalive(
  settings: { servers: Servers; keepalive?: number | undefined; proxyProtocol?: string | undefined },
  context: ProblemSink,
): number {
  const { servers, keepalive, proxyProtocol } = settings;
  const { protocol } = servers[0].url;
  const isHttp = protocol === undefined || protocol === 'https';
  if (proxyProtocol !== undefined) {
    if (!isHttp)
      addProblem(context, `${protocol} knows no PROXY protocol`, 'leave it out', ['proxyProtocol']);
    if (keepalive === undefined || keepalive === 0) return 0;
    const problem = 'with "proxyProtocol" a connection belongs to one client and is not kept';
    return addProblem(context, problem, 'leave it out', ['keepalive']);
  }
  if (keepalive !== undefined && keepalive > 0 && !isHttp && protocol !== 'fastcgi') {
    return addProblem(context, `${protocol} has a connection for each request`, 'leave it out', [
      'keepalive',
    ]);
  }
  return keepalive ?? (isHttp ? 128 : 0);
}
