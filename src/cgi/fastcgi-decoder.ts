// FastCGI 1.0 on the way back: takes records apart, whatever way their bytes are split. What a script writes is given
// on, what it complains of is kept for the log up to a limit, anything that was not asked for is refused.

import { HttpError } from '../message/http-error.ts';
import { fastCgiVersion, recordTypes, requestId } from './fastcgi-codec.ts';

/** Most of what one request writes to its error stream that is kept: bytes. */
const maxErrorBytes = 4096;

const headerBytes = 8;
const endRequestBytes = 8;

/** Values of protocolStatus (specification, 5.5). */
const protocolStatuses = ['complete', 'cannot multiplex', 'overloaded', 'unknown role'] as const;

/** How a request ended, in the peer's words. */
export interface FastCgiEnd {
  /** As the exit code of a CGI program. */
  readonly appStatus: number;
  readonly protocolStatus: (typeof protocolStatuses)[number];
}

/** Takes the records of one response apart. */
export class FastCgiDecoder {
  /** The header under way, then that of the record under way; then the content of the last record. */
  readonly #header = new Uint8Array(headerBytes);
  readonly #end = new Uint8Array(endRequestBytes);
  #headerLength = 0;
  #endLength = 0;
  #type = 0;
  #content = 0;
  #padding = 0;
  #errors: Buffer[] = [];
  #errorBytes = 0;
  /** How the request ended, once its last record is complete. Nothing belongs to it any more. */
  end: FastCgiEnd | null = null;
  /** Whether bytes came behind the end. */
  surplus = false;

  /** What the script wrote to its error stream since this was last asked, its beginning at least. */
  takeErrorText(): string {
    if (this.#errors.length === 0) return '';
    return Buffer.concat(this.#errors.splice(0)).toString('utf8');
  }

  /** Expects the records of the next request. */
  begin(): void {
    this.#headerLength = 0;
    this.#endLength = 0;
    this.#content = 0;
    this.#padding = 0;
    this.#errors = [];
    this.#errorBytes = 0;
    this.end = null;
    this.surplus = false;
  }

  /**
   * Takes what was read. Returns what the script wrote to its output, a part of `input`, whose bytes are moved.
   * Throws an HttpError TSS_UPSTREAM_RESPONSE.
   */
  decode(input: Buffer): Buffer {
    let i = 0;
    let length = 0;
    while (i < input.length) {
      if (this.end !== null) {
        this.surplus = true;
        break;
      }
      if (this.#headerLength < headerBytes) {
        this.#header[this.#headerLength++] = input[i++];
        if (this.#headerLength === headerBytes) this.#startRecord();
      } else if (this.#content > 0) {
        const size = Math.min(this.#content, input.length - i);
        if (this.#type === recordTypes.stdout) {
          if (length !== i) input.copyWithin(length, i, i + size);
          length += size;
        } else this.#keep(input.subarray(i, i + size));
        this.#content -= size;
        i += size;
      } else {
        const size = Math.min(this.#padding, input.length - i);
        this.#padding -= size;
        i += size;
      }
      if (this.#headerLength === headerBytes && this.#content === 0 && this.#padding === 0) this.#endRecord();
    }
    return input.subarray(0, length);
  }

  #startRecord(): void {
    const [version, type, idHigh, idLow, high, low, padding] = this.#header;
    if (version !== fastCgiVersion) throw fault('this is not FastCGI');
    if (idHigh * 256 + idLow !== requestId) throw fault('a record of another request');
    this.#type = type;
    this.#content = high * 256 + low;
    this.#padding = padding;
    if (type === recordTypes.endRequest) {
      if (this.#content !== endRequestBytes) throw fault(`an end of request of ${this.#content} bytes`);
    } else if (type !== recordTypes.stdout && type !== recordTypes.stderr) {
      throw fault(`a record of type ${type}`);
    }
  }

  #endRecord(): void {
    this.#headerLength = 0;
    if (this.#type !== recordTypes.endRequest) return;
    const [a, b, c, d, status] = this.#end;
    const protocolStatus = protocolStatuses[status];
    if (protocolStatus === undefined) throw fault(`protocol status ${status}`);
    this.end = { appStatus: ((a << 24) | (b << 16) | (c << 8) | d) >>> 0, protocolStatus };
  }

  /** The bytes are copied: those of the input are used again. */
  #keep(bytes: Buffer): void {
    if (this.#type === recordTypes.endRequest) {
      this.#end.set(bytes, this.#endLength);
      this.#endLength += bytes.length;
      return;
    }
    const kept = Buffer.from(bytes.subarray(0, maxErrorBytes - this.#errorBytes));
    if (kept.length === 0) return;
    this.#errors.push(kept);
    this.#errorBytes += kept.length;
  }
}

function fault(detail: string): HttpError {
  return new HttpError('TSS_UPSTREAM_RESPONSE', detail);
}
