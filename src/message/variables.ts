// The variables that strings in a config may hold, under nginx's names. Each is a pure function of the Exchange.
// A name is looked up once, at load; an unknown one is the caller's to report.

import type { Exchange } from './exchange.ts';
import { getField } from './fields.ts';
import { formatLocalTime } from './local-time.ts';

/** Reads one variable. An absent value is "" (the access log writes "-" for it). */
export type ReadVariable = (exchange: Exchange) => string;

const readers: ReadonlyMap<string, ReadVariable> = new Map<string, ReadVariable>([
  ['args', (x) => x.query],
  ['body_bytes_sent', (x) => String(x.bodyBytesSent)],
  ['connection', (x) => String(x.connection.serial)],
  ['host', (x) => x.host || x.serverName],
  ['is_args', (x) => (x.query === '' ? '' : '?')],
  ['query_string', (x) => x.query],
  ['remote_addr', (x) => x.clientAddress],
  ['remote_port', (x) => String(x.connection.peerPort)],
  ['remote_user', () => ''],
  [
    'request',
    (x) => (x.requestMethod === '' ? x.target : `${x.requestMethod} ${x.target} HTTP/${x.httpVersion}`),
  ],
  ['request_id', (x) => x.requestId],
  ['request_method', (x) => x.method],
  ['request_time', (x) => ((performance.now() - x.startedAtMs) / 1000).toFixed(3)],
  ['request_uri', (x) => x.target],
  ['scheme', (x) => x.connection.scheme],
  ['server_addr', (x) => x.connection.localAddress],
  ['server_name', (x) => x.serverName],
  ['server_port', (x) => String(x.connection.localPort)],
  ['server_protocol', (x) => `HTTP/${x.httpVersion}`],
  ['status', (x) => String(x.status)],
  ['time_iso8601', () => new Date().toISOString()],
  ['time_local', formatLocalTime],
  ['upstream_addr', (x) => x.upstreamAddress],
  ['upstream_outcome', (x) => x.upstreamOutcome],
  ['upstream_response_time', (x) => x.upstreamTime],
  ['upstream_status', (x) => x.upstreamStatus],
  ['uri', (x) => x.path],
]);

/** Prefixes of variables that take the rest of their name as an argument. */
const families: readonly string[] = ['arg_', 'cookie_', 'http_'];

/** Every name that can be written after "$"; families end in "_". For did-you-mean and documentation. */
export const variableNames: readonly string[] = [...readers.keys(), ...families];

/** The reader of a variable (name without "$"), or null when there is no such variable. */
export function compileVariable(name: string): ReadVariable | null {
  const reader = readers.get(name);
  if (reader !== undefined) return reader;
  const family = families.find((prefix) => name.startsWith(prefix) && name.length > prefix.length);
  if (family === undefined) return null;
  const argument = name.slice(family.length);
  if (family === 'http_') {
    const fieldName = argument.replaceAll('_', '-').toLowerCase();
    return (x) => getField(x.fields, fieldName) ?? '';
  }
  if (family === 'cookie_') return (x) => findPair(getField(x.fields, 'cookie') ?? '', argument, ';');
  return (x) => findPair(x.query, argument, '&');
}

/** The value of the first `name=value` among `separator`-separated pairs, as written. */
function findPair(text: string, name: string, separator: string): string {
  for (const pair of text.split(separator)) {
    const equals = pair.indexOf('=');
    if (equals > 0 && pair.slice(0, equals).trim() === name) return pair.slice(equals + 1).trim();
  }
  return '';
}
