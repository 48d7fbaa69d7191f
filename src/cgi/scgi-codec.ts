// SCGI on the way out: one netstring of variables, then the body as it is. What comes back is the answer up to the end
// of the connection.

import type { CgiCodec } from './cgi-codec.ts';
import { renderContentLength } from './variable-list.ts';

/** Writes requests as the SCGI specification has them: CONTENT_LENGTH first, then SCGI, then the rest. */
export const scgiCodec: CgiCodec = {
  keepsAlive: false,
  renderHead: ({ head, body }) => {
    const list = `${renderContentLength(body)}SCGI\x001\0${head}`;
    return `${list.length}:${list},`;
  },
  writeChunk: (stream, chunk) => stream.write(chunk),
  bodyEnd: '',
  abort: '',
};
