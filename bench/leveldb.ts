/**
 * The machine's limit in the same run: what one process alone gets out of LevelDB with the settings
 * of a storage node. What a cluster does comes on top of that, on the same cores; but a node keeps
 * records that were read in its own memory (`read-cache.ts`) and need not ask for those again.
 *
 * To be measured before and after the load: a virtual machine is not always as fast.
 */
import { join } from 'node:path';
import { LevelDisk } from '../src/leveldb/level-disk.js';
import { temporaryFolder } from './folder.js';
import { valueOf } from './ledger.js';

export interface LevelDbRates {
  /** Writes per second in batches of 64, each with an fsync. */
  readonly putsPerSecond: number;
  /** Synchronous reads of random keys per second. */
  readonly getsPerSecond: number;
}

const BATCH = 64;
/** Reads between two looks at the clock. */
const READS = 256;

export async function measureLevelDb(
  keys: number,
  valueBytes: number,
  seconds: number,
): Promise<LevelDbRates> {
  const disk = await LevelDisk.open(join(await temporaryFolder(), 'data'));
  try {
    for (let key = 0; key < keys; key += BATCH) {
      const some = Array.from({ length: Math.min(BATCH, keys - key) }, (_, n) => key + n);
      await putBatch(disk, some, valueBytes);
    }
    // First, with each key written once, as in the store. Behind the puts below reads are twice as
    // fast if these just filled a buffer that became a table, which is a matter of chance.
    const getsPerSecond = await rate(seconds, () => {
      for (let n = 0; n < READS; n++) disk.get(keyOf(Math.floor(Math.random() * keys)));
      return Promise.resolve(READS);
    });
    const putsPerSecond = await rate(seconds, async () => {
      const some = Array.from({ length: BATCH }, () => Math.floor(Math.random() * keys));
      await putBatch(disk, some, valueBytes);
      return BATCH;
    });
    return { putsPerSecond, getsPerSecond };
  } finally {
    await disk.close();
  }
}

export function meanOf(before: LevelDbRates, after: LevelDbRates): LevelDbRates {
  return {
    putsPerSecond: Math.round((before.putsPerSecond + after.putsPerSecond) / 2),
    getsPerSecond: Math.round((before.getsPerSecond + after.getsPerSecond) / 2),
  };
}

async function putBatch(
  disk: LevelDisk,
  keys: readonly number[],
  valueBytes: number,
): Promise<void> {
  const batch = disk.batch();
  for (const [n, key] of keys.entries()) batch.put(keyOf(key), valueOf(key, n, valueBytes));
  await batch.writeDurably();
}

/** Operations per second; the first fifth of the time warms up and does not count. */
async function rate(seconds: number, some: () => Promise<number>): Promise<number> {
  const warmUntil = performance.now() + seconds * 200;
  while (performance.now() < warmUntil) await some();
  const start = performance.now();
  let count = 0;
  while (performance.now() < start + seconds * 1000) count += await some();
  return Math.round((count * 1000) / (performance.now() - start));
}

function keyOf(key: number): Buffer {
  return Buffer.from(`bench-${String(key).padStart(10, '0')}`);
}
