// Cuts the output of a child into lines. An endless line or a flood must not eat memory: what exceeds a line's limit
// is dropped, and nothing but the unfinished line is kept.

import { StringDecoder } from 'node:string_decoder';

const defaultMaxLength = 8 * 1024;

/** Splits one stream of bytes. */
export class LineSplitter {
  readonly #onLine: (line: string) => void;
  readonly #maxLength: number;
  readonly #decoder = new StringDecoder('utf8');
  #pending = '';
  #cut = false;

  /** @param maxLength characters of a line; more are dropped, and the line ends in " [...]" */
  constructor(onLine: (line: string) => void, maxLength: number = defaultMaxLength) {
    this.#onLine = onLine;
    this.#maxLength = maxLength;
  }

  /** Takes bytes as they come. */
  push(bytes: Buffer): void {
    const text = this.#decoder.write(bytes);
    let start = 0;
    for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', start)) {
      this.#append(text.slice(start, end));
      this.#emit();
      start = end + 1;
    }
    this.#append(text.slice(start));
  }

  /** The stream ended: what is left is a line too. */
  end(): void {
    this.#append(this.#decoder.end());
    if (this.#pending !== '') this.#emit();
  }

  #append(text: string): void {
    const room = this.#maxLength - this.#pending.length;
    if (text.length > room) this.#cut = true;
    this.#pending += text.length > room ? text.slice(0, room) : text;
  }

  #emit(): void {
    const line = this.#pending.endsWith('\r') ? this.#pending.slice(0, -1) : this.#pending;
    this.#onLine(this.#cut ? `${line} [...]` : line);
    this.#pending = '';
    this.#cut = false;
  }
}
