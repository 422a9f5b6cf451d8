/** What a scrub makes of what replicas answered: the worst of it. */
import { expect, it } from 'vitest';
import { type Asked, heldIn, judge } from '../../src/cli/scrub.js';
import type { Epoch, Seq, ShardId, Uuid } from '../../src/model/ids.js';
import type { HeldReplica } from '../../src/model/inspection.js';
import { configOf, nodeOf, uuidOf } from '../support/configs.js';

function asked(node: string, change: Partial<Asked['finding']> | string = {}): Asked {
  const base = { node, role: 'secondary' as const, address: 'a:1', held: undefined };
  if (typeof change === 'string') return { ...base, finding: undefined, problem: change };
  const sound = { isExact: true, pairs: 3, digest: 'd1', problem: undefined };
  const finding = { position: 7 as Seq, ...sound, ...change };
  return { ...base, finding, problem: finding.problem };
}

const other = { digest: 'd2' };
const behind = { position: 6 as Seq };
const rotten = { digest: undefined, problem: 'its checksum does not match' };

it.each([
  ['equal', [asked('s1'), asked('s2'), asked('s3')]],
  ['different', [asked('s1'), asked('s2', other), asked('s3')]],
  ['different', [asked('s1'), asked('s2', other), asked('s3', 'no answer')]],
  ['damaged', [asked('s1'), asked('s2', rotten), asked('s3', 'no answer')]],
  ['unreachable', [asked('s1'), asked('s2'), asked('s3', 'no answer')]],
  ['busy', [asked('s1'), asked('s2', { ...behind, ...other })]],
  ['busy', [asked('s1'), asked('s2', { isExact: false, ...other })]],
  ['unreachable', [asked('s1', 'no answer'), asked('s2', 'no answer')]],
] as const)('%s', (result, replicas) => {
  const scrub = judge(4, replicas);
  expect(scrub).toMatchObject({ shard: 4, result });
  expect(scrub.replicas.map(({ node }) => node)).toEqual(replicas.map(({ node }) => node));
});

it('of a shard that was made anew, the replica that the node has heard of is scrubbed', () => {
  const shard = 4 as ShardId;
  const config = configOf(shard, nodeOf('s1'));
  const held = (shardUuid: Uuid): HeldReplica => ({
    ...{ shard, shardUuid, epoch: 2 as Epoch, lastEpoch: 2 as Epoch },
    ...{ lastSeq: 7 as Seq, commitSeq: 7 as Seq, problem: undefined },
  });
  const replicas = [held(uuidOf('before')), held(config.shardUuid)];
  const configs = [{ config, version: 3 }];
  expect(heldIn({ replicas, configs }, shard)).toBe(replicas[1]);
  expect(heldIn({ replicas, configs: [] }, shard)).toBe(replicas[0]);
  expect(heldIn({ replicas, configs }, 5)).toBeUndefined();
});
