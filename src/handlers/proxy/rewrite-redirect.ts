// Where an upstream sends the client, in the client's terms: Location, and the URL of Refresh (nginx's proxy_redirect).

import type { Exchange } from '../../message/exchange.ts';
import { toFieldValue } from '../../message/field-value.ts';
import type { Fields } from '../../message/fields.ts';
import { isFieldName } from '../../message/fields.ts';
import { collapseLeadingSlashes, encodePath } from '../../message/location.ts';
import type { ProxySettings } from './proxy-shape.ts';
import { compileRewrite, type RewriteText } from './rewrite-text.ts';

const refreshPattern = /^([^;,]*[;,]\s*url\s*=\s*["']?)(.*)$/i;

/** Changes the fields of a response in place. */
export type ChangeFields = (exchange: Exchange, fields: Fields) => void;

/** Compiles the `redirect` setting; null when it has nothing to do. `readHost` gives the Host the upstream saw. */
export function compileRedirect(
  { redirect, host, stripPrefix, addPrefix }: ProxySettings,
  readHost: (exchange: Exchange) => string,
): ChangeFields | null {
  if (redirect === 'off') return null;
  if (redirect !== 'default') return applyTo(compileRewrite(redirect, 'prefix', false));
  // What the upstream was asked for is what the client asked for, so what it answers is right as it is.
  if (host === null && stripPrefix === '' && addPrefix === '') return null;
  return applyTo(compileDefault(readHost, encodePath(stripPrefix), encodePath(addPrefix)));
}

/**
 * A URL below the one that the upstream was asked for becomes a path on this site. What already lies below the prefix
 * that was taken off comes from an application that knows of it (X-Forwarded-Prefix).
 */
function compileDefault(
  readHost: (exchange: Exchange) => string,
  stripPrefix: string,
  addPrefix: string,
): RewriteText {
  return (exchange, location) => {
    const path = cutOrigin(location, readHost(exchange));
    if (path === null) return null;
    if (stripPrefix !== '' && isBelow(path, stripPrefix)) return collapseLeadingSlashes(path);
    if (!isBelow(path, addPrefix)) return null;
    return collapseLeadingSlashes(stripPrefix + path.slice(addPrefix.length));
  };
}

/** What follows scheme and host in an absolute URL of that host, beginning with "/"; null for any other. */
function cutOrigin(location: string, host: string): string | null {
  const scheme = /^https?:\/\//i.exec(location);
  if (scheme === null) return null;
  const end = scheme[0].length + host.length;
  if (location.slice(scheme[0].length, end).toLowerCase() !== host.toLowerCase()) return null;
  const rest = location.slice(end);
  if (rest === '' || rest.startsWith('?') || rest.startsWith('#')) return `/${rest}`;
  return rest.startsWith('/') ? rest : null;
}

function isBelow(path: string, prefix: string): boolean {
  return path.startsWith(prefix) && /^(?:[/?#]|$)/.test(path.slice(prefix.length));
}

function applyTo(rewrite: RewriteText): ChangeFields {
  return (exchange, fields) => {
    for (let i = 0; i < fields.length; i += 2) {
      const value = fields[i + 1];
      if (isFieldName(fields[i], 'location')) {
        const rewritten = rewrite(exchange, value);
        if (rewritten !== null) fields[i + 1] = toFieldValue(rewritten);
      } else if (isFieldName(fields[i], 'refresh')) {
        const [, before, url] = refreshPattern.exec(value) ?? [];
        const rewritten = url === undefined ? null : rewrite(exchange, url);
        if (rewritten !== null) fields[i + 1] = toFieldValue(before + rewritten);
      }
    }
  };
}
