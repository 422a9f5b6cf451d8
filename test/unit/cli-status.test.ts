/** The cluster as people read it, and as programs do. */
import { describe, expect, it } from 'vitest';
import { describeStatus } from '../../src/cli/status-command.js';
import { statusJson } from '../../src/model/status-json.js';
import type { ClusterStatus } from '../../src/model/status.js';

const candidate = (id: string, sequence: number, before?: number) => ({
  id,
  znode: `${'0'.repeat(32)}-c_${String(sequence).padStart(10, '0')}`,
  watches:
    before === undefined ? undefined : `${'0'.repeat(32)}-c_${String(before).padStart(10, '0')}`,
  address: `127.0.0.1:700${sequence}`,
  admin: `http://127.0.0.1:708${sequence}`,
});
const node = (id: string, state: 'up' | 'down') => ({
  ...{ id, state, address: state === 'up' ? '127.0.0.1:7100' : '', host: '', zone: '' },
  ...{ shards: 1, primaries: 1, downForMs: state === 'up' ? undefined : 12_300 },
});
const shard = (id: number, primary: string) => ({
  ...{ id, slots: [id * 8192, id * 8192 + 8191] as const, epoch: 3, primary, isr: [primary] },
  ...{ learners: [] as string[], state: 'active', served: id === 0 },
  ...{ away: id === 0 ? [] : [primary], learning: [], damaged: [] },
});

const STATUS: ClusterStatus = {
  cluster: 'default',
  healthy: false,
  leader: { id: 'r1', znode: `/election/${candidate('r1', 4).znode}`, leaderEpoch: 7 },
  candidates: [candidate('r1', 4), candidate('r2', 5, 4), candidate('r3', 9, 8)],
  nodes: [node('s1', 'up'), node('s2', 'down')],
  shards: [shard(0, 's1'), shard(1, 's2')],
  problems: ['shard 1: its primary s2 is down'],
  zookeeperConnected: true,
  answeredBy: 'r2',
};

describe('status', () => {
  it('shows leader, who watches whom, nodes and shards, and what is wrong', () => {
    expect(describeStatus(STATUS).split('\n')).toEqual([
      'cluster default: NOT HEALTHY (asked router r2)',
      '  ! shard 1: its primary s2 is down',
      `leader: r1, leaderEpoch 7, /election/${'0'.repeat(32)}-c_0000000004`,
      '',
      'routers, in election order',
      '  id  role      znode         watches            address         admin',
      '  r1  leader    c_0000000004  -                  127.0.0.1:7004  http://127.0.0.1:7084',
      '  r2  follower  c_0000000005  r1 (c_0000000004)  127.0.0.1:7005  http://127.0.0.1:7085',
      '  r3  follower  c_0000000009  ? (c_0000000008)   127.0.0.1:7009  http://127.0.0.1:7089',
      '',
      'storage nodes',
      '  id  state      shards  primaries  address         host  zone',
      '  s1  up              1          1  127.0.0.1:7100  -     -',
      '  s2  down 12 s       1          1  -               -     -',
      '',
      'shards: 2 placed, 1 served',
    ]);
  });

  it('shows how far learners are, those that are under way first', () => {
    const learner = (by: 'log' | 'snapshot' | 'nothing', done: number, total: number) => {
      return { node: 's3', by, done, total, forMs: 4_000 };
    };
    const learning = [
      learner('nothing', 0, 9),
      learner('log', 1_200, 5_000),
      learner('snapshot', 20 * 1024 * 1024, 0),
    ];
    const shards = learning.map((one, id) => {
      return { ...shard(id, 's1'), served: true, learners: ['s3'], learning: [one] };
    });
    expect(
      describeStatus({ ...STATUS, shards })
        .split('\n')
        .slice(-6),
    ).toEqual([
      '',
      'replicas out of sync',
      '  of       on  gets                               since',
      '  shard 1  s3  the log: 1200 of 5000 entries      4 s',
      '  shard 2  s3  all data: 20.0 MiB, 5.0 MiB/s      4 s',
      '  shard 0  s3  nothing: its node does not answer  4 s',
    ]);
    const many = Array.from({ length: 40 }, (_, id) => ({ ...shards[1]!, id }));
    const lines = describeStatus({ ...STATUS, shards: many }).split('\n');
    expect(lines.at(-1)).toBe('  and 28 more that are catching up');
    const mute = Array.from({ length: 40 }, (_, id) => ({ ...shards[0]!, id }));
    expect(
      describeStatus({ ...STATUS, shards: mute })
        .split('\n')
        .at(-1),
    ).toBe('  shards 0-39  s3  nothing: its node does not answer  4 s');
  });

  it('between two leaders there is none', () => {
    const between = { ...STATUS, leader: undefined };
    expect(describeStatus(between)).toContain('\nleader: none\n');
    expect(statusJson(between)).toMatchObject({ leader: null });
  });

  it('as JSON has the names of the contract, and null for what is absent', () => {
    const json = JSON.parse(JSON.stringify(statusJson(STATUS))) as Record<string, never>;
    expect(json).toMatchObject({
      cluster: 'default',
      healthy: false,
      leader: { id: 'r1', znode: STATUS.leader!.znode, leaderEpoch: 7 },
      candidates: [
        { id: 'r1', znode: STATUS.candidates[0]!.znode, watches: null },
        { id: 'r2', watches: STATUS.candidates[0]!.znode },
        { id: 'r3' },
      ],
      nodes: [{ id: 's1', address: '127.0.0.1:7100', state: 'up', shards: 1, primaries: 1 }, {}],
      shards: [
        { id: 0, slots: [0, 8191], epoch: 3, primary: 's1', isr: ['s1'], learners: [] },
        { id: 1 },
      ],
    });
  });
});
