/** What a scrub makes of what replicas answered: the worst of it. */
import { expect, it } from 'vitest';
import { type Asked, judge } from '../../src/cli/scrub.js';
import type { Seq } from '../../src/model/ids.js';

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
