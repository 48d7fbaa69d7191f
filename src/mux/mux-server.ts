// The instance's end of a connection that carries many requests at once: each becomes an Exchange, and its Reply goes
// back in frames. The other end is our own front worker.

import type { Duplex } from 'node:stream';
import { monotonicMs } from '../base/clock.ts';
import { type HeadLimits, parseRequestHead } from '../http1/parse-request-head.ts';
import { resolveRequestTarget } from '../http1/request-target.ts';
import { emptyRequestBody } from '../message/body.ts';
import { type ConnectionFacts, Exchange } from '../message/exchange.ts';
import { getField } from '../message/fields.ts';
import type { Dispatcher } from '../message/handler.ts';
import { Reply } from '../message/reply.ts';
import { FrameReader } from './frame-reader.ts';
import { FrameWriter } from './frame-writer.ts';
import { frameTypes } from './frames.ts';
import { ServedExchange } from './served-exchange.ts';

/** The protocol's name in the Upgrade field. */
export const muxProtocol = 'tsserve-mux';

const switching = `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${muxProtocol}\r\n\r\n`;

/** Whether a request asks for this protocol. Front workers let no client's Upgrade field pass. */
export function wantsMux(exchange: Exchange): boolean {
  return exchange.target === '*' && getField(exchange.fields, 'upgrade') === muxProtocol;
}

/** What a server of many requests works with. */
export interface MuxServerOptions {
  readonly facts: ConnectionFacts;
  readonly dispatcher: Dispatcher;
  readonly limits: HeadLimits;
}

/** One connection. */
export class MuxServer {
  readonly #socket: Duplex;
  readonly #options: MuxServerOptions;
  readonly #writer: FrameWriter;
  readonly #served = new Map<number, ServedExchange>();
  #leaving = false;

  /** Takes over a socket that is flowing; `early` came with the request for the protocol. */
  constructor(socket: Duplex, early: Uint8Array, options: MuxServerOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#writer = new FrameWriter(socket);
    const reader = new FrameReader((type, id, payload) => this.#onFrame(type, id, payload));
    const feed = (bytes: Buffer): void => {
      try {
        reader.feed(bytes);
      } catch {
        // Out of step: nothing that follows can be understood.
        socket.destroy();
      }
    };
    socket.on('data', feed);
    socket.on('error', () => {});
    socket.on('end', () => socket.end());
    socket.on('close', () => this.#onClose());
    socket.write(switching, 'latin1');
    if (early.length > 0) feed(Buffer.from(early));
  }

  /** Asks for no further requests, and closes behind the last one. */
  drain(): void {
    this.#leaving = true;
    this.#writer.write(frameTypes.leaving, 0);
    this.#endIfDone();
  }

  #onFrame(type: number, id: number, payload: Buffer): void {
    if (type === frameTypes.request) this.#begin(id, payload);
    else if (type === frameTypes.cancel) this.#served.get(id)?.abort();
    else if (type === frameTypes.credit) this.#served.get(id)?.addCredit(payload.readUInt32BE(0));
    else throw new Error(`a frame of type ${type}`);
  }

  #begin(id: number, payload: Buffer): void {
    if (this.#served.has(id)) throw new Error('a number that is in use');
    const { dispatcher, facts, limits } = this.#options;
    const head = parseRequestHead(payload.toString('latin1'), 0, payload.length, limits);
    const { target, host } = resolveRequestTarget(head);
    const exchange = new Exchange(
      facts,
      head.method,
      target,
      '1.1',
      head.fields,
      host,
      emptyRequestBody,
      monotonicMs(),
    );
    const served = new ServedExchange(id, exchange, this.#writer, () => this.#finish(id, exchange));
    this.#served.set(id, served);
    const reply = dispatcher.dispatch(exchange);
    if (reply instanceof Reply) served.answer(reply);
    else void reply.then((late) => served.answer(late));
  }

  #finish(id: number, exchange: Exchange): void {
    this.#served.delete(id);
    this.#options.dispatcher.finish(exchange);
    if (this.#leaving) this.#endIfDone();
  }

  #endIfDone(): void {
    if (this.#served.size > 0) return;
    this.#writer.flush();
    this.#socket.end();
  }

  #onClose(): void {
    for (const served of [...this.#served.values()]) served.abort();
  }
}
