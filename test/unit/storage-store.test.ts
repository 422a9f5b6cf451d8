/** Opening a data directory: whose it is, and how it was left. */
import { describe, expect, it } from 'vitest';
import type { LeaderEpoch, MemberId, Uuid } from '../../src/model/ids.js';
import { ANCESTRY_MAX } from '../../src/model/registrations.js';
import { UnusableDirectoryError } from '../../src/ports/disk.js';
import { Store } from '../../src/storage/store.js';
import { uuidOf } from '../support/configs.js';
import { MemoryDisk } from '../support/memory-disk.js';
import { CountingRandom, OWNER } from '../support/storage-harness.js';

const open = (disk: MemoryDisk, change: Partial<typeof OWNER> = {}) =>
  Store.open(disk, { ...OWNER, ...change }, new CountingRandom());

describe('opening', () => {
  it('a new directory gets an identity of its own, and keeps it', async () => {
    const disk = new MemoryDisk();
    const { identity, lastStop } = await open(disk);
    expect(lastStop).toBe('new');
    expect((await open(disk.afterCrash())).identity).toEqual(identity);
  });

  it('S20 tells a clean stop from a crash of the process and one of the system', async () => {
    const disk = new MemoryDisk();
    const first = await open(disk);
    expect((await open(disk)).lastStop).toBe('process-crash');
    expect((await open(disk, { bootId: 'other' })).lastStop).toBe('system-crash');
    const batch = disk.batch();
    first.writeCleanMarker(batch);
    await batch.writeDurably();
    expect((await open(disk, { bootId: 'other' })).lastStop).toBe('clean');
    expect((await open(disk, { bootId: 'other' })).lastStop).toBe('process-crash');
  });

  it('counts how often it was opened', async () => {
    const disk = new MemoryDisk();
    for (const generation of [1, 2, 3]) expect((await open(disk)).generation).toBe(generation);
  });

  const lifeOf = (n: number) => uuidOf(`life-${n}`);
  async function live(disk: MemoryDisk, process: Uuid, isCounted: boolean): Promise<void> {
    const store = await open(disk);
    const batch = disk.batch();
    store.writeLife(batch, process);
    if (isCounted) store.writeCounted(batch);
    await batch.writeDurably();
  }

  it('S19 knows which processes had it before, the latest of them, and only those', async () => {
    const disk = new MemoryDisk();
    const lives = Array.from({ length: ANCESTRY_MAX + 2 }, (_, n) => lifeOf(n));
    for (const [count, life] of lives.entries()) {
      const before = await open(disk); // Nobody has heard of this one.
      expect(before.ancestry).toEqual(lives.slice(0, count).slice(-ANCESTRY_MAX));
      await live(disk, life, true);
    }
  });

  it('L1 keeps one that a configuration counts on, however many follow that none does', async () => {
    const disk = new MemoryDisk();
    await live(disk, lifeOf(0), false);
    await live(disk, lifeOf(1), true);
    for (let n = 2; n < 3 * ANCESTRY_MAX; n++) await live(disk, lifeOf(n), false);
    const { ancestry } = await open(disk);
    expect(ancestry).toHaveLength(ANCESTRY_MAX);
    expect(ancestry[0]).toBe(lifeOf(1));
    expect(ancestry.at(-1)).toBe(lifeOf(3 * ANCESTRY_MAX - 1));
  });

  it('L1 keeps the latest, too, which may be counted on and have died before they heard so', async () => {
    const disk = new MemoryDisk();
    for (let n = 0; n < ANCESTRY_MAX; n++) await live(disk, lifeOf(n), true);
    const latest = Array.from({ length: 16 }, (_, n) => lifeOf(100 + n));
    for (const life of latest) await live(disk, life, false);
    expect((await open(disk)).ancestry.slice(-16)).toEqual(latest);
  });

  it('a directory of another cluster, another node or another program is refused', async () => {
    const disk = new MemoryDisk();
    await open(disk);
    await expect(open(disk, { cluster: 'other' })).rejects.toThrow(
      'belongs to cluster "default", this node is of cluster "other"',
    );
    await expect(open(disk, { node: 's2' as MemberId })).rejects.toThrow('belongs to node "s1"');
    const foreign = new MemoryDisk();
    foreign.medium.plant('something', Buffer.from('else'));
    await expect(open(foreign)).rejects.toThrow('not a Portolan store');
    expect(Array.from(foreign.medium.contents(), ([key]) => key)).toEqual(['something']);
  });

  it('a record of the directory that is garbled or of a newer format is refused', async () => {
    for (const garbage of ['{', '[]', 'null', '{"format":2}', '{"format":3}', '{"format":4}']) {
      for (const name of ['identity', 'marker', 'leader-epoch', 'lives']) {
        const disk = new MemoryDisk();
        await open(disk);
        disk.medium.plant(`\0\0\0\0${name}`, Buffer.from(garbage));
        await expect(open(disk)).rejects.toBeInstanceOf(UnusableDirectoryError);
      }
    }
  });

  it('S17 the highest leaderEpoch is there again', async () => {
    const disk = new MemoryDisk();
    const store = await open(disk);
    const batch = disk.batch();
    store.writeLeaderEpoch(batch, 9 as LeaderEpoch);
    await batch.writeDurably();
    expect((await open(disk)).leaderEpoch).toBe(9);
  });
});
