/** The bytes of a data directory. A change here is a change of format. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Epoch, Seq, ShardId } from '../../src/model/ids.js';
import { dataKey, markKey, prefixOfMark } from '../../src/storage/keys.js';
import { decodeState, encodeState } from '../../src/storage/layout.js';
import {
  CorruptRecordError,
  decodeDataRecord,
  encodeDataRecord,
} from '../../src/replication/data-record.js';
import { uuidOf } from '../support/configs.js';

const seqs = fc.nat({ max: Number.MAX_SAFE_INTEGER }).map((seq) => seq as Seq);
const keys = fc.uint8Array({ minLength: 1, maxLength: 64 }).map((bytes) => Buffer.from(bytes));
const values = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes));

describe('the layout of a data directory', () => {
  it('is the one of the worked example, byte for byte', () => {
    const key = Buffer.from('k');
    expect(dataKey(3, key).toString('hex')).toBe('00000003446b');
    expect(encodeDataRecord(key, Buffer.from('hi'), 7 as Seq).toString('hex')).toBe(
      '01be1020bf0000000000000000076869',
    );
    expect(markKey('replica', 3).toString('hex')).toBe('00000000' + '7265706c696361' + '00000003');
    const state = {
      shard: 5 as ShardId,
      shardUuid: uuidOf('x'),
      promisedEpoch: 2 as Epoch,
      lastSeq: 7 as Seq,
    };
    expect(encodeState(3, state).toString('hex')).toMatch(
      /^01[0-9a-f]{8}000578000000000000000000000000000000(0{15}2)(0{15}7)$/,
    );
  });

  it('gives back what was stored', () => {
    fc.assert(
      fc.property(keys, values, seqs, (key, value, seq) => {
        expect(decodeDataRecord(key, encodeDataRecord(key, value, seq))).toEqual({ value, seq });
        const state = {
          shard: (seq % 4096) as ShardId,
          shardUuid: uuidOf(`u${seq}`),
          promisedEpoch: (seq + 1) as Epoch,
          lastSeq: seq,
        };
        expect(decodeState(9, encodeState(9, state))).toEqual(state);
      }),
    );
    expect(prefixOfMark('replica', markKey('replica', 77))).toBe(77);
    expect(prefixOfMark('replica', dataKey(7, Buffer.from('replica')))).toBeUndefined();
  });

  it('S20 a flipped bit, a cut, or the record of another key is never given back', () => {
    fc.assert(
      fc.property(keys, values, seqs, fc.nat(), (key, value, seq, at) => {
        const record = encodeDataRecord(key, value, seq);
        const flipped = Buffer.from(record);
        const bit = at % (record.length * 8);
        flipped[bit >> 3] = flipped[bit >> 3]! ^ (1 << (bit & 7));
        expect(() => decodeDataRecord(key, flipped)).toThrow(CorruptRecordError);
        const other = Buffer.concat([key, Buffer.from('x')]);
        expect(() => decodeDataRecord(other, record)).toThrow(CorruptRecordError);
        const cut = record.subarray(0, at % record.length);
        expect(() => decodeDataRecord(key, cut)).toThrow(CorruptRecordError);
      }),
    );
  });
});
