/** Which storage nodes a leader takes for gone, and when. */
import { describe, expect, it } from 'vitest';
import { ShardMap } from '../../src/model/shard-map.js';
import { GoneNodes } from '../../src/router/gone-nodes.js';
import { nodeOf } from '../support/configs.js';
import { sharedBy } from '../support/control-harness.js';
import { FakeClock } from '../support/fake-clock.js';
import { silentLog } from '../support/silent-log.js';

const [s1, s2, s3] = [nodeOf('s1'), nodeOf('s2'), nodeOf('s3')];

function watch(afterMs: number) {
  const clock = new FakeClock();
  const map = new ShardMap();
  map.shardCount = 1;
  map.apply({ config: sharedBy(0, [s1, s2]), version: 0 });
  map.setNodes([s1, s2, s3]);
  const gone: string[] = [];
  const nodes = new GoneNodes(
    { clock, map, log: silentLog, gone: (node) => gone.push(node) },
    afterMs,
  );
  nodes.start();
  /** Who is said to be gone by then. */
  const after = (ms: number) => {
    gone.length = 0;
    clock.advance(ms);
    return [...new Set(gone)];
  };
  return { map, nodes, after };
}

describe('a node that shards count on', () => {
  it('is gone when it was away for so long, and only that one', () => {
    const { map, after } = watch(10_000);
    expect(after(60_000)).toEqual([]);
    map.setNodes([s1]); // s3 has no shards.
    expect(after(9_000)).toEqual([]);
    expect(after(5_000)).toEqual(['s2']);
  });

  it('is not gone when it was back in between', () => {
    const { map, after } = watch(10_000);
    map.setNodes([s1]);
    expect(after(9_000)).toEqual([]);
    map.setNodes([s1, s2]);
    expect(after(4_000)).toEqual([]);
    map.setNodes([s1]);
    expect(after(9_000)).toEqual([]);
    expect(after(5_000)).toEqual(['s2']);
  });

  it('counts as away since the leader looked, if it never saw it', () => {
    const { map, after } = watch(10_000);
    map.setNodes([s1]);
    expect(after(9_000)).toEqual([]);
    expect(after(4_000)).toEqual(['s2']);
  });

  it('is never gone with 0, nor after the leadership is over', () => {
    const never = watch(0);
    never.map.setNodes([s1]);
    expect(never.after(100_000_000)).toEqual([]);
    const over = watch(1_000);
    over.map.setNodes([s1]);
    over.nodes.stop();
    expect(over.after(100_000)).toEqual([]);
  });
});
