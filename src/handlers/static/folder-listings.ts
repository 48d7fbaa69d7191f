// Answers with what is in a folder, as a page or as JSON. A listing is made once for all who ask within a second: it
// is dear, and asking is cheap.

import { monotonicMs } from '../../base/clock.ts';
import { LruCache } from '../../base/lru-cache.ts';
import { chooseMediaType } from '../../message/accept.ts';
import type { Exchange } from '../../message/exchange.ts';
import { type Fields, joinField } from '../../message/fields.ts';
import { toHttpDate } from '../../message/http-date.ts';
import { Reply } from '../../message/reply.ts';
import { toFileError } from './file-error.ts';
import { type ListingOrder, parseListingOrder, sortEntries, toOrderQuery } from './listing-order.ts';
import { listingPolicy, renderListing } from './listing-page.ts';
import { type FolderContents, readFolder } from './read-folder.ts';
import type { StaticRoot } from './static-root.ts';
import type { StaticSettings } from './static-shape.ts';

interface KnownListing {
  readonly reply: Reply;
  readonly madeAtMs: number;
}

const mediaTypes = ['text/html', 'application/json'] as const;
const knownForMs = 1_000;
const knownBytes = 8 * 1024 * 1024;

/** The listings of the folders below one root. */
export class FolderListings {
  readonly #settings: StaticSettings;
  readonly #root: StaticRoot;
  readonly #known = new LruCache<KnownListing>(knownBytes);
  readonly #underWay = new Map<string, Promise<Reply>>();

  constructor(settings: StaticSettings, root: StaticRoot) {
    this.#settings = settings;
    this.#root = root;
  }

  /** Lists the folder at `folder` below the root. Rejects with an HttpError. */
  answer(exchange: Exchange, folder: string): Reply | Promise<Reply> {
    const isJson = this.#isJson(exchange);
    const order = parseListingOrder(exchange.query);
    const key = `${isJson ? 'json' : 'html'}${toOrderQuery(order)}${exchange.path}\0${folder}`;
    const known = this.#known.get(key);
    if (known !== undefined && monotonicMs() - known.madeAtMs < knownForMs) return known.reply;
    let listing = this.#underWay.get(key);
    if (listing === undefined) {
      listing = this.#create(exchange.path, folder, order, isJson)
        .then((reply) => this.#keep(key, reply))
        .finally(() => this.#underWay.delete(key));
      this.#underWay.set(key, listing);
    }
    return listing;
  }

  #isJson(exchange: Exchange): boolean {
    const { autoindex } = this.#settings;
    if (autoindex !== 'auto') return autoindex === 'json';
    return chooseMediaType(joinField(exchange.fields, 'accept'), mediaTypes) === 'application/json';
  }

  async #create(path: string, folder: string, order: ListingOrder, isJson: boolean): Promise<Reply> {
    const contents = await this.#read(folder);
    sortEntries(contents.entries, order);
    const text = isJson
      ? renderJson(contents)
      : await renderListing(path, contents, order, path !== `${this.#settings.stripPrefix}/`);
    const fields: Fields = [
      'Content-Type',
      isJson ? 'application/json; charset=utf-8' : 'text/html; charset=utf-8',
    ];
    fields.push('Cache-Control', 'no-cache', 'X-Content-Type-Options', 'nosniff');
    if (this.#settings.autoindex === 'auto') fields.push('Vary', 'Accept');
    if (!isJson) fields.push('Content-Security-Policy', listingPolicy);
    return new Reply(200, fields, { kind: 'bytes', bytes: Buffer.from(text, 'utf8') }, true);
  }

  async #read(folder: string): Promise<FolderContents> {
    try {
      return await readFolder(this.#root, folder, this.#settings.dotfiles);
    } catch (error) {
      throw toFileError(error, folder);
    }
  }

  #keep(key: string, reply: Reply): Reply {
    const bytes = reply.body?.kind === 'bytes' ? reply.body.bytes.length : 0;
    this.#known.set(key, { reply, madeAtMs: monotonicMs() }, bytes + 2 * key.length);
    return reply;
  }
}

/** The form of nginx: an array of objects with name, type, mtime and, for files, size. */
function renderJson({ entries }: FolderContents): string {
  const listed = entries.map(({ name, isFolder, size, modifiedAtMs }) => ({
    name,
    type: isFolder ? 'directory' : 'file',
    mtime: toHttpDate(Math.floor(modifiedAtMs / 1000)),
    ...(isFolder ? {} : { size }),
  }));
  return `${JSON.stringify(listed)}\n`;
}
