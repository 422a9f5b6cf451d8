/**
 * A disk with one LevelDB on it, as `leveldb/level-disk.ts` shows it, and what may happen to it.
 *
 * Batches are written in the order in which they were given, each whole or not at all, to a log that
 * is synced before the write resolves. Hence:
 *
 * - a process that dies leaves everything that resolved, and of the batches under way a prefix,
 *   because the kernel may have had them or not;
 * - a machine that dies leaves the same, as every batch is synced. A drive that *lies* about that
 *   loses the last batches that resolved, too: a negative control, nothing survives it by itself;
 * - a snapshot may see batches under way, as their sync may be done; those are there from then on;
 * - a write that failed refuses all others until the disk is opened again, and its batch may be
 *   there then, or not (S20); a read that failed says nothing of the next one.
 *
 * Not modelled: damage to files, which LevelDB may or may not find (`leveldb/damage.ts`).
 * {@link SimDisk.rot} is what it never finds, a changed value, and {@link SimDisk.restore} what no
 * checksum finds.
 */
import {
  type Disk,
  type DiskBatch,
  type DiskSnapshot,
  StorageFailure,
} from '../../src/ports/disk.js';
import { ByteMap } from './byte-map.js';
import type { Prng } from './prng.js';
import type { SimProcess } from './sim-process.js';
import type { Simulation } from './simulation.js';

/** `undefined` removes the key. */
type Change = readonly [key: string, value: Buffer | undefined];

/** What a disk needs of its surroundings. */
export interface DiskHost {
  /** Calls back later, in the process that asked; never if that process is dead by then. */
  after(delayMs: number, task: () => void): void;
  /** Milliseconds that a sync, or a read of many, takes; drawn anew. */
  latencyMs(): number;
}

/** The surroundings of a simulated process: a sync takes 0.5 ms, and often more. */
export function diskHostOf(simulation: Simulation, process: SimProcess): DiskHost {
  const prng = simulation.prng.fork(`disk of ${process.name}`);
  return {
    after: (delayMs, task) => void simulation.after(delayMs, task, process),
    latencyMs: () => 0.5 + prng.exponential(0.5),
  };
}

/** One record that is not what was written any more. */
export interface Rot {
  readonly key: string;
  /** Whether the record is still the one that rotted. */
  isThere(): boolean;
  /** Turns the bit back, if it is: somebody brought the record back from a backup. */
  undo(): void;
}

/** How writes fail: `full` until there is space again, `once` for one, `broken` for good. */
export type WriteFault = 'full' | 'once' | 'broken';
export type ReadFault = Exclude<WriteFault, 'full'>;

const PROBLEMS: Readonly<Record<WriteFault, string>> = {
  full: 'no space left on device',
  once: 'input/output error',
  broken: 'input/output error',
};

/** What LevelDB's iterator reads ahead. */
const SCAN_ROWS = 1_000;
/** How many resolved batches a drive may lie about. */
const UNSYNCED_BATCHES_MAX = 16;

export class SimDisk {
  readonly #prng: Prng;
  #entries = new ByteMap();
  /** Given to the open LevelDB, not resolved, oldest first; those that failed stay. */
  #underWay: (readonly Change[])[] = [];
  /** How many of those are synced: somebody has seen them. */
  #synced = 0;
  /** What undoes the last batches that resolved, newest last; empty while the drive is honest. */
  #undo: (readonly Change[])[] = [];
  #opened: OpenDisk | undefined;
  /** Whether it says that it synced what it has not. */
  lies = false;
  freeBytes = 1e12;
  writeFault: WriteFault | undefined;
  readFault: ReadFault | undefined;
  /** What it refused first to whoever has it open, or had last; undefined: nothing. */
  refused: 'read' | 'write' | undefined;
  /** Multiplies what everything takes. */
  slowness = 1;
  /** Batches that resolved. */
  writes = 0;
  /** How often {@link restore} was called. */
  restores = 0;

  constructor(prng: Prng) {
    this.#prng = prng;
  }

  /** As {@link Disk} for one process. Whoever had it open has lost it: call it after {@link crash}. */
  open(host: DiskHost): Disk {
    this.crash();
    this.refused = undefined;
    this.#opened = new OpenDisk(this, host);
    return this.#opened;
  }

