// The variables that a peer gets: those of RFC 3875 4.1 and those that nginx's fastcgi_params adds, the client's fields
// as HTTP_*, and what the config sets over them. CONTENT_LENGTH is the connection's to add.

import type { Exchange } from '../../message/exchange.ts';
import { getField } from '../../message/fields.ts';
import { HttpError } from '../../message/http-error.ts';
import { compileTemplate } from '../../message/template.ts';
import type { CgiSettings } from './cgi-shape.ts';
import { forEachFieldVariable } from './field-variables.ts';
import type { ScriptPath } from './script-path.ts';
import { toByteText } from './to-byte-text.ts';

/** Renders the variables of a request, each as name NUL value NUL, one character per byte. */
export type RenderVariables = (exchange: Exchange, path: ScriptPath) => string;

/** Gives the value of one variable; null leaves it out. */
type ReadValue = (exchange: Exchange, path: ScriptPath) => string | null;

/** Compiles the variables of one route. `isTrusted` tells whether what a peer says about its client is believed. */
export function compileVariables(
  settings: CgiSettings,
  isTrusted: (address: string) => boolean,
): RenderVariables {
  const overrides = new Map(Object.entries(settings.params));
  const entries = [...listStandard(settings, isTrusted)].filter(([name]) => !overrides.has(name));
  for (const [name, text] of overrides) {
    if (text === null) continue;
    const { evaluate } = compileTemplate(text);
    entries.push([name, (exchange) => toByteText(evaluate(exchange))]);
  }
  return (exchange, path) => {
    let list = '';
    for (const [name, readValue] of entries) {
      const value = readValue(exchange, path);
      if (value !== null) list += renderVariable(name, value);
    }
    forEachFieldVariable(exchange.fields, isTrusted(exchange.connection.peerAddress), (name, value) => {
      if (!overrides.has(name)) list += renderVariable(name, value);
    });
    if (!overrides.has('HTTP_X_REQUEST_ID')) list += renderVariable('HTTP_X_REQUEST_ID', exchange.requestId);
    return list;
  };
}

/** A NUL would end the value, and what follows it would be a variable of its own. */
function renderVariable(name: string, value: string): string {
  if (value.includes('\0')) throw new HttpError('TSS_FIELD_SYNTAX', `a NUL in the variable ${name}`);
  return `${name}\0${value}\0`;
}

function listStandard(
  settings: CgiSettings,
  isTrusted: (address: string) => boolean,
): (readonly [string, ReadValue])[] {
  const readScheme = (x: Exchange): string => findScheme(x, isTrusted);
  return [
    ['QUERY_STRING', (x) => toByteText(x.query)],
    ['REQUEST_METHOD', (x) => x.method],
    ['CONTENT_TYPE', (x) => getField(x.fields, 'content-type') ?? null],
    ...listPaths(settings),
    ['REQUEST_URI', (x) => x.target],
    ['DOCUMENT_URI', (x) => toByteText(x.path)],
    ['SERVER_PROTOCOL', (x) => `HTTP/${x.httpVersion}`],
    ['REQUEST_SCHEME', readScheme],
    ['HTTPS', (x) => (readScheme(x) === 'https' ? 'on' : null)],
    ['GATEWAY_INTERFACE', () => 'CGI/1.1'],
    ['SERVER_SOFTWARE', () => 'tsserve'],
    ['REMOTE_ADDR', (x) => x.clientAddress],
    ['REMOTE_PORT', readRemotePort],
    ['SERVER_ADDR', (x) => x.connection.localAddress],
    ['SERVER_PORT', (x) => String(x.connection.localPort)],
    ['SERVER_NAME', (x) => toByteText(findServerName(x))],
    // PHP built with "force-cgi-redirect" answers nothing without it.
    ['REDIRECT_STATUS', () => '200'],
  ];
}

function listPaths({ peerRoot, root }: CgiSettings): (readonly [string, ReadValue])[] {
  const folder = peerRoot ?? root;
  if (folder === null) {
    return [
      ['SCRIPT_NAME', (_, path) => toByteText(path.name)],
      ['PATH_INFO', (_, path) => toByteText(path.info)],
    ];
  }
  const folderBytes = toByteText(folder.replace(/[/\\]+$/, ''));
  return [
    ['DOCUMENT_ROOT', () => folderBytes || '/'],
    ['SCRIPT_NAME', (_, path) => toByteText(path.name)],
    ['SCRIPT_FILENAME', (_, path) => folderBytes + toByteText(path.name)],
    ['PATH_INFO', (_, path) => (path.info === '' ? null : toByteText(path.info))],
  ];
}

/** The client's, as a proxy that is trusted tells it. */
function findScheme({ connection, fields }: Exchange, isTrusted: (address: string) => boolean): string {
  if (isTrusted(connection.peerAddress)) {
    const told = getField(fields, 'x-forwarded-proto')?.toLowerCase();
    if (told === 'http' || told === 'https') return told;
  }
  return connection.scheme;
}

/** Known only of who is connected to us. */
function readRemotePort({ clientAddress, connection }: Exchange): string | null {
  return clientAddress === connection.peerAddress && connection.peerPort > 0
    ? String(connection.peerPort)
    : null;
}

/** The server's own name, or the one asked for where that is a pattern or none. */
function findServerName({ connection, host, serverName }: Exchange): string {
  const isName = serverName !== '' && !/^~|\*/.test(serverName);
  return (isName ? serverName : host) || connection.localAddress;
}
