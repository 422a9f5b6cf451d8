/** The words between a leader and its members as bytes, and what is refused at the edge. */
import { describe, expect, it } from 'vitest';
import { MEMBER } from '../../src/grpc/definitions.js';
import type { LeaderMessage as WireLeaderMessage } from '../../src/grpc/generated/portolan/v1/LeaderMessage.js';
import type { MemberMessage as WireMemberMessage } from '../../src/grpc/generated/portolan/v1/MemberMessage.js';
import {
  fromWireLeaderMessage,
  fromWireMemberMessage,
  toWireLeaderMessage,
  toWireMemberMessage,
} from '../../src/grpc/member-codec.js';
import { EPOCH_MAX } from '../../src/model/ids.js';
import {
  DAMAGED_TOLD_MAX,
  LEARNERS_TOLD_MAX,
  OUTDATED_TOLD_MAX,
  type LeaderMessage,
  type MemberMessage,
  type MembershipChange,
} from '../../src/model/member-messages.js';
import { nodeOf, uuidOf } from '../support/configs.js';

const shardUuid = uuidOf('shard');
const node = 's2';
const largest = Number.MAX_SAFE_INTEGER;

/** Reads what a peer wrote; what it was told is garbled comes out as text. */
function heardFromLeader(bytes: Buffer): LeaderMessage | string | undefined {
  let problem: string | undefined;
  const parsed = MEMBER.Follow.requestDeserialize(bytes);
  return (
    fromWireLeaderMessage(parsed, (text) => {
      problem = text;
    }) ?? problem
  );
}

function heardFromMember(bytes: Buffer): MemberMessage | string | undefined {
  let problem: string | undefined;
  const parsed = MEMBER.Follow.responseDeserialize(bytes);
  return (
    fromWireMemberMessage(parsed, (text) => {
      problem = text;
    }) ?? problem
  );
}

const leaderBytes = (message: WireLeaderMessage) => MEMBER.Follow.requestSerialize(message);
const memberBytes = (message: WireMemberMessage) => MEMBER.Follow.responseSerialize(message);

const changes = [
  { type: 'shrink', node },
  { type: 'expand', node, store: uuidOf('store'), incarnation: largest },
  { type: 'withdraw', node },
  { type: 'replace', node },
  { type: 'set-back', nonce: '07', inSync: ['s1', 's2'] },
  { type: 'epoch-used', promised: EPOCH_MAX - 1 },
] as unknown as readonly MembershipChange[];

const progress = {
  type: 'progress',
  learners: [
    { shard: 4095, epoch: EPOCH_MAX, node, by: 'snapshot', done: largest, total: 0, forMs: 1 },
    { shard: 0, epoch: 1, node: 's3', by: 'log', done: 0, total: 7, forMs: 0 },
    { shard: 1, epoch: 2, node: 's3', by: 'nothing', done: 0, total: 0, forMs: 99 },
  ],
  damaged: [{ shard: 4095, node, problem: 'a record is not what was written' }],
  outdated: [0, 4095],
  used: [{ shardUuid, epoch: EPOCH_MAX }],
};

const fromLeaders = [
  { type: 'map', shards: [], nodes: [nodeOf('s1', 3), nodeOf('s2')] },
  progress,
  { type: 'progress', learners: [], damaged: [], outdated: [], used: [] },
  { type: 'hand-over', shard: 4095, shardUuid, epoch: EPOCH_MAX, to: node },
  { type: 'ping', number: 0 },
  { type: 'ping', number: largest },
] as unknown as readonly LeaderMessage[];

const held = {
  shard: 7,
  shardUuid,
  store: uuidOf('d'),
  epoch: 3,
  openedEpoch: 2,
  lastSeq: largest,
};

const fromMembers = [
  ...changes.map((change) => {
    const request = { shard: 0, shardUuid, epoch: 1, basedOn: 0, change };
    return { type: 'request', request };
  }),
  { type: 'stepped-down', shard: 7, shardUuid, epoch: 3, to: node },
  { type: 'stepped-down', shard: 7, shardUuid, epoch: 3, to: undefined },
  { type: 'hand-over-failed', shard: 7, epoch: 3, why: 's3 is not in sync' },
  { type: 'hand-over-failed', shard: 7, epoch: 3, why: '' },
  { type: 'leaving' },
  {
    type: 'replicas',
    replicas: [
      { ...held, epoch: EPOCH_MAX, lead: { version: 7, nonce: '0a', inSync: ['s1', 's2'] } },
      { ...held, problem: 'it is not there' },
    ],
  },
  { type: 'pong', number: 12, process: uuidOf('p') },
  progress,
] as unknown as readonly MemberMessage[];

