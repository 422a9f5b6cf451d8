/** Frames between storage nodes: the bytes of every record, and what becomes of wrong ones. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { REPLICATION } from '../../src/grpc/definitions.js';
import type { Epoch, MemberId, Seq, ShardId } from '../../src/model/ids.js';
import { LIMITS } from '../../src/model/limits.js';
import { encodeDataRecord } from '../../src/replication/data-record.js';
import {
  type Chain,
  type Draft,
  LOG_START,
  type Position,
  sealEntry,
} from '../../src/replication/entry.js';
import type { ReplicaMessage } from '../../src/replication/messages.js';
import {
  DATA_PAIRS_MAX,
  dataPairBytes,
  decodeFrame,
  encodeFrame,
  ENTRY_BYTES_MAX,
  FRAME_BYTES_MAX,
  recordBytes,
  type ReplicationRecord,
} from '../../src/storage/replication-frame.js';
import { TAIL_POSITIONS_MAX } from '../../src/storage/replica-message-codec.js';
import { WireError } from '../../src/wire/protobuf.js';

const bytes = (minLength: number, maxLength: number) =>
  fc.uint8Array({ minLength, maxLength }).map((array) => Buffer.from(array));
const hex = fc
  .uint8Array({ minLength: 16, maxLength: 16 })
  .map((array) => Buffer.from(array).toString('hex')) as fc.Arbitrary<never>;
const seqs = fc.maxSafeNat() as fc.Arbitrary<Seq>;
const epochs = fc.integer({ min: 0, max: 2 ** 48 - 1 }) as fc.Arbitrary<Epoch>;
const counts = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const position: fc.Arbitrary<Position> = fc.record({ seq: seqs, epoch: epochs, chain: hex });
const tail = fc
  .uniqueArray(position, { selector: ({ seq }) => seq, maxLength: 8 })
  .map((positions) => positions.sort((a, b) => a.seq - b.seq));
const drafts: fc.Arbitrary<Draft> = fc.oneof(
  fc.record({ type: fc.constant('put' as const), key: bytes(1, 20), value: bytes(0, 40) }),
  fc.record({ type: fc.constant('delete' as const), key: bytes(1, 20) }),
  fc.constant({ type: 'barrier' as const }),
);
const entry = fc
  .tuple(epochs, hex, fc.array(drafts, { minLength: 1, maxLength: 6 }), fc.nat(2 ** 40))
  .map(([epoch, chain, ops, seq]) => {
    return sealEntry({ seq: seq as Seq, epoch, chain }, { epoch, commitSeq: seq as Seq }, ops);
  });

const u32 = fc.nat(2 ** 32 - 1);

const message: fc.Arbitrary<ReplicaMessage> = fc.oneof(
  fc.record({ type: fc.constantFrom('detached', 'diverged'), epoch: epochs }),
  fc.record({ type: fc.constant('install' as const), epoch: epochs, number: u32 }),
  fc.record({ type: fc.constant('attach' as const), epoch: epochs, number: u32, after: position }),
  fc.record({
    type: fc.constant('attached' as const),
    epoch: epochs,
    number: u32,
    tail,
    follows: fc.boolean(),
  }),
  fc.record({ type: fc.constant('resume' as const), epoch: epochs, match: position }),
  fc.record({
    type: fc.constant('prepare' as const),
    epoch: epochs,
    entry,
    commitSeq: seqs,
    baseSeq: seqs,
  }),
  fc.record({ type: fc.constant('prepareAck' as const), epoch: epochs, position }),
  fc.record({
    type: fc.constant('commit' as const),
    epoch: epochs,
    commitSeq: seqs,
    baseSeq: seqs,
  }),
  fc.record({ type: fc.constant('installed' as const), epoch: epochs, base: position }),
  fc.record({ type: fc.constant('refused' as const), epoch: epochs, promised: epochs }),
);
const name = {
  shard: fc.integer({ min: 0, max: LIMITS.shardsMax - 1 }) as fc.Arbitrary<never>,
  shardUuid: hex,
};
const pair = fc.record({ key: bytes(1, 30), record: bytes(14, 60) });
const record: fc.Arbitrary<ReplicationRecord> = fc.oneof(
  { arbitrary: fc.record({ type: fc.constant('replica' as const), ...name, message }), weight: 6 },
  fc.record({
    type: fc.constant('hello' as const),
    node: fc.stringMatching(/^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$/) as fc.Arbitrary<never>,
    store: hex,
    process: hex,
    clusterUuid: hex,
  }),
  fc.record({ type: fc.constantFrom('beat', 'beatAck'), number: counts }),
  fc.record({ type: fc.constant('leaving' as const) }),
  fc.record({
    type: fc.constant('data' as const),
    ...name,
    number: u32,
    pairs: fc.array(pair, { maxLength: 5 }),
  }),
  fc.record({
    type: fc.constant('dataEnd' as const),
    ...name,
    number: u32,
    base: position,
    pairs: fc.nat(2 ** 48 - 1),
  }),
  fc.record({ type: fc.constant('dataAck' as const), ...name, number: u32, parts: counts }),
);
const batch = fc.array(record, { maxLength: 12 });

/** What `decodeFrame` makes of it; undefined if it refused. Any other error fails the test. */
function decodedOrRefused(frame: Buffer): ReplicationRecord[] | undefined {
  try {
    return decodeFrame(frame);
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}

const shard = { shard: 5 as ShardId, shardUuid: '5e'.repeat(16) as never };
const epoch = 3 as Epoch;
const baseSeq = 8 as Seq;
const base: Position = { seq: 9 as Seq, epoch, chain: 'c4'.repeat(16) as Chain };
const key = Buffer.from('k');
const firstEntry = sealEntry(LOG_START, { epoch: 1 as Epoch, commitSeq: 0 as Seq }, [
  { type: 'put', key, value: Buffer.from('hi') },
]);

/** What the header of `replication-frame.ts` shows the bytes of. */
const EXAMPLES: Record<string, ReplicationRecord> = {
  hello: {
    type: 'hello',
    node: 's1' as MemberId,
    store: 'd1'.repeat(16) as never,
    process: 'b2'.repeat(16) as never,
    clusterUuid: 'c3'.repeat(16) as never,
  },
  beat: { type: 'beat', number: 42 },
  beatAck: { type: 'beatAck', number: 42 },
  leaving: { type: 'leaving' },
  attach: about({ type: 'attach', epoch, number: 2, after: base }),
  attached: about({ type: 'attached', epoch, number: 2, tail: [base], follows: true }),
  resume: about({ type: 'resume', epoch, match: base }),
  prepare: about({ type: 'prepare', epoch, entry: firstEntry, commitSeq: base.seq, baseSeq }),
  prepareAck: about({ type: 'prepareAck', epoch, position: base }),
  commit: about({ type: 'commit', epoch, commitSeq: base.seq, baseSeq }),
  install: about({ type: 'install', epoch, number: 2 }),
  installed: about({ type: 'installed', epoch, base }),
  refused: about({ type: 'refused', epoch, promised: 4 as Epoch }),
  detached: about({ type: 'detached', epoch }),
  diverged: about({ type: 'diverged', epoch }),
  data: {
    type: 'data',
    ...shard,
    number: 2,
    pairs: [{ key, record: encodeDataRecord(key, Buffer.from('hi'), 7 as Seq) }],
  },
  dataEnd: { type: 'dataEnd', ...shard, number: 2, base, pairs: 1 },
  dataAck: { type: 'dataAck', ...shard, number: 2, parts: 1 },
};

function about(about: ReplicaMessage): ReplicationRecord {
  return { type: 'replica', ...shard, message: about };
}

/** A frame of these bytes as its records. */
function framed(...records: Buffer[]): Buffer {
  return REPLICATION.Replicate.requestSerialize({ records: Buffer.concat(records) });
}

/** A record of this kind with this body, its length right. */
function rawRecord(kind: number, body: string): Buffer {
  const content = Buffer.from(body.replaceAll(' ', ''), 'hex');
  const head = Buffer.alloc(5);
  head.writeUInt32BE(content.length + 1);
  head[4] = kind;
  return Buffer.concat([head, content]);
}

describe('the worked examples of replication-frame.ts', () => {
  const source = readFileSync('src/storage/replication-frame.ts', 'utf8');
  const lines = [...source.matchAll(/^ \* {3}(\w+) +(0000[0-9a-f]{4} [0-9a-f*SPE ]+)$/gm)];
  const bytesOf = (text: string) => {
    const expanded = text
      .replaceAll('S', '0005 5e*16')
      .replaceAll('P', '0000000000000009 000000000003 c4*16')
      .replaceAll('E', firstEntry.bytes.toString('hex'))
      .replaceAll(/(\w\w)\*16/g, (_all, byte: string) => byte.repeat(16));
    return Buffer.from(expanded.replaceAll(' ', ''), 'hex');
  };

  it('there is one for each type of record', () => {
    expect(lines.map(([, type]) => type)).toEqual(Object.keys(EXAMPLES));
  });

  it.each(lines.map(([, type, text]) => [type!, text!]))('%s', (type, text) => {
    const example = EXAMPLES[type]!;
    const expected = bytesOf(text);
    const frame = encodeFrame([example]);
    expect(REPLICATION.Replicate.requestDeserialize(frame).records).toEqual(expected);
    expect(decodeFrame(frame)).toEqual([example]);
    expect(recordBytes(example)).toBe(expected.length);
  });
});

describe('frames', () => {
  it('records come back as they were, in order, and are the protobuf message Frame', () => {
    fc.assert(
      fc.property(batch, (records) => {
        const frame = encodeFrame(records);
        expect(decodeFrame(frame)).toEqual(records);
        const plain = REPLICATION.Replicate.requestDeserialize(frame).records;
        expect(plain.length).toBe(records.reduce((sum, each) => sum + recordBytes(each), 0));
        expect(decodeFrame(framed(plain))).toEqual(records);
      }),
      { numRuns: 300 },
    );
  });

  it('a frame that is cut anywhere is refused', () => {
    fc.assert(
      fc.property(batch, (records) => {
        const frame = encodeFrame(records);
        // A message of no bytes is what protobuf makes of a frame without records.
        for (let end = 1; end < frame.length; end++) {
          expect(decodedOrRefused(frame.subarray(0, end))).toBeUndefined();
        }
      }),
      { numRuns: 30 },
    );
  });

  it('a record that is cut anywhere is refused, though its length is right', () => {
    fc.assert(
      fc.property(record, (whole) => {
        const plain = REPLICATION.Replicate.requestDeserialize(encodeFrame([whole])).records;
        for (let end = 5; end < plain.length; end++) {
          const cut = Buffer.from(plain.subarray(0, end));
          cut.writeUInt32BE(end - 4);
          expect(decodedOrRefused(framed(cut))).toBeUndefined();
        }
        const longer = Buffer.concat([plain, Buffer.alloc(1)]);
        longer.writeUInt32BE(longer.length - 4);
        expect(decodedOrRefused(framed(longer))).toBeUndefined();
      }),
      { numRuns: 100 },
    );
  });

  it('bytes that flipped are refused, or are other records that are just as valid', () => {
    const flips = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })), {
      minLength: 1,
      maxLength: 4,
    });
    fc.assert(
      fc.property(batch, flips, (records, changes) => {
        const frame = encodeFrame(records);
        for (const [at, bits] of changes) frame[at % frame.length]! ^= bits;
        const decoded = decodedOrRefused(frame);
        if (decoded !== undefined) expect(decodeFrame(encodeFrame(decoded))).toEqual(decoded);
      }),
      { numRuns: 3_000 },
    );
  });

  it('garbage is refused, or means no record at all', () => {
    fc.assert(
      fc.property(bytes(0, 80), (junk) => {
        expect(decodedOrRefused(junk) ?? []).toEqual([]);
        decodedOrRefused(framed(junk));
      }),
      { numRuns: 3_000 },
    );
  });
});

