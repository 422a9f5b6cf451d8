/**
 * Bytes by bytes, in byte order: what a disk holds. Lookups hash; the order is made when somebody
 * scans and kept until a key comes or goes.
 */

/** By latin1 text of the key, which compares as the bytes do. */
export class ByteMap {
  readonly #values: Map<string, Buffer>;
  #sorted: readonly string[] | undefined;

  constructor(entries: Iterable<readonly [string, Buffer]> = []) {
    this.#values = new Map(entries);
  }

  static keyOf(key: Buffer): string {
    return key.toString('latin1');
  }

  get size(): number {
    return this.#values.size;
  }

  get(key: string): Buffer | undefined {
    return this.#values.get(key);
  }

  set(key: string, value: Buffer): void {
    const { size } = this.#values;
    this.#values.set(key, value);
    if (this.#values.size !== size) this.#sorted = undefined;
  }

  delete(key: string): void {
    if (this.#values.delete(key)) this.#sorted = undefined;
  }

  /** Every key, in order. Not changed by what comes later. */
  keys(): readonly string[] {
    return (this.#sorted ??= [...this.#values.keys()].sort());
  }

  /** The entries with `from` <= key < `to`, in order, as they are now. */
  range(from: string, to: string): (readonly [string, Buffer])[] {
    const keys = this.keys();
    const found: (readonly [string, Buffer])[] = [];
    for (let index = firstAtLeast(keys, from); index < keys.length; index++) {
      const key = keys[index]!;
      if (key >= to) break;
      found.push([key, this.#values.get(key)!]);
    }
    return found;
  }

  /** The same contents; values are shared, so nobody may change one in place. */
  copy(): ByteMap {
    return new ByteMap(this.#values);
  }
}

function firstAtLeast(sorted: readonly string[], key: string): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
