/** What a data directory has on record of the process that has it. */
import { describe, expect, it } from 'vitest';
import type { ShardConfig } from '../../src/model/shard-config.js';
import { decodeLives } from '../../src/storage/node-records.js';
import { NODE_KEYS } from '../../src/storage/keys.js';
import { nodeOf } from '../support/configs.js';
import { type MemoryDisk } from '../support/memory-disk.js';
import { NodeUnderTest } from '../support/storage-harness.js';

const livesOn = (disk: MemoryDisk) => decodeLives(disk.get(NODE_KEYS.lives)!);

describe('a life', () => {
  it('L1 is counted on once a configuration names it, not if one names an earlier one', async () => {
    const test = await NodeUnderTest.start();
    const leader = test.lead(1);
    const { process } = test.self;
    await test.tell(leader, test.configs({ state: 'creating' }, nodeOf('s1', 7)));
    expect(livesOn(test.disk)).toEqual([{ process, isCounted: false }]);
    await test.tell(leader, test.configs(), 1);
    expect(livesOn(test.disk)).toEqual([{ process, isCounted: true }]);
    const { writes } = test.disk;
    const again: Partial<ShardConfig> = { nonce: 'again' };
    await test.tell(leader, test.configs(again), 2);
    expect(test.disk.writes, 'and that is written once').toBe(writes);
  });
});
