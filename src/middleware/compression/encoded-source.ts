// A body that is compressed while it is sent: pulls the plain one, a piece at a time, through an encoder on the
// thread pool. Nothing is held back from a source that pauses: what the encoder has is let out then.

import type { ContentCoding } from '../../message/accept-encoding.ts';
import type { BodySource, OnChunk } from '../../message/body.ts';
import type { CompressionWork } from './compression-work.ts';
import { createEncoder, type Encoder, flushEncoder } from './encode-bytes.ts';

/** How a body is encoded. */
export interface EncodedSourceOptions {
  readonly encoding: ContentCoding;
  readonly level: number;
  /** Whether every chunk is let out by itself, as for an event stream. */
  readonly flushesEach: boolean;
  /** Longest encoded body that `onComplete` wants to have; 0 for none. */
  readonly maxKeptBytes: number;
  /** Called once, when all is over: with the encoded bytes if they came to their proper end and were not too long. */
  readonly onComplete: ((encoded: Buffer | null) => void) | null;
}

// One piece of input is in work at a time, and its output all that is held.
const maxPieceBytes = 64 * 1024;

/** Encodes another source, which it owns. */
export class EncodedSource implements BodySource {
  readonly length = null;
  readonly #source: BodySource;
  readonly #options: EncodedSourceOptions;
  readonly #work: CompressionWork;
  readonly #encoder: Encoder;
  #onChunk: OnChunk | null = null;
  /** A chunk of the source, from `#inputOffset` on still to be encoded. */
  #input: Uint8Array | null = null;
  #inputOffset = 0;
  #isReading = false;
  #isWorking = false;
  /** Whether the encoder may hold what the client could use. */
  #holdsBytes = false;
  #hasInputEnded = false;
  #error: Error | null = null;
  #state: 'open' | 'ended' | 'closed' = 'open';
  #kept: Buffer[] | null;
  #keptBytes = 0;

  /** Throws when there can be no such encoder. */
  constructor(source: BodySource, options: EncodedSourceOptions, work: CompressionWork) {
    this.#source = source;
    this.#options = options;
    this.#work = work;
    this.#kept = options.onComplete === null ? null : [];
    this.#encoder = createEncoder(options.encoding, options.level, options.flushesEach);
    this.#encoder.on('error', (error: Error) => this.#fail(error));
    work.encoders++;
  }

  read(onChunk: OnChunk): void {
    if (this.#error !== null) {
      onChunk(this.#error, null);
      return;
    }
    if (this.#state === 'closed') return;
    this.#onChunk = onChunk;
    this.#advance();
  }

  cancel(): void {
    this.#onChunk = null;
    this.#close(null);
  }

  /** The next step, when somebody waits for a chunk and no work is under way. */
  #advance(): void {
    if (this.#isWorking || this.#onChunk === null) return;
    if (this.#state === 'ended') this.#deliverEnd();
    else if (this.#input !== null) this.#encode(this.#input);
    else if (this.#hasInputEnded) this.#flush(true, this.#onEnded);
    else if (!this.#isReading) this.#pull();
  }

  #pull(): void {
    this.#isReading = true;
    this.#source.read(this.#onInput);
    if (this.#isReading && this.#holdsBytes) setImmediate(this.#flushIfPaused);
  }

  readonly #onInput = (error: Error | null, chunk: Uint8Array | null): void => {
    if (this.#state !== 'open') return;
    this.#isReading = false;
    if (error !== null) {
      this.#fail(error);
      return;
    }
    if (chunk === null) this.#hasInputEnded = true;
    this.#input = chunk;
    this.#inputOffset = 0;
    this.#advance();
  };

  #encode(input: Uint8Array): void {
    const end = Math.min(this.#inputOffset + maxPieceBytes, input.length);
    const piece = input.subarray(this.#inputOffset, end);
    this.#inputOffset = end;
    this.#holdsBytes = !this.#options.flushesEach;
    this.#run((onDone) => this.#encoder.write(piece, onDone), this.#onEncoded);
  }

  readonly #onEncoded = (): void => {
    const input = this.#input;
    if (input === null || this.#inputOffset < input.length) return;
    this.#input = null;
    this.#source.recycle?.(input);
  };

  readonly #flushIfPaused = (): void => {
    if (this.#state !== 'open' || !this.#isReading || this.#isWorking || !this.#holdsBytes) return;
    this.#holdsBytes = false;
    this.#flush(false, null);
  };

  #flush(isLast: boolean, after: (() => void) | null): void {
    const { encoding } = this.#options;
    this.#run((onDone) => flushEncoder(encoding, this.#encoder, isLast, onDone), after);
  }

  readonly #onEnded = (): void => {
    this.#state = 'ended';
  };

  /** One call of the encoder, when the thread pool has room for it, and then its output. */
  #run(start: (onDone: (error?: Error | null) => void) => void, after: (() => void) | null): void {
    this.#isWorking = true;
    this.#work.quick.run((done) => {
      if (this.#state === 'closed') {
        done();
        return;
      }
      // An encoder that is destroyed meanwhile may forget to call back.
      this.#encoder.once('close', done);
      start((error) => {
        this.#encoder.off('close', done);
        done();
        this.#isWorking = false;
        if (this.#state === 'closed') return;
        if (error) {
          this.#fail(error);
          return;
        }
        after?.();
        this.#takeOutput();
      });
    });
  }

  #takeOutput(): void {
    const output = this.#encoder.read() as Buffer | null;
    const onChunk = this.#onChunk;
    if (output === null || onChunk === null) {
      this.#advance();
      return;
    }
    this.#keep(output);
    this.#onChunk = null;
    onChunk(null, output);
  }

  #keep(output: Buffer): void {
    if (this.#kept === null) return;
    this.#keptBytes += output.length;
    if (this.#keptBytes > this.#options.maxKeptBytes) this.#kept = null;
    else this.#kept.push(output);
  }

  #deliverEnd(): void {
    const onChunk = this.#onChunk;
    this.#onChunk = null;
    this.#close(this.#kept === null ? null : Buffer.concat(this.#kept, this.#keptBytes));
    onChunk?.(null, null);
  }

  #fail(error: Error): void {
    if (this.#state === 'closed') return;
    this.#error = error;
    const onChunk = this.#onChunk;
    this.#onChunk = null;
    this.#close(null);
    onChunk?.(error, null);
  }

  #close(encoded: Buffer | null): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#input = null;
    this.#kept = null;
    this.#work.encoders--;
    this.#encoder.destroy();
    this.#source.cancel();
    this.#options.onComplete?.(encoded);
  }
}
