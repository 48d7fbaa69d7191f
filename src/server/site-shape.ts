// The whole config: the shapes of the feature rooms joined. A new directive is one line here. What no single shape
// can see (names that refer to nothing, duplicates) is left to find-site-problems.

import { z } from 'zod';
import { addProblem } from '../config/shape/add-problem.ts';
import { writtenFile } from '../config/shape/file-path.ts';
import { size } from '../config/shape/size.ts';
import { suggestName } from '../config/suggest-name.ts';
import { cgiShape } from '../handlers/cgi/cgi-shape.ts';
import { proxyShape } from '../handlers/proxy/proxy-shape.ts';
import { redirectShape } from '../handlers/respond/redirect-shape.ts';
import { returnShape } from '../handlers/respond/return-shape.ts';
import { staticShape } from '../handlers/static/static-shape.ts';
import { limitsShape, listenShape, timeoutsShape } from '../listener/listener-shape.ts';
import { compressionShape } from '../middleware/compression/compression-shape.ts';
import { corsShape } from '../middleware/cors/cors-shape.ts';
import { expiresShape } from '../middleware/headers/expires-shape.ts';
import { headersShape } from '../middleware/headers/headers-shape.ts';
import { securityShape } from '../middleware/headers/security-shape.ts';
import { upstreamShape } from '../upstream/upstream-shape.ts';
import { errorPagesShape } from './error-pages-shape.ts';
import { accessLogShape, errorLogShape } from './log-shape.ts';
import { pathShape } from './path-shape.ts';
import { serverNameShape } from './server-name-shape.ts';
import { trustedProxyShape } from './trusted-proxy-shape.ts';

/** The keys of a route that answer a request: each route has exactly one of them. */
export const answeringShapes = {
  static: staticShape.optional().describe('Serves files of a folder.'),
  proxy: proxyShape.optional().describe('Passes requests to an upstream.'),
  cgi: cgiShape.optional().describe('Has requests answered over FastCGI, uwsgi or SCGI: php-fpm, uWSGI.'),
  return: returnShape.optional().describe('Answers by itself: a status, or status and body.'),
  redirect: redirectShape.optional().describe('Sends the client elsewhere.'),
};

const compressKey = compressionShape.describe(
  'true, false, or how to compress responses; inner levels override by key. Default false.',
);

/** What each level may say of responses: the route, else the server, else the site. */
const responseShapes = {
  security: securityShape
    .optional()
    .describe(
      'true for the fields that nearly every site wants: nosniff, referrer and frame policies, HSTS over TLS; or ' +
        'which of them. Applications and "headers" override them. Default false.',
    ),
  cors: corsShape
    .optional()
    .describe('Lets pages of other origins read: true for all origins, or an object. Default false.'),
  expires: expiresShape
    .optional()
    .describe(
      'Expires and Cache-Control of good answers: "30d" from now, "modified 30d" from the last change, "@15h" at that ' +
        'time of day, "epoch", "max" or "off". Default: what the handler says.',
    ),
  errorPages: errorPagesShape
    .optional()
    .describe(
      'Pages for errors by status ("404"), class ("5xx") or several ("502 503 504"): a URI of the site, "@name" for a ' +
        'named route, an absolute URL, or { to, status }; null for the built-in one. Inner levels override by status.',
    ),
  interceptErrors: z
    .boolean()
    .optional()
    .describe(
      'Whether "errorPages" also stand in for what upstreams answer with such a status. Default false.',
    ),
  limitRate: size().optional().describe('Most bytes a second of each response; 0 for no limit. Default 0.'),
  limitRateAfter: size()
    .optional()
    .describe('Bytes of each response that are sent before "limitRate" holds. Default 0.'),
};

/** One route: which requests, and what answers them. */
export const routeShape = z
  .strictObject({
    path: pathShape.describe(
      'Which paths: "= exact", "/prefix", "^~ /prefix", "~ regexp", "~* regexp"; or "@name" for a route that others ' +
        'lead to.',
    ),
    ...answeringShapes,
    headers: headersShape
      .optional()
      .describe('Fields of the response; null removes one that an outer level sets.'),
    compress: compressKey.optional(),
    ...responseShapes,
    internal: z
      .boolean()
      .optional()
      .describe(
        'Whether only internal redirects lead here (X-Accel-Redirect); clients get 404. Default false.',
      ),
  })
  .meta({ id: 'route', oneOf: Object.keys(answeringShapes).map((key) => ({ required: [key] })) });