describe('what is not a valid record', () => {
  const S = '0005 5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e';
  const E = '000000000003';
  const N = '00000002';
  const chain = 'c4'.repeat(16);
  const position = (seq: string) => `${seq} ${E} ${chain}`;
  const uuids = `${'d1'.repeat(16)}${'b2'.repeat(16)}${'c3'.repeat(16)}`;
  const entry = firstEntry.bytes.toString('hex');

  it.each([
    ['of unknown kind', 0x05, ''],
    ['a hello without a name', 0x01, `00 ${uuids}`],
    ['a hello of a name with a capital', 0x01, `02 5331 ${uuids}`],
    ['a hello of a name that is no ASCII', 0x01, `02 73b1 ${uuids}`],
    ['a shard beyond the limit', 0x10, `1000 ${'5e'.repeat(16)} ${E}`],
    ['a position beyond 2^53', 0x12, `${S} ${E} ${position('0020000000000000')}`],
    ['a commitSeq beyond 2^53', 0x15, `${S} ${E} ffffffffffffffff`],
    [
      'a tail that counts more than there is',
      0x11,
      `${S} ${E} 00000001 00 0002 ${position('0000000000000009')}`,
    ],
    [
      'a tail that counts less than there is',
      0x11,
      `${S} ${E} 00000001 00 0000 ${position('0000000000000009')}`,
    ],
    [
      'a tail of one position twice',
      0x11,
      `${S} ${E} 00000001 00 0002 ${position('0000000000000009').repeat(2)}`,
    ],
    ['a tail beyond the limit', 0x11, `${S} ${E} 00000001 00 4001 ${'00'.repeat(30 * 0x4001)}`],
    ['a flag that is neither', 0x11, `${S} ${E} 00000001 02 0001 ${position('0000000000000009')}`],
    ['a prepare without an entry', 0x13, `${S} ${E} 0000000000000000`],
    ['a prepare with an entry cut off', 0x13, `${S} ${E} 0000000000000000 ${entry.slice(0, -2)}`],
    [
      'a prepare with an entry of another format',
      0x13,
      `${S} ${E} ${'00'.repeat(8)} 02${entry.slice(2)}`,
    ],
    ['a pair with an empty key', 0x20, `${S} ${N} 0001 0000 0000000e ${'00'.repeat(14)}`],
    [
      'a pair with a key beyond the limit',
      0x20,
      `${S} ${N} 0001 0401 0000000e ${'00'.repeat(1025 + 14)}`,
    ],
    [
      'a pair with less than a data-record',
      0x20,
      `${S} ${N} 0001 0001 0000000d ${'00'.repeat(14)}`,
    ],
    [
      'a pair that is longer than the frame',
      0x20,
      `${S} ${N} 0001 0001 0010000e ${'00'.repeat(15)}`,
    ],
    ['a pair with 4 GiB', 0x20, `${S} ${N} 0001 0001 ffffffff ${'00'.repeat(15)}`],
    [
      'more pairs than the limit',
      0x20,
      `${S} ${N} 1001 ${`0001 0000000e ${'00'.repeat(15)}`.repeat(0x1001)}`,
    ],
  ])('%s', (_what, kind, body) => {
    expect(() => decodeFrame(framed(rawRecord(kind, body)))).toThrow(WireError);
  });

  it('a frame beyond the limit', () => {
    const beats = Math.ceil(FRAME_BYTES_MAX / 9);
    const records = Buffer.concat(Array<Buffer>(beats).fill(rawRecord(0x02, '00000000')));
    expect(() => decodeFrame(framed(records))).toThrow(WireError);
    expect(decodeFrame(framed(records.subarray(0, 9 * (beats - 2))))).toHaveLength(beats - 2);
  });

  it('one bad record spoils its frame', () => {
    const good = rawRecord(0x02, '00000001');
    expect(() => decodeFrame(framed(good, rawRecord(0x7f, '')))).toThrow(WireError);
  });
});

