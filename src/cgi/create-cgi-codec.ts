// Which codec speaks which protocol.

import type { CgiCodec, CgiProtocol } from './cgi-codec.ts';
import { createFastCgiCodec } from './fastcgi-codec.ts';
import { scgiCodec } from './scgi-codec.ts';
import { uwsgiCodec } from './uwsgi-codec.ts';

/** The codec of a protocol. `keepsAlive` asks the peer to keep connections open, which only FastCGI knows of. */
export function createCgiCodec(protocol: CgiProtocol, keepsAlive: boolean): CgiCodec {
  if (protocol === 'fastcgi') return createFastCgiCodec(keepsAlive);
  return protocol === 'uwsgi' ? uwsgiCodec : scgiCodec;
}
