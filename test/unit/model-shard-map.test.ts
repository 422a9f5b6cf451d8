import { describe, expect, it } from 'vitest';
import type { Epoch, ShardId } from '../../src/model/ids.js';
import { ShardMap } from '../../src/model/shard-map.js';
import { configOf, nodeOf } from '../support/configs.js';

const [s1, s2] = [nodeOf('s1'), nodeOf('s2')];

describe('the shard map', () => {
  it('takes what is newer by version and ignores what is older or the same', () => {
    const map = new ShardMap();
    const config = configOf(0, s1);
    expect(map.apply({ config, version: 4 })).toBe(true);
    expect(map.apply({ config, version: 4 })).toBe(false);
    expect(map.apply({ config, version: 3 })).toBe(false);
    expect(map.apply({ config: configOf(0, s1, { state: 'creating' }), version: 5 })).toBe(true);
  });

  it('S1 a higher epoch wins over a higher version, and a lower one never returns', () => {
    const map = new ShardMap();
    map.apply({ config: configOf(0, s1, { epoch: 3 as Epoch }), version: 9 });
    expect(map.apply({ config: configOf(0, s2, { epoch: 2 as Epoch }), version: 10 })).toBe(false);
    expect(map.apply({ config: configOf(0, s2, { epoch: 4 as Epoch }), version: 0 })).toBe(true);
    expect(map.config(0 as ShardId)?.primary).toBe('s2');
  });

  it('knows the shard of a key only once it knows how many there are', () => {
    const map = new ShardMap();
    expect(map.shardOf(Buffer.from('foo'))).toBeUndefined();
    map.shardCount = 64;
    expect(map.shardOf(Buffer.from('foo'))).toBe(Math.floor(12182 / 256));
  });
});