  /**
   * The process that had it open died. A prefix of what was under way is there.
   *
   * @param isPowerCut the machine died: a drive that lies loses what it had only promised
   */
  crash({ isPowerCut = false } = {}): void {
    this.#opened?.lose();
    this.#opened = undefined;
    const kept = this.#synced + this.#prng.int(this.#underWay.length - this.#synced + 1);
    for (const changes of this.#underWay.slice(0, kept)) this.#apply(changes);
    this.#underWay = [];
    this.#synced = 0;
    if (!isPowerCut) return;
    const lost = this.lies ? this.#prng.int(this.#undo.length + 1) : 0;
    for (let count = 0; count < lost; count++) {
      for (const [key, value] of this.#undo.pop()!) this.#change(key, value);
    }
    this.#undo = [];
  }

  /** Snapshots that the process which has it open has not closed. */
  get openSnapshots(): number {
    return this.#opened?.openSnapshots ?? 0;
  }

  /** Every key with its value, in order, as reads see it now. For digests. */
  *contents(): Iterable<readonly [key: string, value: Buffer]> {
    for (const key of this.#entries.keys()) yield [key, this.#entries.get(key)!];
  }

  /** The value under a key, as reads see it now. For checkers. */
  stored(key: Buffer): Buffer | undefined {
    return this.#entries.get(ByteMap.keyOf(key));
  }

  /** What lies in a range of keys, as reads see it now. For checkers. */
  storedIn(from: Buffer, to: Buffer): (readonly [key: string, value: Buffer])[] {
    return this.#entries.range(ByteMap.keyOf(from), ByteMap.keyOf(to));
  }

  /** Puts a record there behind LevelDB's back. */
  plant(key: string, value: Buffer): void {
    this.#entries.set(key, value);
  }

  /** Flips one bit of one value that is not empty, under a key that may rot. */
  rot(mayRot: (key: string) => boolean = () => true): Rot | undefined {
    const keys = this.#entries.keys().filter((key) => {
      return this.#entries.get(key)!.length > 0 && mayRot(key);
    });
    if (keys.length === 0) return undefined;
    const key = this.#prng.pick(keys);
    const before = this.#entries.get(key)!;
    const after = Buffer.from(before);
    const bit = this.#prng.int(after.length * 8);
    after[bit >> 3]! ^= 1 << (bit & 7);
    this.#entries.set(key, after);
    const isThere = () => this.#entries.get(key) === after;
    const undo = () => {
      if (isThere()) this.#entries.set(key, before);
    };
    return { key, isThere, undo };
  }

  /** A copy of everything, for {@link restore}; of a disk in use, what has resolved. */
  image(): ByteMap {
    return this.#entries.copy();
  }

  /** Becomes what it was when the image was taken, or empty. Nobody may have it open. */
  restore(image = new ByteMap()): void {
    if (this.#opened !== undefined) throw new Error('the disk is in use');
    this.#entries = image.copy();
    this.#undo = [];
    this.restores++;
  }

  /** For the open disk only: the value that reads see. */
  read(key: string): Buffer | undefined {
    this.checkRead();
    return this.#entries.get(key);
  }

  /** For the open disk only: something is read. @throws StorageFailure */
  checkRead(): void {
    const fault = this.readFault;
    if (fault === undefined) return;
    if (fault === 'once') this.readFault = undefined;
    this.refused ??= 'read';
    throw new StorageFailure(PROBLEMS[fault]);
  }

  /** For the open disk only: everything as it is now, or with batches that will have been. */
  snapshot(): ByteMap {
    this.#synced += this.#prng.int(this.#underWay.length - this.#synced + 1);
    const entries = this.#entries.copy();
    for (const [key, value] of this.#underWay.slice(0, this.#synced).flat()) {
      if (value === undefined) entries.delete(key);
      else entries.set(key, value);
    }
    return entries;
  }

  /** For the open disk only: a batch is under way. */
  begin(changes: readonly Change[]): void {
    this.#underWay.push(changes);
  }

  /** For the open disk only: the oldest batch that is under way is synced, or refused. */
  finish(): StorageFailure | undefined {
    const fault = this.writeFault;
    if (this.#synced > 0) this.#synced--;
    else if (fault !== undefined) {
      if (fault === 'once') this.writeFault = undefined;
      this.refused ??= 'write';
      return new StorageFailure(PROBLEMS[fault]);
    }
    this.#apply(this.#underWay.shift()!);
    this.writes++;
    return undefined;
  }

  #apply(changes: readonly Change[]): void {
    if (this.lies) {
      const before = changes.map(([key]) => [key, this.#entries.get(key)] as const);
      this.#undo.push(before);
      if (this.#undo.length > UNSYNCED_BATCHES_MAX) this.#undo.shift();
    }
    for (const [key, value] of changes) this.#change(key, value);
  }

  #change(key: string, value: Buffer | undefined): void {
    if (value === undefined) this.#entries.delete(key);
    else this.#entries.set(key, value);
  }
}

/** What one process sees of the disk. */
class OpenDisk implements Disk {
  readonly #disk: SimDisk;
  readonly #host: DiskHost;
  #failure: StorageFailure | undefined;
  /** What ends each batch under way; each waits for the one before it, as there is one log. */
  readonly #waiting: (() => void)[] = [];
  #isClosed = false;
  /** Whoever waits until nothing is under way. */
  #idle: (() => void)[] = [];
  #isLost = false;
  openSnapshots = 0;

  constructor(disk: SimDisk, host: DiskHost) {
    this.#disk = disk;
    this.#host = host;
  }

  batch(): DiskBatch {
    const changes: Change[] = [];
    return {
      // A disk copies what it is given: the caller's buffers may change afterwards.
      put: (key, value) => void changes.push([ByteMap.keyOf(key), Buffer.from(value)]),
      remove: (key) => void changes.push([ByteMap.keyOf(key), undefined]),
      writeDurably: () => this.#write(changes),
    };
  }

  get(key: Buffer): Buffer | undefined {
    return this.#disk.read(ByteMap.keyOf(key));
  }

  async *scan(from: Buffer, to: Buffer): AsyncIterable<readonly [key: Buffer, value: Buffer]> {
    yield* this.#rows(() => true, this.#disk.storedIn(from, to));
  }

  snapshot(): DiskSnapshot {
    const entries = this.#disk.snapshot();
    let isOpen = true;
    this.openSnapshots++;
    const rows = this.#rows.bind(this, () => isOpen && !this.#isClosed);
    return {
      scan: (from, to) => rows(entries.range(ByteMap.keyOf(from), ByteMap.keyOf(to))),
      close: () => {
        if (isOpen) this.openSnapshots--;
        isOpen = false;
        return Promise.resolve();
      },
    };
  }

  async freeBytes(): Promise<number> {
    await this.#wait();
    return this.#disk.writeFault === 'full' ? 0 : this.#disk.freeBytes;
  }

  close(): Promise<void> {
    this.#isClosed = true;
    if (this.#waiting.length === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  /** Its process is gone: nothing that is under way ever settles. */
  lose(): void {
    this.#isLost = true;
  }

  async *#rows(
    isOpen: () => boolean,
    rows: readonly (readonly [string, Buffer])[],
  ): AsyncIterable<readonly [key: Buffer, value: Buffer]> {
    if (rows.length === 0) await this.#readChunk();
    for (const [index, [key, value]] of rows.entries()) {
      if (!isOpen()) throw new StorageFailure('the snapshot is closed');
      if (index % SCAN_ROWS === 0) await this.#readChunk();
      yield [Buffer.from(key, 'latin1'), value];
    }
  }

  #write(changes: readonly Change[]): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    this.#disk.begin(changes);
    return new Promise((resolve, reject) => {
      this.#waiting.push(() => {
        if (this.#isLost) return;
        this.#failure ??= this.#disk.finish();
        this.#waiting.shift();
        this.#startNext();
        if (this.#failure === undefined) resolve();
        else reject(this.#failure);
        if (this.#waiting.length > 0) return;
        for (const idle of this.#idle.splice(0)) idle();
      });
      if (this.#waiting.length === 1) this.#startNext();
    });
  }

  #startNext(): void {
    const next = this.#waiting[0];
    if (next !== undefined) this.#host.after(this.#delayMs(), next);
  }

  async #readChunk(): Promise<void> {
    await this.#wait();
    this.#disk.checkRead();
  }

  #wait(): Promise<void> {
    return new Promise((resolve) => this.#host.after(this.#delayMs(), resolve));
  }

  #delayMs(): number {
    return this.#host.latencyMs() * this.#disk.slowness;
  }
}