describe('what may not be encoded', () => {
  const entryOf = (valueBytes: number) => {
    return sealEntry(LOG_START, { epoch, commitSeq: 0 as Seq }, [
      { type: 'put', key, value: Buffer.alloc(valueBytes) },
    ]);
  };
  const prepareOf = (valueBytes: number) => {
    return about({
      type: 'prepare',
      epoch,
      entry: entryOf(valueBytes),
      commitSeq: 0 as Seq,
      baseSeq,
    });
  };

  it('an entry without its bytes', () => {
    const entry = { ...base, bytes: undefined };
    const prepare = about({ type: 'prepare', epoch, entry, commitSeq: 0 as Seq, baseSeq });
    expect(() => encodeFrame([prepare])).toThrow('an entry travels with its bytes');
  });

  it('an entry of more than ENTRY_BYTES_MAX; one of just that fits', () => {
    const around = entryOf(0).bytes.length;
    const largest = prepareOf(ENTRY_BYTES_MAX - around);
    const frame = encodeFrame([largest]);
    expect(encodeFrame(decodeFrame(frame)).equals(frame)).toBe(true);
    expect(() => encodeFrame([prepareOf(FRAME_BYTES_MAX - around)])).toThrow('a frame is bounded');
  });

  it('a tail or a part beyond its limit; one of just that fits', () => {
    const tailOf = (length: number) => {
      const tail = Array.from({ length }, (_each, seq) => ({ ...base, seq: seq as Seq }));
      return about({ type: 'attached', epoch, number: 1, tail, follows: false });
    };
    const pair = { key, record: Buffer.alloc(14) };
    const partOf = (length: number): ReplicationRecord => {
      return { type: 'data', ...shard, number: 1, pairs: Array<typeof pair>(length).fill(pair) };
    };
    for (const [recordOf, max] of [
      [tailOf, TAIL_POSITIONS_MAX],
      [partOf, DATA_PAIRS_MAX],
    ] as const) {
      expect(decodeFrame(encodeFrame([recordOf(max)]))).toEqual([recordOf(max)]);
      expect(() => encodeFrame([recordOf(max + 1)])).toThrow('is bounded');
    }
  });

  it('a pair has the size it says', () => {
    const pair = { key, record: Buffer.alloc(20) };
    const part = (pairs: readonly (typeof pair)[]): ReplicationRecord => {
      return { type: 'data', ...shard, number: 1, pairs };
    };
    expect(recordBytes(part([pair])) - recordBytes(part([]))).toBe(dataPairBytes(pair));
  });
});
