/** How much of their logs the replicas of a node keep. */
import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../src/model/limits.js';
import { ShardMap } from '../../src/model/shard-map.js';
import { NODE_TUNING, nodeSettings } from '../../src/storage/replica-settings.js';

describe('what the logs of a node may keep', () => {
  it.each([1, 25, 26, LIMITS.shardsDefault, 1_024, LIMITS.shardsMax])(
    'L5 with %i shards is bounded',
    (shards) => {
      const map = new ShardMap();
      const settings = nodeSettings(map);
      map.shardCount = shards;
      const { keepEntries, keepBytes, trimEntries } = settings;
      expect(keepEntries).toBeLessThanOrEqual(10_000);
      expect(keepEntries + trimEntries).toBeGreaterThan(100);
      expect(keepEntries * shards).toBeLessThanOrEqual(256_000);
      expect(settings.tailEntries * LIMITS.shardsDefault).toBeLessThanOrEqual(10_000);
      expect(keepBytes * shards).toBeLessThanOrEqual(512 * 1024 * 1024);
      if (shards <= 25) expect(settings).toMatchObject(NODE_TUNING);
    },
  );

  it('is what its tuning says before it has joined, and never more', () => {
    const map = new ShardMap();
    const settings = nodeSettings(map, { ...NODE_TUNING, keepEntries: 5, keepBytes: 7 });
    expect(settings).toMatchObject({ keepEntries: 5, keepBytes: 7 });
    map.shardCount = 2;
    expect(settings).toMatchObject({ keepEntries: 5, keepBytes: 7 });
  });
});
