// The instance's end of a connection that carries many requests at once: each becomes an Exchange, and its Reply goes
// back in frames. The other end is our own front worker.

import type { Duplex } from 'node:stream';
import { monotonicMs } from '../base/clock.ts';
import { type HeadLimits, parseRequestHead, RequestHead } from '../http1/parse-request-head.ts';
import { type RequestTarget, resolveRequestTarget } from '../http1/request-target.ts';
import { emptyRequestBody } from '../message/body.ts';
import { type ConnectionFacts, Exchange } from '../message/exchange.ts';
import { getField } from '../message/fields.ts';
import type { Dispatcher } from '../message/handler.ts';
import { HttpError } from '../message/http-error.ts';
import { Reply } from '../message/reply.ts';
import { FrameReader } from './frame-reader.ts';
import { FrameWriter } from './frame-writer.ts';
import { frameTypes } from './frames.ts';
import { ServedExchange, type ServedOwner } from './served-exchange.ts';

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
export class MuxServer implements ServedOwner {
  readonly writer: FrameWriter;
  readonly #options: MuxServerOptions;
  readonly #served = new Map<number, ServedExchange>();
  /** Bodies that wait for the socket: who has waited longest goes on first. */
  readonly #stalled = new Set<ServedExchange>();

  /** Takes over a socket that is flowing; `early` came with the request for the protocol. */
  constructor(socket: Duplex, early: Uint8Array, options: MuxServerOptions) {
    this.#options = options;
    this.writer = new FrameWriter(socket);
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
    socket.on('drain', () => this.#onDrain());
    socket.on('error', () => {});
    socket.on('end', () => socket.end());
    socket.on('close', () => this.#onClose());
    socket.write(switching, 'latin1');
    if (early.length > 0) feed(Buffer.from(early));
  }

  /**
   * Asks for no further requests. Those that are on the way still are answered: the front worker closes the connection,
   * when it has all answers.
   */
  drain(): void {
    this.writer.write(frameTypes.leaving, 0);
  }

  #onFrame(type: number, id: number, payload: Buffer): void {
    if (type === frameTypes.request) this.#begin(id, payload);
    else if (type === frameTypes.cancel) this.#served.get(id)?.abort();
    else if (type === frameTypes.credit) this.#served.get(id)?.addCredit(payload.readUInt32BE(0));
    else throw new Error(`a frame of type ${type}`);
  }

  #begin(id: number, payload: Buffer): void {
    if (this.#served.has(id)) throw new Error('a number that is in use');
    const { dispatcher, limits } = this.#options;
    let head: RequestHead;
    let target: RequestTarget;
    try {
      head = parseRequestHead(payload.toString('latin1'), 0, payload.length, limits);
      target = resolveRequestTarget(head);
    } catch (error) {
      if (!(error instanceof HttpError)) throw error;
      const exchange = this.#createExchange(new RequestHead('', '', '1.1', []), { target: '', host: '' });
      this.#serve(id, exchange).answer(dispatcher.refuse(error, exchange));
      return;
    }
    const exchange = this.#createExchange(head, target);
    const served = this.#serve(id, exchange);
    const reply = dispatcher.dispatch(exchange);
    if (reply instanceof Reply) served.answer(reply);
    else void reply.then((late) => served.answer(late));
  }

  #createExchange({ method, fields }: RequestHead, { target, host }: RequestTarget): Exchange {
    const { facts } = this.#options;
    return new Exchange(facts, method, target, '1.1', fields, host, emptyRequestBody, monotonicMs());
  }

  #serve(id: number, exchange: Exchange): ServedExchange {
    const served = new ServedExchange(id, exchange, this);
    this.#served.set(id, served);
    return served;
  }

  onStalled(served: ServedExchange): void {
    this.#stalled.add(served);
  }

  onDone(id: number, exchange: Exchange): void {
    const served = this.#served.get(id);
    if (served !== undefined) this.#stalled.delete(served);
    this.#served.delete(id);
    this.#options.dispatcher.finish(exchange);
  }

  #onDrain(): void {
    for (const served of this.#stalled) {
      if (this.writer.isBehind) return;
      this.#stalled.delete(served);
      served.resume();
    }
  }

  #onClose(): void {
    this.#stalled.clear();
    for (const served of [...this.#served.values()]) served.abort();
  }
}
