// The settings of an upstream: an application that is run here, or servers that run elsewhere.

import { isIPv6 } from 'node:net';
import { z } from 'zod';
import { addProblem, type ProblemSink } from '../config/shape/add-problem.ts';
import { resolveConfigPath } from '../config/shape/base-directory.ts';
import { duration } from '../config/shape/duration.ts';
import { existingFile } from '../config/shape/file-path.ts';

/** Where a server of an upstream listens. */
export type ServerAddress = { host: string; port: number } | { path: string };

const examples = 'such as "http://127.0.0.1:3000" or "unix:run/app.sock"';

/** "http://host[:port]" or "unix:path", relative to the config file. */
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

const timeoutsShape = z.strictObject({
  connect: limit('For a connection to a server, or for an instance of an application to become ready', '5s'),
  send: limit('Between two writes of a request', '60s'),
  read: limit('For the first byte of a response, and between two reads of it', '60s'),
});

const retriesShape = z.strictObject({
  tries: z
    .int()
    .min(0)
    .prefault(0)
    .describe('Most servers that one request is tried on; 0 for all of them. Default 0.'),
  timeout: duration()
    .prefault(0)
    .describe('Time after which a request is not tried on another server; 0 for no limit. Default 0.'),
});

const common = {
  keepalive: z
    .int()
    .min(0)
    .prefault(128)
    .describe(
      'Idle connections that each front worker keeps to each server. Fewer than there are requests at a time ' +
        'makes for connections that are closed and opened again and again. Default 128.',
    ),
  timeouts: timeoutsShape.prefault({}).describe('How long to wait for a server.'),
  retries: retriesShape.prefault({}).describe('How far a request that failed is tried elsewhere.'),
};

const balanceMeaning =
  '"round_robin": in turn, by weight; "least_conn": the one with the fewest requests under way, by weight.';

const appShape = z.strictObject({
  app: existingFile().describe('A gateway function: the module that answers requests, run by tsserve.'),
  instances: z.int().min(1).max(1024).prefault(1).describe('Processes that run it. Default 1.'),
  interface: z
    .enum(['fetch', 'node'])
    .prefault('fetch')
    .describe('"fetch": (request) => response; "node": (req, res), as Express has it. Default "fetch".'),
  env: z
    .record(z.string(), z.string())
    .prefault({})
    .describe('Variables added to the environment of its processes.'),
  balance: z
    .enum(['round_robin', 'least_conn'])
    .prefault('least_conn')
    .describe(`${balanceMeaning} Default "least_conn".`),
  ...common,
});

const serversShape = z.strictObject({
  servers: z.array(serverShape).min(1).describe('The servers that requests are spread over.'),
  balance: z
    .enum(['round_robin', 'least_conn'])
    .prefault('round_robin')
    .describe(`${balanceMeaning} Default "round_robin".`),
  ...common,
});

/** One upstream: with `app`, or with `servers`. */
export const upstreamShape = z.union([appShape, serversShape]);

/** A checked upstream. Durations in milliseconds. */
export type UpstreamSettings = z.output<typeof upstreamShape>;
/** A checked upstream that is an application run here. */
export type AppSettings = z.output<typeof appShape>;
/** A checked upstream of servers that run elsewhere. */
export type ServersSettings = z.output<typeof serversShape>;

function limit(meaning: string, standard: string) {
  return duration()
    .refine((ms) => ms > 0, 'this time must be longer than 0')
    .prefault(standard)
    .describe(`${meaning}. Default "${standard}".`);
}

function parseServerUrl(text: string, context: ProblemSink): ServerAddress {
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
