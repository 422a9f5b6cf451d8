/** The log of a replica: the bytes of its entries, their chain, and what may be cut off. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Epoch, Seq, ShardId } from '../../src/model/ids.js';
import { decodeDataRecord } from '../../src/replication/data-record.js';
import {
  type Draft,
  LOG_START,
  MalformedEntryError,
  opsOf,
  parseEntry,
  sealEntry,
} from '../../src/replication/entry.js';
import { ReplicaBody } from '../../src/replication/replica-body.js';
import { uuidOf } from '../support/configs.js';

const bytes = (text: string) => Buffer.from(text);
const head = { epoch: 1 as Epoch, commitSeq: 0 as Seq };

const draft: fc.Arbitrary<Draft> = fc.oneof(
  fc.record({
    type: fc.constant('put' as const),
    key: fc.uint8Array({ minLength: 1, maxLength: 20 }).map((key) => Buffer.from(key)),
    value: fc.uint8Array({ maxLength: 40 }).map((value) => Buffer.from(value)),
  }),
  fc.record({
    type: fc.constant('delete' as const),
    key: fc.uint8Array({ minLength: 1, maxLength: 20 }).map((key) => Buffer.from(key)),
  }),
  fc.constant({ type: 'barrier' as const }),
);

describe('an entry', () => {
  it('has the bytes of the worked example', () => {
    const entry = sealEntry(LOG_START, head, [
      { type: 'put', key: bytes('k'), value: bytes('hi') },
    ]);
    expect(entry.bytes.toString('hex')).toBe(
      `01000000000001000000000000000100000001${'0'.repeat(16)}${'0'.repeat(32)}` +
        '01000001000000106b01ba9d5c0d0000000000000000016869',
    );
  });

  it('comes back from its bytes as it was sealed, every op with its own position', () => {
    const drafts = fc.array(draft, { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(drafts, (given) => {
        const entry = sealEntry(LOG_START, head, given);
        expect(parseEntry(entry.bytes)).toEqual(entry);
        const ops = [...opsOf(entry)];
        expect(ops.map(({ seq }) => seq)).toEqual(given.map((_, index) => index + 1));
        for (const [index, op] of ops.entries()) {
          const was = given[index]!;
          expect(op.type).toBe(was.type);
          if (op.type === 'put' && was.type === 'put') {
            expect(decodeDataRecord(op.key, op.record)).toEqual({ value: was.value, seq: op.seq });
          }
          if (op.type !== 'barrier' && was.type !== 'barrier') expect(op.key).toEqual(was.key);
        }
      }),
    );
  });

  it('cut off anywhere, or with a byte more, is malformed', () => {
    const entry = sealEntry(LOG_START, head, [
      { type: 'put', key: bytes('key'), value: bytes('value') },
      { type: 'delete', key: bytes('key') },
    ]);
    for (let length = 0; length < entry.bytes.length; length++) {
      expect(() => parseEntry(entry.bytes.subarray(0, length))).toThrow(MalformedEntryError);
    }
    expect(() => parseEntry(Buffer.concat([entry.bytes, bytes('x')]))).toThrow(MalformedEntryError);
  });

  it('S8 has another chain if any byte of it, or anything before it, differs', () => {
    const put = (value: string): Draft => ({ type: 'put', key: bytes('k'), value: bytes(value) });
    const [one, other] = [put('1'), put('2')].map((first) => sealEntry(LOG_START, head, [first]));
    expect(one!.chain).not.toBe(other!.chain);
    const [after, afterOther] = [one!, other!].map((before) => {
      return sealEntry(before, head, [put('3')]);
    });
    expect(after!.chain).not.toBe(afterOther!.chain);
  });
});

describe('the log of a replica', () => {
  const settings = {
    tailBytes: 10_000,
    trimMax: 128,
    keepEntries: 2,
    keepBytes: 10_000,
    tailEntries: 0,
    trimEntries: 1,
    pinnedBytes: 480,
  };

  const ANY_BYTES = { keepBytes: 1_000_000, tailBytes: 1_000_000 };

  /** A body with entries 1 to `count`, durable, of which `committed` are. */
  function bodyWith(
    count: number,
    committed: number,
    change: Partial<typeof settings> = {},
  ): ReplicaBody {
    const id = { shard: 0 as ShardId, shardUuid: uuidOf('shard-0') };
    const body = new ReplicaBody(id, { ...settings, ...change }, undefined);
    body.create(1 as Epoch);
    for (let n = 0; n < count; n++) {
      const value = { type: 'put', key: bytes(`k${n}`), value: bytes('v') } as const;
      body.append(sealEntry(body.log.last, head, [value]));
    }
    body.commitTo(committed as Seq);
    body.takePersist();
    body.onPersisted();
    return body;
  }

  it('S10 is never cut below what is known to be committed', () => {
    const body = bodyWith(5, 3);
    expect(() => body.truncateAfter(2 as Seq)).toThrow('S10');
    body.truncateAfter(3 as Seq);
    expect(body.log.last.seq).toBe(3);
    expect(body.takePersist()).toMatchObject({ truncateAfter: 3, append: [] });
  });

  it('S4 what is cut while its batch is under way does not count as durable afterwards', () => {
    const body = bodyWith(1, 1);
    const put = (key: string): Draft => ({ type: 'put', key: bytes(key), value: bytes('v') });
    body.append(sealEntry(body.log.last, head, [put('a')]));
    body.takePersist();
    body.truncateAfter(1 as Seq);
    body.append(sealEntry(body.log.last, head, [put('b')]));
    body.onPersisted();
    expect(body.durableSeq).toBe(1);
    expect(body.takePersist()).toMatchObject({ truncateAfter: 1, append: [{ seq: 2 }] });
    body.onPersisted();
    expect(body.durableSeq).toBe(2);
  });

  it.each([
    ['data that came', (body: ReplicaBody) => body.installed({ ...LOG_START, seq: 9 as Seq })],
    ['nothing, as it was set aside', (body: ReplicaBody) => body.setAside('rotten')],
  ])('S4 S8 a batch under way counts no more when the log begins anew with %s', (_, renew) => {
    const body = bodyWith(3, 3);
    body.beginInstall();
    body.append(sealEntry(body.log.last, head, [{ type: 'delete', key: bytes('k') }]));
    body.takePersist();
    renew(body);
    const { seq } = body.log.last;
    body.onPersisted();
    expect([body.durableSeq, body.log.appliedSeq]).toEqual([0, seq]);
    expect(body.takePersist()).toMatchObject({ append: [], apply: [] });
    body.onPersisted();
    expect([body.durableSeq, body.log.appliedSeq]).toEqual([seq, seq]);
  });

  it('S2 a promise is durable with its batch, and never goes back', () => {
    const body = bodyWith(1, 1);
    body.promise(4 as Epoch);
    expect(body.durableEpoch).toBe(1);
    expect(body.takePersist()?.state?.promisedEpoch).toBe(4);
    body.onPersisted();
    expect(body.durableEpoch).toBe(4);
    expect(() => body.promise(3 as Epoch)).toThrow('S2');
  });

  it('keeps the entries that replicas which come back may need, and trims the others', () => {
    const body = bodyWith(6, 6);
    expect(body.log.length).toBe(6);
    body.applySoon();
    const put: Draft = { type: 'put', key: bytes('x'), value: bytes('v') };
    body.append(sealEntry(body.log.last, head, [put]));
    const persist = body.takePersist();
    expect(persist?.trim).toEqual([1, 2, 3, 4]);
    expect(persist?.state?.base.seq).toBe(4);
    expect(body.log.length).toBe(3);
  });

  /** With each batch one more entry of so many bytes, committed with the next; what is trimmed. */
  function growing(body: ReplicaBody, valueBytes = 1): () => number {
    return () => {
      const put: Draft = { type: 'put', key: bytes('x'), value: Buffer.alloc(valueBytes) };
      body.append(sealEntry(body.log.last, head, [put]));
      body.commitTo(body.log.last.seq);
      const persist = body.takePersist();
      body.onPersisted();
      return persist?.trim.length ?? 0;
    };
  }

  /** Ticks until there is nothing to do; what is trimmed with each batch. */
  function ticking(body: ReplicaBody): number[] {
    const trimmed: number[] = [];
    for (;;) {
      body.applySoon();
      body.trimSoon();
      const persist = body.takePersist();
      if (persist === undefined) return trimmed;
      body.onPersisted();
      trimmed.push(persist.trim.length);
    }
  }

  it('keeps no more than its tail while nobody is behind, and gives up the rest bit by bit', () => {
    const body = bodyWith(300, 300, ANY_BYTES);
    body.setBehind(false);
    const next = growing(body);
    // Those of a batch are applied with the next one.
    expect([next(), next(), next(), next()]).toEqual([128, 128, 46, 1]);
    expect(body.log.length).toBe(1);
    body.setBehind(true);
    expect([next(), next(), next()]).toEqual([0, 0, 1]);
    expect(body.log.length).toBe(3);
  });

  it('L5 gives it up also when nothing is written any more', () => {
    const body = bodyWith(300, 300, ANY_BYTES);
    body.setBehind(false);
    expect(ticking(body)).toEqual([128, 128, 44]);
    expect(body.log.length).toBe(0);
  });

  it('keeps as a follower what its primary keeps', () => {
    const body = bodyWith(2, 2);
    expect(ticking(body)).toEqual([]);
    body.mayForget(1 as Seq);
    expect(ticking(body)).toEqual([1]);
    expect(body.log.base.seq).toBe(1);
    body.mayForget(9 as Seq);
    expect(growing(body)()).toBe(1);
    expect(ticking(body)).toEqual([1]);
    expect(body.log.base.seq).toBe(3);
  });

  it('L5 keeps to its bytes, however many small entries lie before the large ones', () => {
    const body = bodyWith(0, 0, { keepEntries: 5_000, keepBytes: 1_000_000 });
    const small = growing(body, 10);
    for (let n = 0; n < 4_000; n++) small();
    expect(body.log.length).toBe(4_000);
    const large = growing(body, 400_000);
    const sizes = Array.from({ length: 10 }, () => {
      large();
      return body.log.byteCount;
    });
    expect(Math.max(...sizes)).toBeLessThan(1_250_000 + 2 * 400_100);
  });

  it('keeps fewer of large entries, and never trims what is not applied', () => {
    const body = bodyWith(0, 0);
    const grow = (valueBytes: number) => {
      const put: Draft = { type: 'put', key: bytes('x'), value: Buffer.alloc(valueBytes) };
      body.append(sealEntry(body.log.last, head, [put]));
      body.commitTo(body.log.last.seq);
      const trim = body.takePersist()?.trim;
      body.onPersisted();
      return trim;
    };
    expect([grow(6_000), grow(6_000), grow(6_000)]).toEqual([[], [], [1, 2]]);
    expect([grow(5_000), grow(20_000), grow(1)]).toEqual([[], [3, 4], [5]]);
  });

  it('keeps what somebody who catches up still needs, as far as its bytes allow', () => {
    const body = bodyWith(4, 4);
    const next = () => {
      const put: Draft = { type: 'put', key: bytes('kx'), value: bytes('v') };
      body.append(sealEntry(body.log.last, head, [put]));
      body.commitTo(body.log.last.seq);
      const persist = body.takePersist();
      body.onPersisted();
      return persist?.trim;
    };
    const each = body.log.byteCount / 4;
    body.pin(1 as Seq);
    expect(next()).toEqual([1]);
    expect(next()).toEqual([]);
    expect(body.log.byteCount).toBe(5 * each);
    body.pin(3 as Seq);
    expect(next()).toEqual([2, 3]);
    // Four are above it; seven fit.
    expect(8 * each).toBeGreaterThan(settings.pinnedBytes);
    expect([next(), next(), next()]).toEqual([[], [], []]);
    expect(next()).toEqual([4, 5, 6, 7, 8]);
    body.pin(undefined);
    expect(next()).toEqual([9]);
  });

  it('keeps nothing for somebody who needs what is gone already', () => {
    const body = bodyWith(8, 8);
    body.pin(1 as Seq);
    const next = growing(body);
    next();
    expect(next()).toBeGreaterThan(0);
    expect(body.log.base.seq).toBeGreaterThan(1);
    expect([next(), next()]).toEqual([1, 1]);
    expect(body.log.length).toBe(3);
  });

  it('S10 counts the bytes of what it holds, also when it is cut', () => {
    const body = bodyWith(5, 1);
    const each = body.log.byteCount / 5;
    body.truncateAfter(3 as Seq);
    expect(body.log.byteCount).toBe(3 * each);
  });
});
