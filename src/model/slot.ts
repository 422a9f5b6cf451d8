/**
 * From a key to its slot and from a slot to its shard.
 *
 * The slot rule is Redis Cluster's (Redis Cluster Specification, "Key distribution model"):
 * CRC16/XMODEM of the key modulo 16,384; if the key holds a `{tag}` of at least one byte, only the
 * bytes between the first `{` and the first `}` after it count. Keys with one tag share a shard.
 */
import { assert } from './assert.js';
import type { ShardId, Slot } from './ids.js';

export const SLOT_COUNT = 16_384;

const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/** CRC16/XMODEM: polynomial 0x1021, initial value 0, not reflected. */
const CRC16_TABLE = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit++) crc = (crc & 0x8000) !== 0 ? (crc << 1) ^ 0x1021 : crc << 1;
  return crc & 0xffff;
});

function crc16(bytes: Uint8Array, start: number, end: number): number {
  let crc = 0;
  for (let at = start; at < end; at++) {
    const index = (crc >>> 8) ^ (bytes[at] ?? 0);
    crc = ((crc << 8) ^ (CRC16_TABLE[index] ?? 0)) & 0xffff;
  }
  return crc;
}

/** The slot of a key. Worked example: `123456789` has CRC16 0x31c3, hence slot 12,739. */
export function slotOf(key: Uint8Array): Slot {
  const open = positionOf(OPEN_BRACE, key, 0);
  if (open < key.length) {
    const close = positionOf(CLOSE_BRACE, key, open + 1);
    if (close > open + 1 && close < key.length) {
      return (crc16(key, open + 1, close) % SLOT_COUNT) as Slot;
    }
  }
  return (crc16(key, 0, key.length) % SLOT_COUNT) as Slot;
}

/** The length of the key if it is not there. By hand: keys are short, and this is done for each. */
function positionOf(byte: number, key: Uint8Array, start: number): number {
  let at = start;
  while (at < key.length && key[at] !== byte) at++;
  return at;
}

/** First and last slot of a shard, both included. */
export type SlotRange = readonly [first: number, last: number];

/**
 * The slots of each shard: contiguous, in order, as equal as whole numbers allow.
 * 64 shards: shard 0 has slots 0 to 255.
 */
export function slotRangeOf(shard: ShardId, shardCount: number): SlotRange {
  assert(shard < shardCount && shardCount <= SLOT_COUNT, 'slot range', () => ({
    shard,
    shardCount,
  }));
  const first = Math.floor((shard * SLOT_COUNT) / shardCount);
  const last = Math.floor(((shard + 1) * SLOT_COUNT) / shardCount) - 1;
  return [first, last];
}

/** The shard that holds a slot: the inverse of {@link slotRangeOf}. */
export function shardOfSlot(slot: Slot, shardCount: number): ShardId {
  return Math.floor(((slot + 1) * shardCount - 1) / SLOT_COUNT) as ShardId;
}
