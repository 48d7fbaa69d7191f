// The settings of TLS to the servers of an upstream. Files are read and tried out here, so that a wrong one is a
// problem of the config; the processes that serve read them again when they compile a site.

import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { z } from 'zod';
import { addProblem, type ProblemSink } from '../config/shape/add-problem.ts';
import { existingFile } from '../config/shape/file-path.ts';
import { isHostName } from './host-name.ts';

const settingsOfTls = z.strictObject({
  name: z
    .string()
    .refine(isHostName, 'this is not a host name')
    .transform((name) => name.toLowerCase())
    .optional()
    .describe(
      'The name that is asked for (SNI) and that the certificate must have. Default: the host of the URL.',
    ),
  verify: z
    .boolean()
    .prefault(true)
    .describe(
      'Whether the certificate must be valid and have the right name. false lets anybody in between read and change ' +
        'everything. Default true.',
    ),
  ca: existingFile()
    .optional()
    .describe(
      'A file of certificates (PEM) that servers are trusted by. Default: those that the system trusts.',
    ),
  cert: existingFile()
    .optional()
    .describe('A file with the certificate (PEM) that is shown to servers that ask for one, and its chain.'),
  key: existingFile().optional().describe('A file with the private key (PEM) of "cert", not encrypted.'),
  minVersion: z
    .enum(['TLSv1.2', 'TLSv1.3'])
    .prefault('TLSv1.2')
    .describe('The oldest version that is spoken. Default "TLSv1.2".'),
});

/** TLS to servers. Paths come out absolute. */
export const tlsShape = settingsOfTls.superRefine(checkFiles);

/** Checked settings of TLS to servers. */
export type TlsSettings = z.output<typeof tlsShape>;

/** What holds for TLS where nothing is set. */
export const defaultTls: TlsSettings = settingsOfTls.parse({});

function checkFiles({ ca, cert, key, verify }: z.output<typeof settingsOfTls>, context: ProblemSink): void {
  if (ca !== undefined && !verify) {
    addProblem(context, 'nothing is verified, so nothing is trusted by "ca"', 'remove one of the two', [
      'ca',
    ]);
  } else if (ca !== undefined) {
    checkFile(context, 'ca', ca, checkCertificates);
  }
  if (cert === undefined && key === undefined) return;
  if (cert === undefined || key === undefined) {
    const [given, missing] = cert === undefined ? ['key', 'cert'] : ['cert', 'key'];
    addProblem(context, `"${given}" needs "${missing}" as well`, '', [given]);
    return;
  }
  const certificate = checkFile(context, 'cert', cert, checkCertificates);
  const secret = checkFile(context, 'key', key, (pem) => void createSecureContext({ key: pem }));
  if (certificate === null || secret === null) return;
  try {
    createSecureContext({ cert: certificate, key: secret });
  } catch (error) {
    const isMismatch = (error as NodeJS.ErrnoException).code === 'ERR_OSSL_X509_KEY_VALUES_MISMATCH';
    const problem = isMismatch
      ? 'this is not the key of the certificate in "cert"'
      : `it does not go with the certificate: ${describe(error)}`;
    addProblem(context, problem, '', ['key']);
  }
}

/** Reads a file and tries it. Returns its text, or null when that was reported as a problem. */
function checkFile(
  context: ProblemSink,
  name: string,
  path: string,
  check: (pem: string) => void,
): string | null {
  try {
    const pem = readFileSync(path, 'utf8');
    check(pem);
    return pem;
  } catch (error) {
    addProblem(context, `${path} cannot be used: ${describe(error)}`, '', [name]);
    return null;
  }
}

/** Throws unless there is a certificate, and all of them can be read. */
function checkCertificates(pem: string): void {
  const found = pem.match(/-----BEGIN (?:TRUSTED )?CERTIFICATE-----[\s\S]*?-----END [^-]*-----/g);
  if (found === null) throw new Error('there is no certificate (PEM) in it');
  for (const one of found) new X509Certificate(one);
}

function describe(error: unknown): string {
  const { code, message, reason } = error as NodeJS.ErrnoException & { reason?: string };
  if (code === 'ERR_OSSL_CRYPTO_INTERRUPTED_OR_CANCELLED' || /password|interrupted/i.test(message)) {
    return 'it is encrypted';
  }
  if (code === 'EACCES') return 'no permission to read it';
  return reason ?? message;
}
