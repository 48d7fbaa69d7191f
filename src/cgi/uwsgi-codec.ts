// The uwsgi protocol on the way out: one packet of variables, then the body as it is. What comes back is the answer up to
// the end of the connection.

import { HttpError } from '../message/http-error.ts';
import type { CgiCodec } from './cgi-codec.ts';
import { forEachVariable, renderContentLength } from './variable-list.ts';

/** The size of a packet has two bytes. */
const maxPacketBytes = 65_535;

/** Writes requests as uwsgi packets, with both modifiers 0: "a WSGI request". */
export const uwsgiCodec: CgiCodec = {
  keepsAlive: false,
  renderHead: ({ head, body }) => {
    let pairs = '';
    forEachVariable(renderContentLength(body) + head, (name, value) => {
      pairs += renderUint16(name.length) + name + renderUint16(value.length) + value;
    });
    if (pairs.length > maxPacketBytes) {
      throw new HttpError(
        'TSS_HEAD_TOO_LARGE',
        `${pairs.length} bytes of variables; the uwsgi protocol carries ${maxPacketBytes}`,
      );
    }
    return `\0${renderUint16(pairs.length)}\0${pairs}`;
  },
  writeChunk: (stream, chunk) => stream.write(chunk),
  bodyEnd: '',
  abort: '',
};

/** Little-endian. A number that does not fit makes for a packet that is refused. */
function renderUint16(value: number): string {
  return String.fromCharCode(value & 255, (value >> 8) & 255);
}
