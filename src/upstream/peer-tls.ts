// What TLS to the servers of an upstream is spoken with: certificates and keys are read once for each upstream, made
// into a context, and told apart by what is in the files, so that a reload takes renewed ones.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import type { SecureContext } from 'node:tls';
import type { Lease, SharedPool } from '../base/shared-pool.ts';
import { loadTls } from '../http1/load-tls.ts';
import type { ClientTls } from '../http1/open-client-socket.ts';
import type { TlsSettings } from './tls-shape.ts';

/** Where systems keep the certificates that they trust, OpenSSL's own variable first. */
const authorityFiles = [
  process.env.SSL_CERT_FILE ?? '',
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/ssl/cert.pem',
];

const standardTls: TlsSettings = { verify: true, minVersion: 'TLSv1.2' };

/**
 * TLS with these settings and files as they are now: one for all who have the same. Throws what reading a file throws,
 * and what is wrong with it.
 */
export function takeUpstreamTls(settings: TlsSettings = standardTls, shared: SharedPool): Lease<UpstreamTls> {
  const files = readFiles(settings);
  const hash = createHash('sha256');
  for (const file of Object.values(files)) hash.update(`${file?.length ?? -1}:`).update(file ?? '');
  const fingerprint = hash.update(JSON.stringify(settings)).digest('base64');
  return shared.take(`upstream-tls:${fingerprint}`, () => new UpstreamTls(settings, files, fingerprint));
}

/** TLS as one upstream has it. */
export class UpstreamTls {
  /** Differs whenever a file, or a setting that a connection depends on, does. */
  readonly fingerprint: string;
  readonly #context: SecureContext;
  readonly #name: string | undefined;
  readonly #verify: boolean;

  constructor({ name, verify, minVersion }: TlsSettings, files: TlsFiles, fingerprint: string) {
    this.fingerprint = fingerprint;
    this.#context = loadTls().createSecureContext({ ...files, minVersion });
    this.#name = name;
    this.#verify = verify;
  }

  /** The name that a peer's certificate must have. `hostName` is what the URL says, null for a socket. */
  findName(hostName: string | null): string {
    return (this.#name ?? hostName ?? 'localhost').replace(/\.$/, '');
  }

  /** TLS to one peer, with sessions of its own. */
  createPeerTls(name: string): ClientTls {
    return {
      context: this.#context,
      name,
      isAddress: isIP(name) !== 0,
      verify: this.#verify,
      session: null,
    };
  }

  close(): void {}
}

interface TlsFiles {
  readonly ca: Buffer | undefined;
  readonly cert: Buffer | undefined;
  readonly key: Buffer | undefined;
}

function readFiles({ verify, ca, cert, key }: TlsSettings): TlsFiles {
  return {
    ca: verify ? (ca === undefined ? readAuthorities() : readFileSync(ca)) : undefined,
    cert: cert === undefined ? undefined : readFileSync(cert),
    key: key === undefined ? undefined : readFileSync(key),
  };
}

/** The certificates that this system trusts; undefined, which means those that Node brings, if it has no such file. */
function readAuthorities(): Buffer | undefined {
  for (const file of authorityFiles) {
    try {
      if (file !== '') return readFileSync(file);
    } catch {
      // The next system keeps them elsewhere.
    }
  }
  return undefined;
}
