import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ShardId } from '../../src/model/ids.js';
import { shardOfSlot, SLOT_COUNT, slotOf, slotRangeOf } from '../../src/model/slot.js';

const slot = (key: string) => slotOf(Buffer.from(key));

/** CRC16/XMODEM bit by bit: deliberately dumb. */
function crc16(bytes: Uint8Array): number {
  let crc = 0;
  for (const byte of bytes) {
    for (let bit = 7; bit >= 0; bit--) {
      const top = (crc >> 15) & 1;
      crc = ((crc << 1) | ((byte >> bit) & 1)) & 0xffff;
      if (top === 1) crc ^= 0x1021;
    }
  }
  for (let bit = 0; bit < 16; bit++) crc = crc & 0x8000 ? ((crc << 1) ^ 0x1021) & 0xffff : crc << 1;
  return crc & 0xffff;
}

describe('the slot rule', () => {
  it.each([
    ['123456789', 0x31c3],
    ['foo', 12_182],
    ['bar', 5_061],
    ['hello', 866],
    ['somekey', 11_058],
    ['foo{hash_tag}', 2_515],
    ['bar{hash_tag}', 2_515],
  ])('%s is in slot %i, as CLUSTER KEYSLOT says', (key, expected) => {
    expect(slot(key)).toBe(expected % SLOT_COUNT);
  });

  it('only the first tag of at least one byte counts', () => {
    expect(slot('{user1000}.following')).toBe(slot('{user1000}.followers'));
    expect(slot('{user1000}.following')).toBe(slot('user1000'));
    expect(slot('foo{}{bar}')).toBe(crc16(Buffer.from('foo{}{bar}')) % SLOT_COUNT);
    expect(slot('foo{{bar}}zap')).toBe(slot('{bar'));
    expect(slot('foo{bar}{zap}')).toBe(slot('bar'));
    expect(slot('foo}{bar')).toBe(crc16(Buffer.from('foo}{bar')) % SLOT_COUNT);
  });

  it('any bytes without braces give their CRC16 modulo the slots', () => {
    const noBraces = fc
      .uint8Array({ minLength: 1, maxLength: 200 })
      .filter((bytes) => !bytes.includes(0x7b));
    fc.assert(fc.property(noBraces, (bytes) => slotOf(bytes) === crc16(bytes) % SLOT_COUNT));
  });
});

describe('shards of slots', () => {
  it('64 shards of 256 slots each', () => {
    expect(slotRangeOf(0 as ShardId, 64)).toEqual([0, 255]);
    expect(slotRangeOf(63 as ShardId, 64)).toEqual([16_128, 16_383]);
  });

  it('every slot is in exactly the shard that says so, for any number of shards', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4_096 }), (count) => {
        let next = 0;
        for (let shard = 0; shard < count; shard++) {
          const [first, last] = slotRangeOf(shard as ShardId, count);
          expect(first).toBe(next);
          expect(shardOfSlot(first as never, count)).toBe(shard);
          expect(shardOfSlot(last as never, count)).toBe(shard);
          next = last + 1;
        }
        expect(next).toBe(SLOT_COUNT);
      }),
      { numRuns: 30 },
    );
  });
});
