/**
 * The log of one replica as far as it is kept in memory: where each retained entry ends, and the
 * entries themselves that were not applied yet. The bytes of the others are on disk.
 *
 * Upholds S8: positions are contiguous, epochs never decrease, and every entry names the chain of
 * the one before. Decides nothing: who may append or truncate is the business of the roles.
 */
import { assert } from '../model/assert.js';
import type { Seq } from '../model/ids.js';
import type { Entry, Position } from './entry.js';

/** Where a retained entry ends, and what it takes. */
export interface LoggedPosition extends Position {
  readonly byteCount: number;
}

/** How much of what was applied is kept, for replicas that come back. */
export interface LogKeep {
  readonly keepEntries: number;
  readonly keepBytes: number;
}

export interface TrimLimits extends LogKeep {
  readonly needless: Seq;
  /** Entries. */
  readonly trimMax: number;
}

export class ReplicaLog {
  /** What the first retained entry follows. */
  #base: Position;
  /** Ends of the retained entries, ascending. Those before `#head` were trimmed. */
  #ends: LoggedPosition[] = [];
  #head = 0;
  /** Entries above `appliedSeq`, in order. */
  #unapplied: Entry[] = [];
  #appliedSeq: Seq;
  #byteCount = 0;

  /** @param appliedSeq Position up to which the data is known to hold the log. */
  constructor(base: Position, appliedSeq: Seq, entries: Iterable<Entry> = []) {
    assert(appliedSeq >= base.seq, 'S9', () => ({ appliedSeq, base: base.seq }));
    this.#base = base;
    this.#appliedSeq = appliedSeq;
    for (const entry of entries) this.append(entry);
  }

  get base(): Position {
    return this.#base;
  }

  /** The end of the log. */
  get last(): Position {
    return this.#ends.at(-1) ?? this.#base;
  }

  get appliedSeq(): Seq {
    return this.#appliedSeq;
  }

  /** Retained entries. */
  get length(): number {
    return this.#ends.length - this.#head;
  }

  /** Bytes of the retained entries. */
  get byteCount(): number {
    return this.#byteCount;
  }

  append(entry: Entry): void {
    const { last } = this;
    const fits = entry.first === last.seq + 1 && entry.previous === last.chain;
    assert(fits && entry.epoch >= last.epoch, 'S8', () => ({
      last,
      entry: { first: entry.first, epoch: entry.epoch, previous: entry.previous },
    }));
    const { seq, epoch, chain } = entry;
    this.#ends.push({ seq, epoch, chain, byteCount: entry.bytes.length });
    this.#byteCount += entry.bytes.length;
    if (seq > this.#appliedSeq) this.#unapplied.push(entry);
  }

  /** The position that ends at `seq`, if an entry ends there or the log begins there. */
  positionAt(seq: Seq): Position | undefined {
    if (seq === this.#base.seq) return this.#base;
    const found = this.#ends[this.#indexAfter(seq) - 1];
    return found?.seq === seq ? found : undefined;
  }

  /** The end of the entry that follows `seq`; undefined at the end of the log. */
  nextAfter(seq: Seq): LoggedPosition | undefined {
    return this.#ends[this.#indexAfter(seq)];
  }

  /** The entry that ends at `seq`, if its bytes are still in memory. */
  unappliedAt(seq: Seq): Entry | undefined {
    return this.#unapplied.find((entry) => entry.seq === seq);
  }

  /** Ends of all entries from `seq` on, and of the log's beginning if that is not below it. */
  positionsFrom(seq: Seq): Position[] {
    const from = this.#ends.slice(this.#indexAfter((seq - 1) as Seq));
    return this.#base.seq >= seq ? [this.#base, ...from] : from;
  }

  /** Ends of the entries that end above `from`, up to `to`. */
  positionsBetween(from: Seq, to: Seq): readonly LoggedPosition[] {
    return this.#ends.slice(this.#indexAfter(from), this.#indexAfter(to));
  }

  /** Entries that end above `seq`. */
  countAfter(seq: Seq): number {
    return this.#ends.length - this.#indexAfter(seq);
  }

  /** Entries up to `seq` that were not applied. */
  unappliedTo(seq: Seq): readonly Entry[] {
    const end = this.#unapplied.findIndex((entry) => entry.seq > seq);
    return end < 0 ? this.#unapplied.slice() : this.#unapplied.slice(0, end);
  }

  /** The data holds everything up to `seq`. */
  applied(seq: Seq): void {
    if (seq <= this.#appliedSeq) return;
    assert(seq <= this.last.seq, 'S9', () => ({ seq, last: this.last.seq }));
    this.#appliedSeq = seq;
    this.#unapplied = this.#unapplied.filter((entry) => entry.seq > seq);
  }

  /** Drops every entry above `seq`, where one ends. */
  truncateAfter(seq: Seq): void {
    assert(seq >= this.#appliedSeq, 'S10', () => ({ seq, appliedSeq: this.#appliedSeq }));
    assert(this.positionAt(seq) !== undefined, 'S8', () => ({ seq, last: this.last.seq }));
    this.#byteCount -= bytesOf(this.positionsBetween(seq, this.last.seq));
    this.#ends.length = this.#indexAfter(seq);
    this.#unapplied = this.#unapplied.filter((entry) => entry.seq <= seq);
  }

  /** Forgets entries up to `seq`, where one ends; they must have been applied. */
  trimTo(seq: Seq): void {
    assert(seq <= this.#appliedSeq, 'S9', () => ({ seq, appliedSeq: this.#appliedSeq }));
    const base = this.positionAt(seq);
    assert(base !== undefined, 'S8', () => ({ seq, base: this.#base.seq }));
    this.#byteCount -= bytesOf(this.positionsBetween(this.#base.seq, seq));
    this.#head = this.#indexAfter(seq);
    this.#base = { seq: base.seq, epoch: base.epoch, chain: base.chain };
    if (this.#head * 2 < this.#ends.length) return;
    this.#ends = this.#ends.slice(this.#head);
    this.#head = 0;
  }

  /**
   * The position to trim to so that at most `keepEntries` applied entries stay, and `keepBytes` in
   * all, and nothing up to `needless`; but everything that was not applied, and everything above
   * `pinned`. At most `trimMax` entries away, unless there are too many bytes. undefined = none.
   */
  trimmable(
    { keepEntries, keepBytes, needless, trimMax }: TrimLimits,
    pinned: Seq | undefined,
  ): Seq | undefined {
    const applied = this.#indexAfter(this.#appliedSeq);
    const end = pinned === undefined ? applied : Math.min(applied, this.#indexAfter(pinned));
    const kept = Math.max(applied - keepEntries, this.#indexAfter(needless));
    const enough = Math.min(kept, this.#head + trimMax);
    let bytes = this.#byteCount;
    let to: LoggedPosition | undefined;
    for (let index = this.#head; index < end; index++) {
      if (index >= enough && bytes <= keepBytes) break;
      to = this.#ends[index];
      bytes -= to?.byteCount ?? 0;
    }
    return to?.seq;
  }

  /** Index of the first retained entry that ends above `seq`. */
  #indexAfter(seq: Seq): number {
    let low = this.#head;
    let high = this.#ends.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#ends[middle]?.seq ?? 0) > seq) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

function bytesOf(positions: readonly LoggedPosition[]): number {
  return positions.reduce((sum, { byteCount }) => sum + byteCount, 0);
}