describe('a message that is well formed', () => {
  it.each(fromLeaders)('of a leader arrives as it was sent: $type', (message) => {
    expect(heardFromLeader(leaderBytes(toWireLeaderMessage(message)))).toEqual(message);
  });

  it.each(fromMembers)('of a member arrives as it was sent: $type', (message) => {
    expect(heardFromMember(memberBytes(toWireMemberMessage(message)))).toEqual(message);
  });

  it('is these very bytes', () => {
    const hex = (bytes: Buffer) => bytes.toString('hex');
    const ping = toWireLeaderMessage({ type: 'ping', number: 300 });
    expect(hex(leaderBytes(ping))).toBe('220308ac02');
    expect(hex(memberBytes(toWireMemberMessage({ type: 'leaving' })))).toBe('3200');
    const failed = {
      type: 'hand-over-failed',
      shard: 5,
      epoch: 2,
      why: 'x',
    } as unknown as MemberMessage;
    expect(hex(memberBytes(toWireMemberMessage(failed)))).toBe('2a07080510021a0178');
    const request = fromMembers[0]!;
    expect(hex(memberBytes(toWireMemberMessage(request)))).toBe(
      // Field 3 of 46 bytes: shard 0, its uuid, epoch 1, version 0, and `shrink` of "s2".
      `1a2e08001220${Buffer.from(shardUuid).toString('hex')}180120002a040a027332`,
    );
  });
});

describe('the progress of learners', () => {
  const good = toWireMemberMessage(progress as unknown as MemberMessage).progress!.learners![1]!;

  it.each([{ shard: 4096 }, { epoch: 0 }, { node: '' }, { by: 9 as never }, { done: 2 ** 60 }])(
    'with %j is left out, and the rest is heard',
    (change) => {
      const learners = [{ ...good, ...change }, good];
      const problems: string[] = [];
      const bytes = memberBytes({ progress: { learners } });
      const parsed = MEMBER.Follow.responseDeserialize(bytes);
      const heard = fromWireMemberMessage(parsed, (text) => problems.push(text));
      expect(heard).toEqual({
        type: 'progress',
        learners: [progress.learners[1]],
        damaged: [],
        outdated: [],
        used: [],
      });
      expect(problems).toEqual(['the progress of a learner that does not parse']);
    },
  );

  it('goes with what is damaged: what does not parse is left out', () => {
    const [notice] = progress.damaged;
    const [bad, nobody] = [
      { ...notice, shard: 4096 },
      { ...notice, node: '' },
    ];
    const problems: string[] = [];
    const used = { shardUuid, epoch: 7 };
    const unused = [
      { shardUuid: 'x', epoch: 7 },
      { shardUuid, epoch: 0 },
    ];
    const told = { damaged: [bad, nobody, notice!], outdated: [4096, 3], used: [...unused, used] };
    const bytes = memberBytes({ progress: told });
    const parsed = MEMBER.Follow.responseDeserialize(bytes);
    const heard = fromWireMemberMessage(parsed, (text) => problems.push(text));
    const rest = { damaged: [notice], outdated: [3], used: [used] };
    expect(heard).toEqual({ type: 'progress', learners: [], ...rest });
    const problem = 'news of a damaged replica that does not parse';
    const unread = 'an epoch that was used, and does not parse';
    expect(problems).toEqual([problem, problem, unread, unread]);
  });

  it('is bounded, whatever a peer says', () => {
    const learners = Array.from({ length: 1_000 }, () => good);
    const heard = heardFromLeader(leaderBytes({ progress: { learners } }));
    expect(heard).toMatchObject({ learners: { length: LEARNERS_TOLD_MAX } });
    const damaged = Array.from({ length: 1_000 }, () => progress.damaged[0]!);
    const more = heardFromLeader(leaderBytes({ progress: { damaged } }));
    expect(more).toMatchObject({ damaged: { length: DAMAGED_TOLD_MAX } });
    const outdated = Array.from({ length: 1_000 }, () => 7);
    const most = heardFromLeader(leaderBytes({ progress: { outdated } }));
    expect(most).toMatchObject({ outdated: { length: OUTDATED_TOLD_MAX } });
  });
});

