/** The bytes of a data directory whose replicas keep a log. A change here is a change of format. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Epoch, EPOCH_MAX, type Seq, type ShardId } from '../../src/model/ids.js';
import { CorruptRecordError } from '../../src/replication/data-record.js';
import { type Chain, LOG_START, opsOf, sealEntry } from '../../src/replication/entry.js';
import { dataKey, markKey, prefixKeys, prefixOfMark } from '../../src/storage/keys.js';
import {
  decodeState,
  DIRECTORY_FORMAT,
  encodeState,
  logEndOf,
  logEndOfKey,
  logKey,
  logKeys,
} from '../../src/storage/replica-layout.js';
import { uuidOf } from '../support/configs.js';

const ENTRY = sealEntry(LOG_START, { epoch: 1 as Epoch, commitSeq: 0 as Seq }, [
  { type: 'put', key: Buffer.from('k'), value: Buffer.from('hi') },
]);
const STATE = {
  shard: 5 as ShardId,
  shardUuid: uuidOf('x'),
  promisedEpoch: 2 as Epoch,
  hasServed: true,
  isInstalling: false,
  base: LOG_START,
  appliedSeq: 1 as Seq,
};

const seqs = fc.nat({ max: Number.MAX_SAFE_INTEGER }).map((seq) => seq as Seq);
const epochs = fc.nat({ max: EPOCH_MAX }).map((epoch) => epoch as Epoch);
const chains = fc
  .uint8Array({ minLength: 16, maxLength: 16 })
  .map((bytes) => Buffer.from(bytes).toString('hex') as Chain);
const states = fc
  .record({
    shard: fc.nat({ max: 4095 }),
    promisedEpoch: epochs,
    hasServed: fc.boolean(),
    isInstalling: fc.boolean(),
    base: fc.record({ seq: seqs, epoch: epochs, chain: chains }),
    appliedSeq: seqs,
  })
  .map((state) => ({ ...STATE, ...state }) as unknown as typeof STATE);

describe('the layout of a data directory with logs', () => {
  it('is the one of the worked example, byte for byte', () => {
    expect(DIRECTORY_FORMAT).toBe(2);
    expect(markKey('replica', 3).toString('hex')).toBe('00000000' + '7265706c696361' + '00000003');
    expect(encodeState(3, STATE).toString('hex')).toBe(
      '02' +
        'b2c4e786' +
        '01' +
        '0005' +
        '78000000000000000000000000000000' +
        '0000000000000002' +
        '0000000000000000' +
        '0000000000000000' +
        '00000000000000000000000000000000' +
        '0000000000000001',
    );
    expect(logKey(3, logEndOf(ENTRY)).toString('hex')).toBe(
      '00000003' + '4c' + '0000000000000001' + '3203cf74',
    );
    expect(ENTRY.bytes.toString('hex')).toMatch(/^010000000000010{15}1/);
    expect(ENTRY.chain.startsWith('3203cf74')).toBe(true);
    const [op] = opsOf(ENTRY);
    expect(dataKey(3, Buffer.from('k')).toString('hex')).toBe('00000003446b');
    expect(op?.type === 'put' && op.record.toString('hex')).toBe(
      '01ba9d5c0d00' + '0000000000000001' + '6869',
    );
  });

  it('gives back what was stored', () => {
    fc.assert(
      fc.property(states, fc.nat(), seqs, chains, (state, prefix, seq, chain) => {
        expect(decodeState(prefix, encodeState(prefix, state))).toEqual(state);
        const end = logEndOf({ seq, chain });
        expect(logEndOfKey(logKey(prefix, end))).toEqual(end);
      }),
    );
  });

  it('S20 a flipped bit, a cut, or the state of another replica is never given back', () => {
    fc.assert(
      fc.property(states, fc.nat(), (state, at) => {
        const record = encodeState(3, state);
        const flipped = Buffer.from(record);
        const bit = at % (record.length * 8);
        flipped[bit >> 3]! ^= 1 << (bit & 7);
        expect(() => decodeState(3, flipped)).toThrow(CorruptRecordError);
        expect(() => decodeState(4, record)).toThrow(CorruptRecordError);
        const cut = record.subarray(0, at % record.length);
        expect(() => decodeState(3, cut)).toThrow(CorruptRecordError);
      }),
    );
  });

  it('S20 nor a promise that this node could not answer in', () => {
    const beyond = (EPOCH_MAX + 1) as Epoch;
    for (const state of [
      { ...STATE, promisedEpoch: beyond },
      { ...STATE, base: { ...LOG_START, epoch: beyond } },
    ]) {
      expect(() => decodeState(3, encodeState(3, state))).toThrow(CorruptRecordError);
    }
  });

  it('what lies under a prefix lies in its range, and nothing else does', () => {
    const { from, to } = prefixKeys(7, 8);
    const isInside = (key: Buffer) => Buffer.compare(key, from) >= 0 && Buffer.compare(key, to) < 0;
    const end = logEndOf(ENTRY);
    expect([dataKey(7, Buffer.alloc(1024, 0xff)), logKey(7, end)].every(isInside)).toBe(true);
    const outside = [dataKey(6, Buffer.from('k')), logKey(8, end), markKey('garbage', 7)];
    expect(outside.some(isInside)).toBe(false);
    const log = logKeys(7);
    expect(Buffer.compare(dataKey(7, Buffer.alloc(9, 0xff)), log.from)).toBe(-1);
    expect(prefixOfMark('garbage', markKey('damaged', 7))).toBeUndefined();
  });
});
