/**
 * A client that writes without a pause until it is stopped, many keys at a time, and reads each
 * write back at once: what it reads is never older than what it knows of. It remembers what was
 * acknowledged and what failed.
 */
import { type Client, PortolanError } from '../../src/client/index.js';
import { forEachIndex } from './independent-client.js';

/** So few keys for each writer that versions of a key follow each other. */
const KEYS_EACH = 20;

interface Acknowledged {
  readonly value: string;
  readonly version: number;
}

export class SteadyLoad {
  /** Puts and gets that the client gave up, and why. */
  readonly failures: string[] = [];
  readonly #client: Client;
  /** The last acknowledged write of each key. */
  readonly #acknowledged = new Map<string, Acknowledged>();
  readonly #writers: Promise<unknown>;
  readonly #wakes: (() => void)[] = [];
  #isRunning = true;
  #count = 0;

  constructor(client: Client, writers: number) {
    this.#client = client;
    const numbers = Array.from({ length: writers }, (_, writer) => writer);
    this.#writers = Promise.all(numbers.map((writer) => this.#run(writer)));
    // Told by `stop`, not as a rejection that nobody handles while the test does something else.
    this.#writers.catch(() => undefined);
  }

  /** Once so many more writes were acknowledged. Throws if an answer was wrong. */
  async more(writes: number): Promise<void> {
    const enough = this.#count + writes;
    const reached = new Promise<void>((resolve) => {
      this.#wakes.push(() => this.#count >= enough && resolve());
    });
    await Promise.race([reached, this.#writers]);
  }

  /** Every writer has ended. Throws if an answer was wrong. */
  async stop(): Promise<void> {
    this.#isRunning = false;
    await this.#writers;
  }

  /** Reads every key once more. Throws if an acknowledged write is missing. */
  async verify(): Promise<void> {
    const keys = [...this.#acknowledged.keys()];
    await forEachIndex(keys.length, 16, (index) => this.#read(keys[index]!));
  }

  async #run(writer: number): Promise<void> {
    for (let n = 0; this.#isRunning; n++) {
      const key = `w${writer}-${n % KEYS_EACH}`;
      const isWritten = await this.#tried(`put ${key}`, this.#write(key, `${writer}/${n}`));
      if (isWritten) await this.#tried(`get ${key}`, this.#read(key));
      // A failure may come at once, and for ever: the test's own timers must run between two.
      else await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Whether it succeeded: that the client gave it up is noted, a wrong answer is thrown. */
  async #tried(what: string, call: Promise<void>): Promise<boolean> {
    try {
      await call;
      return true;
    } catch (error) {
      if (!(error instanceof PortolanError)) throw error;
      this.failures.push(`${what}: ${error.message}`);
      return false;
    }
  }

  async #write(key: string, value: string): Promise<void> {
    const { version } = await this.#client.put(key, value);
    const last = this.#acknowledged.get(key)?.version ?? 0;
    if (version <= last) throw new Error(`${key}: version ${version} came after ${last}`);
    this.#acknowledged.set(key, { value, version });
    this.#count++;
    for (const wake of this.#wakes) wake();
  }

  /** The last acknowledged write, or one of this client that happened without being acknowledged. */
  async #read(key: string): Promise<void> {
    const { value, version } = this.#acknowledged.get(key)!;
    const got = await this.#client.get(key);
    if (got !== undefined && got.version > version) return;
    if (got?.version === version && got.value.toString() === value) return;
    throw new Error(`${key}: ${value} was acknowledged as ${version}, ${got?.version} is read`);
  }
}
