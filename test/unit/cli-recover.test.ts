/** How `portolan recover` says what it has done. */
import { expect, it } from 'vitest';
import { endOf } from '../../src/cli/recover-command.js';
import { planRecovery } from '../../src/control/recovery-plan.js';
import type { LeaderEpoch } from '../../src/model/ids.js';
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
const endWith = (shards: typeof plan.shards, yes: boolean) => endOf({ ...plan, shards }, yes);

it('only what was written is said to be', () => {
  expect(endWith([], true)).toBe('ZooKeeper knows every shard as well as the nodes do');
  expect(endWith([written!], true)).toBe('written: the leader goes on from here');
  expect(endWith([written!, kept!], true)).toBe(
    'written, but for 1 of these 2 shards: the leader goes on from here',
  );
  expect(endWith([written!, kept!], false)).toBe('nothing was written; add --yes');
});

it('nor is more promised of a plan with nothing to write', () => {
  expect(endWith([kept!], true)).toMatch(/^no shard was written: /);
  expect(endWith([kept!], false)).toMatch(/^no shard would be written: /);
});
