// Certificates for tests, made with openssl: an authority, and what it says of servers and clients.

import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { createTempFolder } from './temp-folder.ts';

/** A certificate with its key, as paths of PEM files. */
export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
}

/** An authority of its own. */
export interface Authority {
  /** Its certificate. */
  readonly ca: string;
  /** Makes a certificate for a name of its owner. `days` below 0 makes one that has expired. */
  issue(owner: string, options?: { names?: string; days?: number }): CertificateFiles;
}

const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
let made = 0;

/** Makes an authority. Its certificates are for DNS:OWNER and 127.0.0.1 unless told otherwise. */
export function createAuthority(): Authority {
  const folder = createTempFolder();
  const run = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
  run(
    'req',
    '-x509',
    ...newKey,
    '-keyout',
    'ca.key',
    '-out',
    'ca.pem',
    '-days',
    '30',
    '-subj',
    '/CN=test authority',
  );
  return {
    ca: join(folder, 'ca.pem'),
    issue: (owner, { names = `DNS:${owner},IP:127.0.0.1`, days = 30 } = {}) => {
      const [cert, key, request] = ['pem', 'key', 'csr'].map((end) => `${++made}.${end}`);
      const named = ['-subj', `/CN=${owner}`, '-addext', `subjectAltName=${names}`];
      run('req', ...newKey, '-keyout', key, '-out', request, ...named);
      const signed = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-copy_extensions', 'copy'];
      run('x509', '-req', '-in', request, ...signed, '-days', String(days), '-out', cert);
      return { cert: join(folder, cert), key: join(folder, key) };
    },
  };
}
