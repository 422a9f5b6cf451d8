/**
 * Reading the JSON of znodes. A znode that does not parse, or parses to something else than it
 * should, is refused by name: it is never overwritten and never replaced by a default.
 */

/** A znode holds something this version does not understand. Says which znode and what is wrong. */
export class BadRecordError extends Error {
  readonly path: string;

  constructor(path: string, problem: string) {
    super(
      `znode ${path}: ${problem}. It was left as it is; ` +
        'repair it or restore it from a backup of ZooKeeper',
    );
    this.name = 'BadRecordError';
    this.path = path;
  }
}

/** One JSON object being taken apart field by field. Every reader throws {@link BadRecordError}. */
export class RecordReader {
  readonly #path: string;
  readonly #fields: ReadonlyMap<string, unknown>;

  constructor(path: string, source: Uint8Array | object) {
    this.#path = path;
    const value = source instanceof Uint8Array ? parse(path, source) : source;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new BadRecordError(path, 'is not a JSON object');
    }
    this.#fields = new Map(Object.entries(value));
  }

  /** Refuses records of a newer format: an unknown meaning is not guessed. */
  format(known: number): void {
    const format = this.#fields.get('format');
    if (format !== known) {
      throw new BadRecordError(
        this.#path,
        `format is ${JSON.stringify(format)}, this version knows ${known}`,
      );
    }
  }

  /** The field, if `is` says so. */
  field<T>(name: string, what: string, is: (value: unknown) => value is T): T {
    const value = this.#fields.get(name);
    if (!is(value)) throw this.wrong(name, what);
    return value;
  }

  /** The same of a field that older versions did not write: `otherwise` is what they meant. */
  optional<T>(name: string, what: string, is: (value: unknown) => value is T, otherwise: T): T {
    return this.#fields.has(name) ? this.field(name, what, is) : otherwise;
  }

  text(name: string, bytesMax = 256): string {
    return this.field(name, 'text', (value): value is string => {
      return typeof value === 'string' && value.length <= bytesMax;
    });
  }

  list<T>(name: string, what: string, is: (value: unknown) => value is T): readonly T[] {
    return this.field(name, `a list of ${what}`, (value): value is T[] => {
      return Array.isArray(value) && value.every(is);
    });
  }

  /** Each object of a list, itself ready to be read. */
  records(name: string): readonly RecordReader[] {
    const isObject = (value: unknown): value is object =>
      typeof value === 'object' && value !== null;
    return this.list(name, 'objects', isObject).map((item) => new RecordReader(this.#path, item));
  }

  wrong(name: string, what: string): BadRecordError {
    return new BadRecordError(this.#path, `field "${name}" is not ${what}`);
  }
}

function parse(path: string, bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8')) as unknown;
  } catch {
    throw new BadRecordError(path, 'is not JSON');
  }
}

/** A record as the bytes of its znode: one line of JSON, readable in `zkCli`. */
export function encodeRecord(record: object): Buffer {
  return Buffer.from(JSON.stringify(record));
}
