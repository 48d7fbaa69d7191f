// The address of a server as a config writes it: "http://host[:port]", "https://…" or "unix:path", or one of the CGI
// family behind "fastcgi://" and its like. What a host name stands for is looked up elsewhere, while the site serves.

import { isIPv6 } from 'node:net';
import { z } from 'zod';
import type { CgiProtocol } from '../cgi/cgi-codec.ts';
import { addProblem, type ProblemSink } from '../config/shape/add-problem.ts';
import { resolveConfigPath } from '../config/shape/base-directory.ts';
import { isHostName } from './host-name.ts';

/** What is spoken to a server, if it is not plain HTTP. */
export type ServerProtocol = CgiProtocol | 'https';

/** Where a server of an upstream listens, and what it speaks there if it is not HTTP. */
export type ServerAddress = ({ host: string; port: number } | { path: string }) & {
  protocol?: ServerProtocol;
};

/** How an address is written. */
export const addressExamples = 'such as "http://127.0.0.1:3000" or "unix:run/app.sock"';
const cgiExamples = 'such as "fastcgi://127.0.0.1:9000" or "fastcgi://unix:run/php.sock"';

/** The ports of HTTP and HTTPS, where none is written. */
export const standardPorts = { http: 80, https: 443 } as const;

/** An address of a server. Socket paths are relative to the config file and come out absolute. */
export const serverAddressShape = z.string().transform(parseServerUrl);

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
  const [, writtenScheme, userinfo, authority, rest] = match;
  const scheme = writtenScheme.toLowerCase();
  if (scheme !== 'http' && scheme !== 'https') {
    return addProblem(context, `${JSON.stringify(writtenScheme)} is not spoken here`, addressExamples);
  }
  if (scheme === 'https' && authority === 'unix:') {
    return { ...parseSocketPath(text.slice('https://unix:'.length), context), protocol: scheme };
  }
  if (userinfo !== undefined) return addProblem(context, 'the URL of a server has no user and password');
  if (rest !== '' && rest !== '/') {
    const hint = 'the path belongs to the route: "proxy": { "upstream": …, "addPrefix": … }';
    return addProblem(context, 'the URL of a server has no path and no query', hint);
  }
  const address = parseAuthority(authority, standardPorts[scheme], context);
  return scheme === 'https' ? { ...address, protocol: scheme } : address;
}

function parseAuthority(authority: string, standardPort: number, context: ProblemSink): ServerAddress {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::([0-9]{1,5}))?$/.exec(authority);
  const [, literal, name, digits = String(standardPort)] = match ?? [];
  const port = Number(digits);
  const isHost = literal === undefined ? isHostName(name ?? '') : isIPv6(literal);
  if (!isHost || port < 1 || port > 65_535) {
    return addProblem(context, `${JSON.stringify(authority)} is not a host and port`, addressExamples);
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
  return addressExamples;
}
