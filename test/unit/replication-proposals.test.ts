/** The writes of a primary between arrival and commit: conditions, answers, and the end. */
import { describe, expect, it } from 'vitest';
import type { Epoch, Seq } from '../../src/model/ids.js';
import { LOG_START, type Position } from '../../src/replication/entry.js';
import { needsStoredVersion, Proposals, type Written } from '../../src/replication/proposals.js';
import { ReadMemory } from '../../src/replication/read-cache.js';
import { putOf } from '../support/replica-parts.js';

const key = Buffer.from('k');
const remove = { type: 'delete', key } as const;
const none = 0 as Seq;
const head = { epoch: 1 as Epoch, commitSeq: none };
const done = { applied: true, changes: true };

class Given {
  readonly proposals: Proposals;
  readonly reads = new ReadMemory({ readBytesMax: 10_000 }).open();
  #calls = 0;
  #last: Position;
  #commitSeq: Seq;

  /** The log, and what is committed, end there. */
  constructor(seq = 0) {
    this.#last = { ...LOG_START, seq: seq as Seq };
    this.#commitSeq = this.#last.seq;
    this.proposals = new Proposals(this.#last.seq, this.reads);
  }

  put(ifVersion?: number, storedVersion?: number): Written | undefined {
    return this.#propose(putOf('k'), ifVersion, storedVersion);
  }

  remove(ifVersion?: number, storedVersion?: number): Written | undefined {
    return this.#propose(remove, ifVersion, storedVersion);
  }

  /** Everything proposed so far is sealed into one entry. */
  seal() {
    const entry = this.proposals.seal(this.#last, head);
    this.#last = entry;
    return entry;
  }

  /** Seals and commits it. */
  commit(): readonly Written[] {
    const entry = this.seal();
    this.#commitSeq = entry.seq;
    return this.proposals.commit([entry], entry.seq);
  }

  #propose(
    write: Parameters<typeof needsStoredVersion>[0],
    ifVersion: number | undefined,
    storedVersion: number | undefined,
  ): Written | undefined {
    const proposal = { call: ++this.#calls, write, ifVersion };
    const stored = storedVersion as Seq | undefined;
    return this.proposals.propose({ ...proposal, storedVersion: stored }, this.#commitSeq);
  }
}

describe('conditions on a key', () => {
  it('S12 one that fails on what is stored is answered at once', () => {
    expect(new Given().put(3, 2)).toEqual({ call: 1, applied: false, version: 2, changes: false });
  });

  it('S12 one that fails on an uncommitted write is answered when that is committed', () => {
    const given = new Given();
    expect(given.put()).toBeUndefined();
    expect(given.put(0, 0)).toBeUndefined();
    expect(given.commit()).toEqual([
      { call: 1, version: 1, ...done },
      { call: 2, version: 1, applied: false, changes: false },
    ]);
  });

  it('S12 so is one that fails on an uncommitted delete, and a delete of what such a one left', () => {
    const given = new Given(5);
    given.remove(undefined, 5);
    expect(given.put(5, 5)).toBeUndefined();
    expect(given.remove(undefined, 5)).toBeUndefined();
    expect(given.commit()).toEqual([
      { call: 1, version: 5, ...done },
      { call: 2, version: 0, applied: false, changes: false },
      { call: 3, version: 0, applied: true, changes: false },
    ]);
  });

  it('S12 one that holds only if an uncommitted write is committed is numbered behind it', () => {
    const given = new Given();
    given.put();
    expect(given.put(1)).toBeUndefined();
    expect(given.commit().map(({ version }) => version)).toEqual([1, 2]);
  });

  it('S12 what is committed and not in the data yet counts, and not what the data still holds', () => {
    const given = new Given();
    given.put();
    given.commit();
    expect(given.proposals.committed(key)?.seq).toBe(1);
    expect(given.put(0, 0)).toMatchObject({ applied: false, version: 1 });
    given.proposals.applied(1 as Seq);
    expect(given.proposals.committed(key)).toBeUndefined();
  });

  it('S12 an answer waits for everything proposed before it only as far as it saw it', () => {
    const given = new Given();
    given.put();
    given.commit();
    given.put();
    expect(given.proposals.hasDrafts).toBe(true);
    // Of another key, and what it saw is committed.
    const other = { call: 9, write: putOf('other'), ifVersion: 1, storedVersion: none };
    expect(given.proposals.propose(other, 1 as Seq)).toMatchObject({ call: 9, applied: false });
  });

  it('asks for the stored version only where it matters', () => {
    expect(needsStoredVersion(putOf('k'), undefined)).toBe(false);
    expect(needsStoredVersion(putOf('k'), 0)).toBe(true);
    expect(needsStoredVersion(remove, undefined)).toBe(true);
    expect(() => new Given().put(1)).toThrow('a condition needs a version');
  });

  it('S22 versions grow over everything that was ever stored', () => {
    expect(() => new Given().put(7, 7)).toThrow('S22');
  });
});

describe('what becomes of open calls when the primary ends', () => {
  it('S21 of a sealed write nobody knows, one that was not sealed will never be', () => {
    const given = new Given();
    given.put();
    const { seq } = given.seal();
    given.put();
    expect(given.proposals.abandon(seq)).toEqual({ unknown: [1], never: [2] });
    expect(given.proposals.abandon(seq)).toEqual({ unknown: [], never: [] });
  });

  it('S21 a call whose condition failed changes nothing, whatever becomes of what it saw', () => {
    const given = new Given();
    given.put();
    given.put(0, 0);
    const { seq } = given.seal();
    expect(given.proposals.abandon(seq)).toEqual({ unknown: [1], never: [2] });
  });

  it('S21 one that was committed and answered is not open', () => {
    const given = new Given();
    given.put();
    given.commit();
    expect(given.proposals.abandon(1 as Seq)).toEqual({ unknown: [], never: [] });
  });
});

describe('what waits to be sealed', () => {
  it('goes into one entry as far as it fits, and the rest, in its order, into the next', () => {
    const proposals = new Proposals(0 as Seq, new ReadMemory({ readBytesMax: 0 }).open());
    const value = Buffer.alloc(400 * 1024);
    for (let call = 1; call <= 4; call++) {
      const write = { type: 'put', key: Buffer.from(`k${call}`), value } as const;
      const given = { call, write, ifVersion: undefined, storedVersion: undefined };
      proposals.propose(given, 0 as Seq);
    }
    const first = proposals.seal(LOG_START, head);
    expect(first).toMatchObject({ first: 1, seq: 3 });
    expect(proposals.hasDrafts).toBe(true);
    expect(proposals.commit([first], first.seq).map(({ call }) => call)).toEqual([1, 2, 3]);
    const second = proposals.seal(first, head);
    expect(second).toMatchObject({ first: 4, seq: 4 });
    expect(proposals.hasDrafts).toBe(false);
  });
});
