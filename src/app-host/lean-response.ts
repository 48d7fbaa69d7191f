// Response of the web standard that keeps a text or bytes as they were given. Streams, forms, blobs and every odd
// argument become a platform Response inside, which then has the body and the last word.

import { type Fields, hasField } from '../message/fields.ts';
import { type KeptBody, keepBody, toArrayBuffer, toText } from './kept-body.ts';
import { getHeaderFields, LeanHeaders } from './lean-headers.ts';
import { dressAs, inheritConstants, markUncloneable, PlatformResponse } from './platform-web.ts';

type BodyInit = ConstructorParameters<typeof Response>[0];
type ResponseInit = ConstructorParameters<typeof Response>[1];

/** A Response whose body is at hand. */
export interface KeptResponse {
  readonly response: LeanResponse;
  readonly status: number;
  /** The response's own: not to be changed. */
  readonly fields: Fields;
  readonly body: KeptBody | null;
}

/**
 * Looks into a Response of ours. Null for any other value, for one whose body is a stream or was read, and for one of a
 * class of the application's, which may have changed what its members say.
 */
export let peekKeptResponse: (value: unknown) => KeptResponse | null;

/** Its body is given away: from now on it counts as read. */
export let takeKeptBody: (kept: KeptResponse) => void;

let isLeanResponse: (value: object) => boolean;

/** Statuses that have no body (Fetch, "null body status"). */
function isBodilessStatus(status: number): boolean {
  return status === 204 || status === 205 || status === 304;
}

/** Stands in for the platform's Response. */
export class LeanResponse {
  #status = 200;
  #statusText = '';
  #headers: LeanHeaders;
  #kept: KeptBody | null = null;
  #used = false;
  /** The platform's Response that has the body, once there must be one. */
  #carrier: Response | null = null;

  constructor(body: BodyInit = null, init: ResponseInit = undefined) {
    const kept = keepBody(body);
    markUncloneable?.(this);
    if (init !== undefined) {
      if (typeof init !== 'object' || init === null) {
        this.#headers = this.#adopt(new PlatformResponse(body, init));
        return;
      }
      const { headers, status = 200, statusText = '' } = init;
      if (!isPlainStatus(status, kept) || !isPlainText(statusText)) {
        this.#headers = this.#adopt(new PlatformResponse(body, { headers, status, statusText }));
        return;
      }
      this.#status = status;
      this.#statusText = statusText;
      this.#headers = new LeanHeaders(headers);
    } else {
      this.#headers = new LeanHeaders();
    }
    if (typeof kept === 'string') {
      this.#kept = kept;
      this.#setDefaultType('text/plain;charset=UTF-8');
    } else if (kept !== undefined) {
      this.#kept = kept;
    } else {
      this.#carrier = new PlatformResponse(body);
      this.#setDefaultType(this.#carrier.headers.get('content-type'));
    }
  }

  static json(...given: unknown[]): Response {
    const [data, init] = given;
    if (given.length === 0) throw new TypeError('json needs a value');
    // The constructor takes null, this does not.
    if (init === null) throw new TypeError('null is no ResponseInit');
    const text: string | undefined = JSON.stringify(data);
    if (text === undefined) throw new TypeError('the value has no JSON form');
    const response = new LeanResponse(null, init as ResponseInit);
    if (isBodilessStatus(response.#status)) throw new TypeError('a Response of that status has no body');
    response.#carrier = null;
    response.#kept = text;
    response.#setDefaultType('application/json');
    return response as unknown as Response;
  }

  get status(): number {
    return this.#status;
  }

  get ok(): boolean {
    return this.#status >= 200 && this.#status <= 299;
  }

  get statusText(): string {
    return this.#statusText;
  }

  get headers(): Headers {
    return this.#headers as unknown as Headers;
  }

  get body(): ReadableStream | null {
    return this.#kept === null && this.#carrier === null ? null : this.#carry().body;
  }

  get bodyUsed(): boolean {
    return this.#carrier === null ? this.#used : this.#carrier.bodyUsed;
  }

  clone(): Response {
    if (this.#used || (this.#carrier !== null && isUnusable(this.#carrier))) {
      throw new TypeError('the body was already read, or is being read');
    }
    const clone = new LeanResponse(null, { status: this.#status, statusText: this.#statusText });
    clone.#headers = new LeanHeaders(this.headers);
    clone.#kept = this.#kept;
    if (this.#carrier !== null) clone.#carrier = this.#carrier.clone();
    return clone as unknown as Response;
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    return this.#carrier === null ? toArrayBuffer(this.#take()) : this.#carrier.arrayBuffer();
  }

  async blob(): Promise<Blob> {
    return this.#carry().blob() as Promise<Blob>;
  }

  async bytes(): Promise<Uint8Array> {
    return new Uint8Array(await this.arrayBuffer());
  }

  async formData(): Promise<FormData> {
    return this.#carry().formData();
  }

  async json(): Promise<unknown> {
    return this.#carrier === null ? JSON.parse(toText(this.#take())) : this.#carrier.json();
  }

  async text(): Promise<string> {
    return this.#carrier === null ? toText(this.#take()) : this.#carrier.text();
  }

  /** The body, once. */
  #take(): KeptBody | null {
    if (this.#used) throw new TypeError('the body was already read');
    this.#used = this.#kept !== null;
    return this.#kept;
  }

  #setDefaultType(type: string | null): void {
    const fields = getHeaderFields(this.#headers) as Fields;
    if (type !== null && !hasField(fields, 'content-type')) fields.push('content-type', type);
  }

  /** A platform Response that was made of odd arguments: what it understood is what we say. */
  #adopt(whole: Response): LeanHeaders {
    this.#status = whole.status;
    this.#statusText = whole.statusText;
    if (whole.body !== null) this.#carrier = whole;
    return new LeanHeaders(whole.headers);
  }

  /** Hands the body over to a platform Response, which knows the present content type too. */
  #carry(): Response {
    if (this.#carrier === null) {
      this.#carrier = new PlatformResponse(this.#kept);
      if (this.#used) void this.#carrier.arrayBuffer();
      this.#kept = null;
    }
    const type = this.#headers.get('content-type');
    if (type === null) this.#carrier.headers.delete('content-type');
    else this.#carrier.headers.set('content-type', type);
    return this.#carrier;
  }

  static {
    isLeanResponse = (value) => #kept in value;
    peekKeptResponse = (value) => {
      if (typeof value !== 'object' || value === null || !(#kept in value)) return null;
      if (value.#carrier !== null || value.#used) return null;
      if (Object.getPrototypeOf(value) !== LeanResponse.prototype) return null;
      const fields = getHeaderFields(value.#headers) as Fields;
      return { response: value, status: value.#status, fields, body: value.#kept };
    };
    takeKeptBody = ({ response, body }) => {
      response.#used = body !== null;
    };
  }
}

/** A status that any Response may have, with that body. */
function isPlainStatus(status: unknown, kept: unknown): status is number {
  if (typeof status !== 'number' || !Number.isInteger(status) || status < 200 || status > 599) return false;
  return kept === null || !isBodilessStatus(status);
}

function isPlainText(text: unknown): text is string {
  return typeof text === 'string' && /^[\t\x20-\x7e\x80-\xff]*$/.test(text);
}

function isUnusable(response: Response): boolean {
  return response.bodyUsed || response.body?.locked === true;
}

dressAs(LeanResponse, PlatformResponse);
inheritConstants(LeanResponse, new PlatformResponse(), isLeanResponse);
