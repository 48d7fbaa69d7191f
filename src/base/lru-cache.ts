// A cache bounded by the bytes it holds: the least recently used goes first. A hit costs one Map lookup and a few
// assignments; nothing is allocated. What a value weighs is for the caller to say.

interface Node<V> {
  readonly key: string;
  value: V;
  bytes: number;
  newer: Node<V> | null;
  older: Node<V> | null;
}

/** Values by string key, at most `maxBytes` of them. */
export class LruCache<V> {
  readonly #maxBytes: number;
  readonly #nodes = new Map<string, Node<V>>();
  #newest: Node<V> | null = null;
  #oldest: Node<V> | null = null;
  #bytes = 0;

  /** @param maxBytes most bytes held at any time */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Bytes held, as told to `set`. */
  get bytes(): number {
    return this.#bytes;
  }

  /** How many values are held. */
  get size(): number {
    return this.#nodes.size;
  }

  /** The key and value that would go first, or null. Does not count as a use. */
  get oldest(): { readonly key: string; readonly value: V } | null {
    return this.#oldest;
  }

  /** The value, which becomes the most recently used, or undefined. */
  get(key: string): V | undefined {
    const node = this.#nodes.get(key);
    if (node === undefined) return undefined;
    if (node !== this.#newest) {
      this.#unlink(node);
      this.#linkNewest(node);
    }
    return node.value;
  }

  /** Keeps a value that weighs `bytes`, replacing an earlier one. One heavier than the whole cache is not kept. */
  set(key: string, value: V, bytes: number): void {
    this.delete(key);
    if (bytes > this.#maxBytes) return;
    const node: Node<V> = { key, value, bytes, newer: null, older: null };
    this.#nodes.set(key, node);
    this.#linkNewest(node);
    this.#bytes += bytes;
    while (this.#bytes > this.#maxBytes && this.#oldest !== null) this.delete(this.#oldest.key);
  }

  /** Forgets a value. */
  delete(key: string): void {
    const node = this.#nodes.get(key);
    if (node === undefined) return;
    this.#nodes.delete(key);
    this.#unlink(node);
    this.#bytes -= node.bytes;
  }

  /** Forgets everything. It can be filled again. */
  close(): void {
    this.#nodes.clear();
    this.#newest = null;
    this.#oldest = null;
    this.#bytes = 0;
  }

  #linkNewest(node: Node<V>): void {
    node.older = this.#newest;
    node.newer = null;
    if (this.#newest !== null) this.#newest.newer = node;
    this.#newest = node;
    if (this.#oldest === null) this.#oldest = node;
  }

  #unlink(node: Node<V>): void {
    if (node.newer !== null) node.newer.older = node.older;
    else this.#newest = node.older;
    if (node.older !== null) node.older.newer = node.newer;
    else this.#oldest = node.newer;
  }
}