describe('a message of a kind that this version does not know', () => {
  /** Field 15, four bytes. */
  const later = Buffer.from('7a0401020304', 'hex');

  it('is passed over without a word, in both directions', () => {
    expect(heardFromLeader(later)).toBeUndefined();
    expect(heardFromMember(later)).toBeUndefined();
    expect(heardFromLeader(Buffer.alloc(0))).toBeUndefined();
  });

  it('also if it is only the change that is asked for', () => {
    const request = Buffer.concat([Buffer.from([0x1a, later.length]), later]);
    expect(heardFromMember(request)).toBeUndefined();
  });

  it('was not made by what is added to one that it knows', () => {
    const ping = Buffer.concat([Buffer.from('2208', 'hex'), Buffer.from('0805', 'hex'), later]);
    expect(heardFromLeader(ping)).toEqual({ type: 'ping', number: 5 });
  });
});

describe('a message that does not parse is named and left out', () => {
  const tooLarge = '18446744073709551615';
  const about = { shard: 0, shardUuid, epoch: 1 };
  const request = { ...about, basedOn: 3, shrink: { node } };
  const store = uuidOf('store');
  const NO_REPLICAS = { type: 'replicas', replicas: [] };

  it.each<WireLeaderMessage>([
    { handOver: { ...about, to: 'Not An Id' } },
    { handOver: { ...about, to: '' } },
    { handOver: { ...about, to: node, shard: 4096 } },
    { handOver: { ...about, to: node, shardUuid: 'x' } },
    { handOver: { ...about, to: node, epoch: 0 } },
    { handOver: { ...about, to: node, epoch: tooLarge } },
    { handOver: { ...about, to: node, epoch: EPOCH_MAX + 1 } },
    { ping: { number: tooLarge } },
  ])('of a leader: %j', (message) => {
    expect(heardFromLeader(leaderBytes(message))).toMatch(/^an? /);
  });

  it.each<WireMemberMessage>([
    { request: { ...request, shard: 4096 } },
    { request: { ...request, shardUuid: '' } },
    { request: { ...request, epoch: 0 } },
    { request: { ...request, epoch: tooLarge } },
    { request: { ...request, basedOn: -1 } },
    { request: { ...request, shrink: { node: '' } } },
    { request: { ...about, basedOn: 3, withdraw: { node: 'S2' } } },
    { request: { ...about, basedOn: 3, replace: { node: 'S2' } } },
    { request: { ...about, basedOn: 3, expand: { node: '', store, incarnation: 1 } } },
    { request: { ...about, basedOn: 3, expand: { node, store: 'd', incarnation: 1 } } },
    { request: { ...about, basedOn: 3, expand: { node, store, incarnation: tooLarge } } },
    { request: { ...about, basedOn: 3, epochUsed: { promised: 0 } } },
    { request: { ...about, basedOn: 3, epochUsed: { promised: EPOCH_MAX } } },
    { replicas: { replicas: [{ ...about, store, epoch: EPOCH_MAX + 1 }] } },
    { replicas: { replicas: [{ ...about, store, lead: { nonce: '0', inSync: ['S 1'] } }] } },
    { request: { ...about, basedOn: 3, setBack: { nonce: '0', inSync: ['S 1'] } } },
    { steppedDown: { ...about, to: '-' } },
    { steppedDown: { ...about, shard: 4096 } },
    { steppedDown: { ...about, shardUuid: 'x' } },
    { steppedDown: { ...about, epoch: 0 } },
    { handOverFailed: { shard: 4096, epoch: 1 } },
    { handOverFailed: { shard: 0, epoch: 0 } },
    { pong: { number: 1, process: '' } },
    { pong: { number: tooLarge, process: uuidOf('p') } },
  ])('of a member: %j', (message) => {
    const problems: string[] = [];
    const parsed = MEMBER.Follow.responseDeserialize(memberBytes(message));
    const heard = fromWireMemberMessage(parsed, (text) => problems.push(text));
    expect(heard ?? NO_REPLICAS).toEqual(NO_REPLICAS);
    expect(problems).toEqual([expect.stringMatching(/^an? /)]);
  });
});
