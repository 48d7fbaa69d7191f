// Has requests answered by a peer of the CGI family: which script, which variables, and what of its answer goes to the
// client. Which peer, and whether another one is tried, is the upstream's.

import type { BodySource } from '../../message/body.ts';
import type { Exchange } from '../../message/exchange.ts';
import type { Handler } from '../../message/handler.ts';
import { HttpError } from '../../message/http-error.ts';
import { copyResponseFields } from '../../message/passed-fields.ts';
import { Reply } from '../../message/reply.ts';
import type { Upstream } from '../../upstream/upstream.ts';
import type { CallOwner, UpstreamCall } from '../../upstream/upstream-call.ts';
import type { CgiSettings } from './cgi-shape.ts';
import { compileVariables } from './request-variables.ts';
import { ScriptFolder } from './script-folder.ts';
import { compileScriptPath } from './script-path.ts';
import { readWholeBody } from './whole-body.ts';

/** What the handler of `cgi` is made with. */
export interface CgiDeps {
  /** Its peers speak FastCGI, uwsgi or SCGI. */
  readonly upstream: Upstream;
  /** Whether what a peer says about its client is believed. */
  readonly isTrusted: (address: string) => boolean;
}

/**
 * Makes the handler of `cgi`. Fails with TSS_NOT_FOUND for a script that does not exist, with the upstream's HttpErrors
 * (502, 503, 504; 431 when the variables are too many for the protocol), and with what the client's own body fails with.
 */
export function createCgi(settings: CgiSettings, deps: CgiDeps): Handler {
  const { upstream, isTrusted } = deps;
  const readPath = compileScriptPath(settings);
  const renderVariables = compileVariables(settings, isTrusted);
  const folder = settings.root === null ? null : new ScriptFolder(settings.root);
  return {
    handle: (exchange) => {
      const path = readPath(exchange.path);
      if (folder !== null && !folder.has(path.name)) {
        throw new HttpError('TSS_NOT_FOUND', `no script ${path.name}`);
      }
      const head = renderVariables(exchange, path);
      return new Promise((resolve, reject) => {
        new CgiExchange(exchange, upstream, resolve, reject).start(head, settings.bodyBuffer);
      });
    },
    close: () => {},
  };
}

/** One request under way. */
class CgiExchange implements CallOwner {
  readonly #exchange: Exchange;
  readonly #upstream: Upstream;
  readonly #resolve: (reply: Reply) => void;
  readonly #reject: (error: Error) => void;
  #call: UpstreamCall | null = null;
  #aborted = false;

  constructor(
    exchange: Exchange,
    upstream: Upstream,
    resolve: (reply: Reply) => void,
    reject: (error: Error) => void,
  ) {
    this.#exchange = exchange;
    this.#upstream = upstream;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  /** Sends the request, its body first read to the end when nothing else tells its length. */
  start(head: string, maxBufferedBytes: number): void {
    const { body } = this.#exchange;
    this.#exchange.onAbort = () => this.#abort();
    if (body.length !== null) this.#send(head, body.length === 0 ? null : body);
    else {
      readWholeBody(body, maxBufferedBytes, (error, whole) => {
        if (error !== null) this.#reject(error);
        else if (!this.#aborted) this.#send(head, whole);
      });
    }
  }

  onResponse({ status, fields, body }: Parameters<CallOwner['onResponse']>[0]): void {
    this.#resolve(new Reply(status, copyResponseFields(fields), body));
  }

  onFailure(error: Error): void {
    this.#reject(error);
  }

  #send(head: string, body: BodySource | null): void {
    this.#call = this.#upstream.call(this.#exchange, head, body, this);
    this.#call.start();
  }

  #abort(): void {
    this.#aborted = true;
    this.#call?.abort();
    this.#reject(new HttpError('TSS_CLIENT_CLOSED', 'the client left before it was answered'));
  }
}
