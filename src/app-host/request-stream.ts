// A request body as a web stream: pulled chunk by chunk from the connection, only when the application reads.

import type { RequestBody } from '../message/body.ts';

/** One body, readable as `stream` until its exchange is over. */
export class RequestStream {
  readonly stream: ReadableStream<Uint8Array>;
  #controller: ReadableStreamDefaultController<Uint8Array> | null = null;

  constructor(body: RequestBody) {
    this.stream = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        pull: () => new Promise<void>((resolve) => this.#pull(body, resolve)),
        cancel: () => {
          this.#controller = null;
          body.cancel();
        },
      },
      { highWaterMark: 0 },
    );
  }

  /** The answer is out: what was not read until now is the connection's business, and a read fails. */
  end(): void {
    this.#fail(new TypeError('the request is over: its body can no longer be read'));
  }

  #pull(body: RequestBody, resolve: () => void): void {
    if (this.#controller === null) {
      resolve();
      return;
    }
    body.read((error, chunk) => {
      resolve();
      if (error !== null) this.#fail(error);
      else if (chunk !== null) this.#controller?.enqueue(chunk);
      else {
        this.#controller?.close();
        this.#controller = null;
      }
    });
  }

  #fail(error: Error): void {
    this.#controller?.error(error);
    this.#controller = null;
  }
}
