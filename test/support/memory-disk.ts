/**
 * The simulated disk for tests without a simulation: in turns of the event loop instead of virtual
 * time, and opened by one process at once.
 *
 * A batch becomes visible when its write resolves, at the earliest in a later turn, as on a real
 * disk. `hold()` keeps everything from finishing until `release()`.
 */
import type { Disk } from '../../src/ports/disk.js';
import { Prng } from '../simulation/prng.js';
import { SimDisk } from '../simulation/sim-disk.js';

export class MemoryDisk implements Disk {
  /** What is on it, and its faults. */
  readonly medium: SimDisk;
  readonly #opened: Disk;
  #held: (() => void)[] | undefined;

  /** @param seed Chooses what nobody can know: what of a batch under way is there. */
  constructor(seed = 1) {
    this.medium = new SimDisk(Prng.of(seed));
    this.#opened = this.medium.open({
      latencyMs: () => 0,
      after: (_, task) => {
        if (this.#held === undefined) setImmediate(task);
        else this.#held.push(task);
      },
    });
  }

  /** The disk as a restart finds it: what is durable, nothing else. */
  afterCrash(): MemoryDisk {
    const disk = new MemoryDisk();
    for (const [key, value] of this.medium.contents()) disk.medium.plant(key, value);
    return disk;
  }

  /** Batches that became durable. */
  get writes(): number {
    return this.medium.writes;
  }

  hold(): void {
    this.#held ??= [];
  }

  release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const task of held) setImmediate(task);
  }

  batch: Disk['batch'] = () => this.#opened.batch();
  get: Disk['get'] = (key) => this.#opened.get(key);
  scan: Disk['scan'] = (from, to) => this.#opened.scan(from, to);
  snapshot: Disk['snapshot'] = () => this.#opened.snapshot();
  freeBytes: Disk['freeBytes'] = () => this.#opened.freeBytes();
  close: Disk['close'] = () => this.#opened.close();
}