const routesShape = z
  .array(routeShape)
  .describe('What answers which requests. Of several prefixes the longest wins.');
const listenKey = listenShape.describe('Where to listen: a port, an address, or a list. Default 8080.');
const headersKey = headersShape.describe('Fields of every response; inner levels override by name.');
const accessLogKey = accessLogShape.describe('false, a file, or { path, format }. Default false.');

/** One of several virtual hosts. */
export const serverShape = z.strictObject({
  listen: listenKey.optional(),
  names: z
    .union([serverNameShape.transform((name) => [name]), z.array(serverNameShape)])
    .optional()
    .describe('Host names: exact, "*.x", "x.*" or "~regexp".'),
  routes: routesShape,
  headers: headersKey.optional(),
  compress: compressKey.optional(),
  ...responseShapes,
  accessLog: accessLogKey.optional(),
  default: z
    .boolean()
    .optional()
    .describe('Takes the requests that fit no name. Default: the first on its address.'),
});

const upstreamNameShape = z.string().transform((name, context) => {
  if (/^[\w.-]+$/.test(name)) return name;
  return addProblem(
    context,
    `${JSON.stringify(name)} cannot name an upstream`,
    'letters, digits, "_", "-" and "."',
  );
});

const mostWorkers = 1024;

const workersShape = z.union([
  z.int().min(0).max(mostWorkers),
  // An environment variable can only give a text, so digits in quotes will do.
  z
    .string()
    .meta({ pattern: '^(auto|\\d{1,4}|.*\\$\\{.*)$', examples: ['auto'] })
    .transform((text, context) => {
      if (text === 'auto') return text;
      if (/^\d{1,4}$/.test(text) && Number(text) <= mostWorkers) return Number(text);
      const problem = `expected "auto" or a number of at most ${mostWorkers}, but found ${JSON.stringify(text)}`;
      return addProblem(context, problem, suggestName(text, ['auto']) === null ? '' : 'did you mean "auto"?');
    }),
]);

/** The config file. Comes out as {@link WrittenSite}: checked and in final units, still as its author arranged it. */
export const siteShape = z
  .strictObject({
    $schema: z.string().optional().describe('Where editors find the description of this format.'),
    listen: listenKey.optional(),
    workers: workersShape
      .prefault('auto')
      .describe(
        'Front workers: "auto" for one per processor, 0 for everything in one process. Default "auto".',
      ),
    upstreams: z
      .record(upstreamNameShape, upstreamShape)
      .prefault({})
      .describe('Groups of servers, or applications run here, by name.'),
    routes: routesShape.optional(),
    servers: z.array(serverShape).min(1).optional().describe('Several virtual hosts, in place of "routes".'),
    headers: headersKey.optional(),
    compress: compressKey.optional(),
    ...responseShapes,
    timeouts: timeoutsShape.prefault({}).describe('How long to wait for clients.'),
    limits: limitsShape.prefault({}).describe('How much to take from clients.'),
    accessLog: accessLogKey.optional(),
    errorLog: errorLogShape
      .optional()
      .describe('A file, or { path, level }. Default: standard error, level "notice".'),
    pid: writtenFile().optional().describe('File for the process id of the master. Default: none.'),
    trustedProxies: z
      .array(trustedProxyShape)
      .prefault([])
      .describe(
        'Addresses whose X-Forwarded-For and X-Forwarded-Proto are believed, and the PROXY protocol where a listener ' +
          'expects it; "unix:" for whoever connects through a unix socket. Default: none.',
      ),
  })
  .meta({ title: 'tsserve site', description: 'The configuration of a tsserve site.' });

/** What `siteShape` gives. */
export type WrittenSite = z.output<typeof siteShape>;
/** What `routeShape` gives. */
export type WrittenRoute = z.output<typeof routeShape>;
/** What `serverShape` gives. */
export type WrittenServer = z.output<typeof serverShape>;

/** What a config may hold, as its author writes it. */
export type SiteInput = z.input<typeof siteShape>;
