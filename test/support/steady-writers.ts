/** Clients that write without a pause until they are stopped, and remember what was acknowledged. */
import type { IndependentClient } from './independent-client.js';

/** So few keys for each writer that versions of a key follow each other. */
const KEYS_EACH = 20;
const CALL_TIMEOUT_MS = 5_000;

export interface Acknowledged {
  readonly value: string;
  readonly version: number;
}

export class SteadyWriters {
  /** The last acknowledged write of each key. */
  readonly acknowledged = new Map<string, Acknowledged>();
  readonly #writers: Promise<unknown>;
  readonly #wakes: (() => void)[] = [];
  #isWriting = true;
  #count = 0;

  constructor(client: IndependentClient, writers: number) {
    const numbers = Array.from({ length: writers }, (_, writer) => writer);
    this.#writers = Promise.all(numbers.map((writer) => this.#write(client, writer)));
    // Told by `stop`, not as a rejection that nobody handles while the test does something else.
    this.#writers.catch(() => undefined);
  }

  /** Once so many more writes were acknowledged. Throws what a writer found wrong. */
  async more(writes: number): Promise<void> {
    const enough = this.#count + writes;
    const reached = new Promise<void>((resolve) => {
      this.#wakes.push(() => this.#count >= enough && resolve());
    });
    await Promise.race([reached, this.#writers]);
  }

  /** Every writer has ended. Throws what a writer found wrong. */
  async stop(): Promise<void> {
    this.#isWriting = false;
    await this.#writers;
  }

  async #write(client: IndependentClient, writer: number): Promise<void> {
    for (let n = 0; this.#isWriting; n++) {
      const key = `w${writer}-${n % KEYS_EACH}`;
      const value = `${writer}/${n}`;
      const written = await client.put(key, value, {}, CALL_TIMEOUT_MS).catch(() => undefined);
      if (written === undefined) {
        // A failure may come at once, and for ever: the test's own timers must run between two.
        await new Promise((resolve) => setImmediate(resolve));
        continue;
      }
      const version = Number(written.version);
      const last = this.acknowledged.get(key)?.version ?? 0;
      if (version <= last) throw new Error(`${key}: version ${version} came after ${last}`);
      this.acknowledged.set(key, { value, version });
      this.#count++;
      for (const wake of this.#wakes) wake();
    }
  }
}
