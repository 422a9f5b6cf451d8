/** What a primary reads: what is committed, and the data only if it is not known without. */
import { describe, expect, it } from 'vitest';
import type { Epoch, Seq } from '../../src/model/ids.js';
import { CorruptRecordError, type StoredRecord } from '../../src/replication/data-record.js';
import { LoneReplica, s2, s3, threeOf } from '../support/replica-parts.js';

describe('a read', () => {
  const key = Buffer.from('k');

  /** Reads as a node does: what it finds, and whether the data was asked. */
  function readOf(lone: LoneReplica, inData: StoredRecord | undefined) {
    let isAsked = false;
    const record = lone.replica.primary!.read(key, () => {
      isAsked = true;
      return inData;
    });
    return [record?.value.toString(), isAsked];
  }

  it('S12 asks the data once, and again after a write of that key is committed and there', () => {
    const lone = LoneReplica.leading();
    expect(readOf(lone, undefined)).toEqual([undefined, true]);
    expect(readOf(lone, undefined)).toEqual([undefined, false]);
    lone.put('k');
    lone.persisted();
    expect(readOf(lone, undefined)).toEqual([undefined, false]);
    lone.ackAll(s2.id, s3.id);
    expect(readOf(lone, undefined)).toEqual(['v', false]);
    lone.step({ type: 'tick' }); // Applies what is committed.
    lone.persisted();
    const stored = { value: Buffer.from('in the data'), seq: 2 as Seq };
    expect(readOf(lone, stored)).toEqual(['in the data', true]);
    expect(readOf(lone, undefined)).toEqual(['in the data', false]);
  });

  it('S12 keeps nothing that could not be read', () => {
    const lone = LoneReplica.leading();
    const { primary } = lone.replica;
    const unreadable = () => {
      throw new CorruptRecordError('rotten');
    };
    expect(() => primary!.read(key, unreadable)).toThrow('rotten');
    expect(() => primary!.read(key, unreadable)).toThrow('rotten');
  });

  it('S12 keeps nothing for the next epoch', () => {
    const lone = LoneReplica.leading();
    expect(readOf(lone, undefined)).toEqual([undefined, true]);
    lone.config(threeOf({ epoch: 2 as Epoch }), 2);
    lone.persisted();
    expect(lone.replica.primary?.epoch).toBe(2);
    expect(readOf(lone, undefined)).toEqual([undefined, true]);
    expect(lone.readMemory.caches).toBe(1);
    lone.config(threeOf({ epoch: 3 as Epoch, primary: s2.id }), 3);
    expect([lone.replica.primary, lone.readMemory.caches]).toEqual([undefined, 0]);
  });
});
