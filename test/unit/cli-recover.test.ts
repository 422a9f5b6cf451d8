/** What `portolan recover` says that it has done, and that there is to do. */
import { describe, expect, it } from 'vitest';
import { adviceOn, endOf } from '../../src/cli/recover-report.js';
import {
  type PlannedShard,
  planRecovery,
  type RecoveryPlan,
} from '../../src/control/recovery-plan.js';
import type { LeaderEpoch, ShardId } from '../../src/model/ids.js';
import { clusterOf, configOf, nodeOf } from '../support/configs.js';

const { id: node, store, process } = nodeOf('s1');
const cluster = clusterOf({ shards: 2 });
const plan = planRecovery(
  [
    {
      ...{ node, store, process, lives: [process], cluster, clusterUuid: cluster.clusterUuid },
      ...{ leaderEpoch: 3 as LeaderEpoch, replicas: [] },
      configs: [{ config: configOf(0, nodeOf('s1')), version: 1 }],
    },
  ],
  { acceptsLoss: true },
);
const [written, kept] = plan.shards;
const endWith = (shards: typeof plan.shards, count?: number) => endOf({ ...plan, shards }, count);

it('only what was written is said to be', () => {
  expect(endWith([], 0)).toBe('ZooKeeper knows every shard as well as the nodes do');
  expect(endWith([written!], 1)).toBe('written: the leader goes on from here');
  expect(endWith([written!, kept!], 1)).toBe(
    'written, but for 1 of these 2 shards: the leader goes on from here',
  );
  expect(endWith([written!, kept!])).toBe('nothing was written; add --yes');
});

it('nor is more promised of a plan with nothing to write', () => {
  expect(endWith([kept!], 0)).toMatch(/^no shard was written: /);
  expect(endWith([kept!])).toMatch(/^no shard would be written: /);
});

it('what changed meanwhile is not said to be written', () => {
  expect(endWith([written!, written!, kept!], 1)).toMatch(
    /^written, but for 2 of these 3 shards: .* 1 had changed in ZooKeeper meanwhile, and stay/,
  );
  expect(endWith([written!, kept!], 0)).toMatch(/^no shard was written. 1 had changed .*again/);
});

describe('a shard that ZooKeeper knows as well as the nodes do, and that may wait', () => {
  const served: PlannedShard = { ...written!, waits: false, doubt: '' };
  const none: RecoveryPlan = { ...plan, shards: [] };
  const adviceFor = (shard: Partial<PlannedShard>, acceptLoss: boolean, needed = none) =>
    adviceOn({ ...plan, shards: [{ ...served, ...shard }] }, needed, { acceptLoss });

  it('is lost only if the operator accepts that', () => {
    const [advice, ...more] = adviceFor({ waits: true }, false);
    expect(advice).toMatch(/^shard 0: .* are waited for\. .*--accept-loss shows/);
    expect(more).toEqual([]);
    expect(adviceFor({}, false)).toEqual([]);
    expect(adviceFor({}, true)).toEqual([]);
  });

  it('says what keeps its loss from being accepted, if it is not said above', () => {
    const waits = { waits: true, doubt: 's1 runs: end its node first' };
    expect(adviceFor(waits, true)).toEqual([`shard 0, not served: ${waits.doubt}`]);
    const twice = {
      ...plan,
      shards: [0, 1].map((n) => ({ ...served, ...waits, shard: n as ShardId })),
    };
    expect(adviceOn(twice, none, { acceptLoss: true })).toEqual([
      `shards 0-1, not served: ${waits.doubt}`,
    ]);
    expect(adviceFor(waits, true, plan)).toEqual([]);
  });

  it('is not abandoned as long as no node knows whom ZooKeeper counts on', () => {
    const unheard = [{ source: 'replicas' }, { source: 'nothing' }, { abandons: 'older' }] as const;
    for (const shard of unheard) {
      const [advice, ...more] = adviceFor(shard, true);
      expect(advice).toMatch(/^shard 0: no node has heard .*Start the routers .*status/);
      expect(more).toEqual([]);
      expect(adviceFor(shard, true, plan)).toEqual([]);
    }
  });
});
