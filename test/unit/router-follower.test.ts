import { beforeEach, describe, expect, it } from 'vitest';
import type { Epoch, LeaderEpoch, MemberId } from '../../src/model/ids.js';
import type { LeaderMessage, MemberMessage } from '../../src/model/member-messages.js';
import type { Outgoing, StreamEvents } from '../../src/ports/network.js';
import { type KnownLeader, LeaderFollower } from '../../src/router/follower.js';
import { MapHolder } from '../../src/router/map-holder.js';
import { configOf, nodeOf, uuidOf } from '../support/configs.js';
import { silentLog } from '../support/silent-log.js';

const ours = uuidOf('ours');
const self = { id: 'r9' as MemberId, process: uuidOf('p') };
const node = nodeOf('s1');

let map: MapHolder;
let follower: LeaderFollower;
let leaders: KnownLeader[];

beforeEach(() => {
  map = new MapHolder();
  follower = new LeaderFollower({ map, log: silentLog, self });
  follower.clusterUuid = ours;
  leaders = [];
  follower.onLeader((leader) => leaders.push(leader));
});

/** One stream of a leader to this router. */
class LeaderStream implements Outgoing<MemberMessage> {
  readonly heard: MemberMessage[] = [];
  ended = false;
  readonly events: StreamEvents<LeaderMessage>;

  constructor() {
    this.events = follower.handler(this, 'peer');
  }

  write(message: MemberMessage): boolean {
    this.heard.push(message);
    return true;
  }

  end(): void {
    this.ended = true;
  }

  hello(id: string, leaderEpoch: number, clusterUuid = ours): this {
    const leader = id as MemberId;
    this.events.message({
      type: 'hello',
      leader,
      leaderEpoch: leaderEpoch as LeaderEpoch,
      clusterUuid,
    });
    return this;
  }

  tell(epoch: number): void {
    const config = configOf(0, node, { epoch: epoch as Epoch });
    this.events.message({ type: 'map', shards: [{ config, version: epoch }], nodes: undefined });
  }
}

const epochOfMap = () => map.map.config(0 as never)?.epoch;

describe('following a leader', () => {
  it('greets it back and takes its map', () => {
    const stream = new LeaderStream().hello('r1', 3);
    stream.tell(1);
    expect(stream.heard).toEqual([{ type: 'hello', ...self, leaderEpoch: 3 }]);
    expect(epochOfMap()).toBe(1);
    expect(follower.leader).toEqual({ id: 'r1', leaderEpoch: 3 });
  });

  it('S17 a lower leaderEpoch is turned away and its map ignored', () => {
    new LeaderStream().hello('r2', 5);
    const old = new LeaderStream().hello('r1', 4);
    old.tell(9);
    expect(old.ended).toBe(true);
    expect(epochOfMap()).toBeUndefined();
    expect(follower.leader).toEqual({ id: 'r2', leaderEpoch: 5 });
  });

  it('a newer leader ends the stream of the one before', () => {
    const old = new LeaderStream().hello('r1', 4);
    const next = new LeaderStream().hello('r2', 5);
    expect(old.ended).toBe(true);
    old.tell(7);
    expect(epochOfMap()).toBeUndefined();
    next.tell(8);
    expect(epochOfMap()).toBe(8);
    expect(leaders.map(({ id }) => id)).toEqual(['r1', 'r2']);
  });

  it('the same leader may open a new stream; that is no news', () => {
    const first = new LeaderStream().hello('r1', 4);
    first.events.closed('broke');
    new LeaderStream().hello('r1', 4).tell(2);
    expect(epochOfMap()).toBe(2);
    expect(leaders).toHaveLength(1);
  });

  it('a leader of another cluster is turned away', () => {
    const foreign = new LeaderStream().hello('r1', 99, uuidOf('theirs'));
    foreign.tell(1);
    expect(foreign.ended).toBe(true);
    expect(follower.leader).toBeUndefined();
    expect(epochOfMap()).toBeUndefined();
  });

  it('a map without a hello is ignored', () => {
    new LeaderStream().tell(1);
    expect(epochOfMap()).toBeUndefined();
  });

  it('S17 a router that was elected turns earlier leaders away', () => {
    const old = new LeaderStream().hello('r1', 4);
    follower.leadOurselves('r9' as MemberId, 5 as LeaderEpoch);
    expect(old.ended).toBe(true);
    expect(new LeaderStream().hello('r1', 4).ended).toBe(true);
    expect(follower.leader).toEqual({ id: 'r9', leaderEpoch: 5 });
  });

  it('answers its pings, but no orders and no leader that it does not hear', () => {
    const old = new LeaderStream().hello('r1', 4);
    const next = new LeaderStream().hello('r2', 5);
    const rude = new LeaderStream();
    for (const { events } of [old, next, rude]) {
      events.message({ type: 'ping', number: 8 });
      const order = { shard: 0 as never, shardUuid: uuidOf('x'), epoch: 1 as Epoch, to: node.id };
      events.message({ type: 'hand-over', ...order });
    }
    expect(next.heard.slice(1)).toEqual([{ type: 'pong', number: 8, process: self.process }]);
    expect(old.heard).toHaveLength(1);
    expect(rude.heard).toEqual([]);
  });
});
