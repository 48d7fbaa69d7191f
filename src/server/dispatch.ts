// The road of a request through a Site: host, path, location, answer, internal redirects. The only place of the road
// that catches: whatever goes wrong becomes a reply and one line in the error log.

import type { Log } from '../base/log.ts';
import { emptyRequestBody, type RequestBody } from '../message/body.ts';
import type { Exchange } from '../message/exchange.ts';
import { type Fields, removeField } from '../message/fields.ts';
import type { Dispatcher } from '../message/handler.ts';
import { HttpError } from '../message/http-error.ts';
import { type Answer, type InternalRedirect, Reply } from '../message/reply.ts';
import { normalisePath } from '../router/normalise-path.ts';
import type { ErrorPage } from './error-pages.ts';
import { hideConditions, InterceptedReply, toErrorPage } from './error-pages-request.ts';
import { createErrorReply, type Failure } from './error-reply.ts';
import type { Location, Site, VirtualHost } from './site.ts';

/** As nginx: an internal redirect that goes round in circles ends here. */
const maxInternalRedirects = 10;

const optionsReply = new Reply(204, ['Allow', 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS'], null, true);

const noRoute = new HttpError('TSS_NO_ROUTE', 'no route takes this path', [], { shared: true });

/** Where one request has got to. */
interface Road {
  readonly exchange: Exchange;
  readonly host: VirtualHost;
  location: Location | null;
  redirects: number;
  /** Set while a page is fetched that is to stand in for an error. */
  detour: Detour | null;
}

/** Where an error's own reply would have come from, while its page is fetched. */
interface Detour {
  readonly failure: Failure;
  readonly applyHeaders: Location['applyHeaders'];
  /** The page could not be had either. */
  failed: boolean;
}

/** Answers requests from the current Site. */
export class SiteDispatcher implements Dispatcher {
  readonly #log: Log;
  #site: Site;

  constructor(site: Site, log: Log) {
    this.#site = site;
    this.#log = log;
  }

  /** The Site that answers now. */
  get site(): Site {
    return this.#site;
  }

  /** Requests from now on are answered from `site`. Returns the one before. */
  swap(site: Site): Site {
    const old = this.#site;
    this.#site = site;
    return old;
  }

  dispatch(exchange: Exchange): Reply | Promise<Reply> {
    const road = this.#enter(exchange);
    if (road === null) return createErrorReply(new HttpError('TSS_NO_ROUTE', 'no server here any more'));
    try {
      const answer = this.#start(road);
      if (answer instanceof Reply) return answer;
      return answer instanceof HttpError ? this.#fail(road, answer) : this.#settle(road, answer);
    } catch (error) {
      return this.#fail(road, error);
    }
  }

  refuse(error: HttpError, exchange: Exchange): Reply {
    const road = this.#enter(exchange);
    if (road === null) return createErrorReply(error, exchange);
    this.#logFailure(exchange, error);
    // What could not be read as a request is none for a page.
    return road.host.parts.applyHeaders(exchange, createErrorReply(error, exchange));
  }

  finish(exchange: Exchange): void {
    if (exchange.failure !== null) this.#logFailure(exchange, exchange.failure);
    exchange.keeper?.release(exchange);
  }

  #enter(exchange: Exchange): Road | null {
    const site = this.#site;
    const host = site.hosts.get(exchange.connection.listenerKey)?.match(exchange.host);
    if (host === undefined) return null;
    host.keep(exchange);
    exchange.clientAddress = site.findClientAddress(exchange);
    exchange.body.limit = site.maxBodyBytes;
    return { exchange, host, location: null, redirects: 0, detour: null };
  }

  #start(road: Road): Answer | Promise<Answer> {
    const { exchange } = road;
    if (exchange.target === '*') return optionsReply;
    const { path, query } = normalisePath(exchange.target);
    exchange.path = path;
    exchange.query = query;
    this.#checkBody(exchange.body);
    if (exchange.method === 'TRACE') throw new HttpError('TSS_METHOD', 'TRACE', ['Allow', 'GET, HEAD']);
    return this.#route(road);
  }

  #checkBody(body: RequestBody): void {
    if (body.length !== null && body.length > body.limit) {
      throw new HttpError('TSS_BODY_TOO_LARGE', `a body of ${body.length} bytes; the limit is ${body.limit}`);
    }
  }

  #route(road: Road): Answer | Promise<Answer> {
    const { exchange, host } = road;
    return this.#take(road, host.parts.locations.match(exchange.path));
  }

  #take(road: Road, location: Location | null): Answer | Promise<Answer> {
    const { exchange } = road;
    if (location === null) return noRoute;
    road.location = location;
    exchange.routePath = location.route;
    return location.handle(exchange);
  }

  /** The part of the road for answers that are not at hand yet, or lead elsewhere. */
  async #settle(road: Road, first: Answer | Promise<Answer>): Promise<Reply> {
    try {
      let answer = await first;
      let fields: Fields | null = null;
      while (!(answer instanceof Reply)) {
        if (answer instanceof HttpError) return this.#fail(road, answer);
        if (answer instanceof InterceptedReply) return this.#answerFailure(road, answer);
        fields = answer.fields ?? fields;
        answer = await this.#redirect(road, answer);
      }
      return fields === null ? answer : withFields(answer, fields);
    } catch (error) {
      return this.#fail(road, error);
    }
  }

  #redirect(road: Road, { redirectTo: uri, asGet = false }: InternalRedirect): Answer | Promise<Answer> {
    if (++road.redirects > maxInternalRedirects) {
      throw new HttpError(
        'TSS_REDIRECT_LOOP',
        `more than ${maxInternalRedirects} internal redirects, last to ${uri}`,
      );
    }
    const { exchange } = road;
    const name = uri.startsWith('@') ? uri.slice(1) : null;
    // A named route goes on with the request as it is.
    if (name === null) {
      const { path, query } = normalisePath(uri);
      exchange.path = path;
      exchange.query = query;
      exchange.redirected = true;
    }
    if (asGet) {
      if (exchange.method !== 'HEAD') exchange.method = 'GET';
      exchange.body = emptyRequestBody;
    }
    if (name === null) return this.#route(road);
    return this.#take(road, road.host.parts.named.get(name) ?? null);
  }

  #fail(road: Road, thrown: unknown): Reply | Promise<Reply> {
    const error = thrown instanceof HttpError ? thrown : new HttpError('TSS_BUG', describeBug(thrown));
    this.#logFailure(road.exchange, error);
    return this.#answerFailure(road, error);
  }

  #answerFailure(road: Road, failure: Failure): Reply | Promise<Reply> {
    const { exchange, detour } = road;
    if (detour !== null) {
      detour.failed = true;
      return detour.applyHeaders(exchange, createErrorReply(detour.failure, exchange));
    }
    const { applyHeaders, findErrorPage } = road.location ?? road.host.parts;
    const page = findErrorPage?.(failure.status) ?? null;
    if (page === null) return applyHeaders(exchange, createErrorReply(failure, exchange));
    return this.#fetchPage(road, page, { failure, applyHeaders, failed: false });
  }

  /** An error while the page is fetched gives the reply that there would have been without one. */
  async #fetchPage(road: Road, page: ErrorPage, detour: Detour): Promise<Reply> {
    const { exchange } = road;
    const { failure } = detour;
    // For $status.
    exchange.status = failure.status;
    // Whoever failed has nothing more to do for this client.
    exchange.onAbort = null;
    const uri = page.locate(exchange);
    if (page.isElsewhere) {
      const reply = new Reply(Number(page.status), ['Location', uri, ...failure.fields], null);
      return detour.applyHeaders(exchange, reply);
    }
    road.detour = detour;
    road.redirects = 0;
    const restore = hideConditions(exchange);
    const reply = await this.#settle(road, { redirectTo: uri, asGet: true });
    restore();
    return detour.failed ? reply : toErrorPage(reply, page, failure);
  }

  #logFailure(exchange: Exchange, error: Error): void {
    const isOurs = !(error instanceof HttpError) || error.status >= 500;
    // Client errors are the access log's; here they are for whoever looks closer.
    this.#log(isOurs ? 'error' : 'info', () => describeFailure(exchange, error, isOurs));
  }
}

/** A reply with these fields in place of its own of the same names. */
function withFields(reply: Reply, fields: Fields): Reply {
  const all = [...reply.fields];
  for (let i = 0; i < fields.length; i += 2) removeField(all, fields[i].toLowerCase());
  return new Reply(reply.status, [...all, ...fields], reply.body);
}

function describeFailure(exchange: Exchange, error: Error, isOurs: boolean): string {
  const request = exchange.method === '' ? exchange.target : `${exchange.method} ${exchange.target}`;
  const server = exchange.serverName === '' ? '' : `, server: ${exchange.serverName}`;
  const host = exchange.host === '' ? '' : `, host: ${JSON.stringify(exchange.host)}`;
  const id = isOurs ? `, id: ${exchange.requestId}` : '';
  return `${error.message}, client: ${exchange.clientAddress}${server}, request: ${JSON.stringify(request)}${host}${id}`;
}

function describeBug(thrown: unknown): string {
  return thrown instanceof Error ? (thrown.stack ?? thrown.message) : `thrown: ${String(thrown)}`;
}
