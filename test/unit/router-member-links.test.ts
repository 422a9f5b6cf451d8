/** The leader's streams to its members: what each is told, what it missed, and whom it believes. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { Epoch, LeaderEpoch, MemberId } from '../../src/model/ids.js';
import type { ReplicaEntry } from '../../src/model/member-messages.js';
import type { Registration } from '../../src/model/registrations.js';
import type { VersionedConfig } from '../../src/model/shard-config.js';
import { MapHolder } from '../../src/router/map-holder.js';
import { MemberLinks } from '../../src/router/member-links.js';
import { configOf, nodeOf, reportOf, uuidOf } from '../support/configs.js';
import { FakeClock } from '../support/fake-clock.js';
import { FollowDialer } from '../support/follow-dialer.js';
import { silentLog } from '../support/silent-log.js';
import { CountingRandom } from '../support/storage-harness.js';

const REOPEN_MS_MAX = 2_000;
const SHARDS = 6;
const s1 = nodeOf('s1');
const s2 = nodeOf('s2');

let clock: FakeClock;
let dialer: FollowDialer;
let map: MapHolder;
let links: MemberLinks;
let reported: ReplicaEntry[];
let later: number[];

beforeEach(() => {
  clock = new FakeClock();
  dialer = new FollowDialer();
  map = new MapHolder();
  map.setShardCount(SHARDS);
  reported = [];
  later = [];
  const random = new CountingRandom();
  const known = () => ({
    shards: [...map.map.shards.values()],
    nodes: [...map.map.nodes.values()],
  });
  links = new MemberLinks(
    { clock, random, log: silentLog, dialer, known },
    {
      type: 'hello',
      clusterUuid: uuidOf('cluster'),
      leaderEpoch: 3 as LeaderEpoch,
      leader: 'r1' as MemberId,
    },
    {
      replicas: (_, replicas) => reported.push(...replicas),
      laterLeader: (leaderEpoch) => later.push(leaderEpoch),
      said: () => undefined,
      suspected: () => undefined,
      replaced: () => undefined,
      heardAgain: () => undefined,
    },
  );
});

/** The registered nodes from now on, as the leader learns of them. */
function setNodes(...nodes: Registration[]): void {
  map.setNodes(nodes);
  links.setNodes(nodes);
}

/** A new configuration of a shard, told to all. */
function change(shard: number, epoch: number): void {
  const config = configOf(shard, s1, { epoch: epoch as Epoch });
  const changed: VersionedConfig[] = [{ config, version: epoch }];
  map.applyConfigs(changed);
  links.tell(changed);
}

/** The stream that a member has now. */
function streamTo({ address }: { readonly address: string }) {
  const open = dialer.openTo(address);
  expect(open).toHaveLength(1);
  return open[0]!;
}

/** Shards and their epochs as told on a stream, in order. */
function told(stream: ReturnType<typeof streamTo>, from = 0): number[][] {
  const shards = stream.told
    .slice(from)
    .flatMap((said) => (said.type === 'map' ? said.shards : []));
  return shards.map(({ config }) => [config.shard, config.epoch]);
}

const report = (shard: number, node = s1) => {
  return { type: 'replicas' as const, replicas: [reportOf(configOf(shard, node))] };
};

describe('a member', () => {
  it('is greeted, told the whole map, and then every change', () => {
    change(0, 1);
    setNodes(s1, s2);
    const stream = streamTo(s1);
    expect(stream.told[0]).toMatchObject({ type: 'hello', leader: 'r1', leaderEpoch: 3 });
    expect(stream.told[1]).toEqual({ type: 'map', shards: [], nodes: [s1, s2] });
    expect(told(stream)).toEqual([[0, 1]]);
    change(0, 2);
    expect(told(stream)).toEqual([
      [0, 1],
      [0, 2],
    ]);
  });

  it('hears of a large map in messages of a bounded size', () => {
    const configs = Array.from({ length: 600 }, (_, shard) => {
      return { config: configOf(shard % SHARDS, s1, { shard: shard as never }), version: 0 };
    });
    map.applyConfigs(configs);
    setNodes(s1);
    const sizes = streamTo(s1).updates.map(({ shards }) => shards.length);
    expect(sizes.filter((size) => size > 0)).toEqual([256, 256, 88]);
  });

  it('that is a router is told as well, at its new address when it moved', () => {
    const router = { id: 'r2' as MemberId, address: 'old:1', admin: '' };
    links.setRouters([router]);
    links.setRouters([router]);
    expect(dialer.streams).toHaveLength(1);
    links.setRouters([{ ...router, address: 'new:1' }]);
    expect(dialer.openTo('old:1')).toEqual([]);
    change(1, 1);
    expect(told(streamTo({ address: 'new:1' }))).toEqual([[1, 1]]);
    setNodes(s1);
    expect(streamTo({ address: 'new:1' }).updates.at(-1)?.nodes).toEqual([s1]);
  });
});

describe('a member that does not read fast enough', () => {
  it('is told nothing more, and the whole map once it reads again', () => {
    setNodes(s1, s2);
    const slow = streamTo(s1);
    slow.takesMore = false;
    change(0, 1); // Taken, and the last that is.
    const before = slow.told.length;
    change(1, 1);
    change(0, 2);
    change(1, 2);
    expect(slow.told).toHaveLength(before);
    expect(told(streamTo(s2)), 'others are told').toEqual([
      [0, 1],
      [1, 1],
      [0, 2],
      [1, 2],
    ]);

    slow.takesMore = true;
    slow.events.drain();
    expect(told(slow, before)).toEqual([
      [0, 2],
      [1, 2],
    ]);
    expect(slow.updates.at(-2)?.nodes).toEqual([s1, s2]);
    change(2, 1);
    expect(told(slow, before)).toEqual([
      [0, 2],
      [1, 2],
      [2, 1],
    ]);
    slow.events.drain();
    expect(told(slow, before), 'nothing was missed since').toHaveLength(3);
  });

  it('is told nothing twice if it missed nothing', () => {
    setNodes(s1);
    const slow = streamTo(s1);
    slow.takesMore = false;
    change(0, 1);
    slow.takesMore = true;
    slow.events.drain();
    expect(told(slow)).toEqual([[0, 1]]);
    change(1, 1);
    expect(told(slow)).toEqual([
      [0, 1],
      [1, 1],
    ]);
  });

  it('and misses something again while it is told the whole map is told it once more', () => {
    setNodes(s1);
    const slow = streamTo(s1);
    slow.takesMore = false;
    change(0, 1);
    change(1, 1);
    slow.events.drain(); // It takes the whole map, and no more.
    const before = slow.told.length;
    change(2, 1);
    expect(slow.told).toHaveLength(before);
    slow.takesMore = true;
    slow.events.drain();
    expect(told(slow, before)).toEqual([
      [0, 1],
      [1, 1],
      [2, 1],
    ]);
  });

  it('right from the start makes up for what it missed as soon as it reads', () => {
    map.setNodes([s1]);
    dialer.takesMore = false;
    links.setNodes([s1]);
    change(0, 1);
    const stream = streamTo(s1);
    expect(told(stream)).toEqual([]);
    stream.takesMore = true;
    stream.events.drain();
    expect(told(stream)).toEqual([[0, 1]]);
  });
});

describe('orders to hand over', () => {
  const order = (shard: number, epoch = 1) => {
    const { shardUuid } = configOf(shard, s1);
    const to = s2.id;
    links.order(s1.id, {
      ...{ type: 'hand-over', shard: shard as never, shardUuid, epoch: epoch as Epoch, to },
    });
  };
  const given = () =>
    streamTo(s1).told.flatMap((said) =>
      said.type === 'hand-over' ? [[said.shard, said.epoch]] : [],
    );

  it('L1 more than the stream takes at once wait for it, the newest of each shard', () => {
    setNodes(s1);
    const stream = streamTo(s1);
    stream.takesMore = false;
    order(0);
    order(1);
    order(2);
    order(1, 2);
    expect(given()).toEqual([[0, 1]]);
    stream.events.drain();
    expect(given()).toEqual([
      [0, 1],
      [1, 2],
    ]);
    stream.takesMore = true;
    stream.events.drain();
    expect(given().slice(2)).toEqual([[2, 1]]);
  });

  it('are lost with their stream: the leader asks anew by what it hears on the next', () => {
    setNodes(s1);
    streamTo(s1).takesMore = false;
    order(0);
    order(1);
    streamTo(s1).events.closed('reset');
    clock.advance(REOPEN_MS_MAX);
    const next = dialer.streams.at(-1)!;
    next.events.drain();
    expect(next).not.toBe(dialer.streams[0]);
    expect(next.told.filter(({ type }) => type === 'hand-over')).toEqual([]);
  });
});

describe('a stream that breaks', () => {
  it('is opened again, and begins with the hello and the map as it is by then', () => {
    setNodes(s1);
    change(0, 1);
    dialer.streams[0]!.events.closed('reset');
    change(0, 2);
    expect(dialer.streams).toHaveLength(1);
    clock.advance(REOPEN_MS_MAX);
    expect(dialer.streams).toHaveLength(2);
    const again = dialer.streams[1]!;
    expect(again.told[0]).toMatchObject({ type: 'hello' });
    expect(told(again)).toEqual([[0, 2]]);
    change(0, 3);
    expect(told(again)).toEqual([
      [0, 2],
      [0, 3],
    ]);
  });

  it('again and again is opened less and less often, until its registered process speaks', () => {
    setNodes(s1);
    const pauses: number[] = [];
    const fail = () => {
      const { length } = dialer.streams;
      dialer.streams.at(-1)!.events.closed('refused');
      const since = clock.now();
      while (dialer.streams.length === length) clock.advance(1);
      pauses.push(clock.now() - since);
    };
    for (let n = 0; n < 8; n++) fail();
    expect(pauses[0]).toBeLessThan(50);
    expect(pauses[1]).toBeGreaterThan(pauses[0]!);
    expect(pauses.at(-1)).toBeGreaterThan(REOPEN_MS_MAX / 2);
    expect(pauses.at(-1)).toBeLessThanOrEqual(REOPEN_MS_MAX);
    const says = (process: Registration['process']) => {
      const hello = { type: 'hello', id: s1.id, process, leaderEpoch: 3 as LeaderEpoch } as const;
      dialer.streams.at(-1)!.events.message(hello);
      fail();
      return pauses.at(-1)!;
    };
    expect(says(uuidOf('next')), 'the next process has to register').toBeGreaterThan(pauses[1]!);
    expect(says(s1.process)).toBe(pauses[0]);
  });

  it('leads to another member: nothing it says counts, and it is looked at seldom', () => {
    setNodes(s1);
    const hello = { type: 'hello', id: s2.id, process: s2.process } as const;
    const opened: number[] = [];
    for (let n = 0; n < 4; n++) {
      const stream = dialer.streams.at(-1)!;
      opened.push(clock.now());
      stream.events.message({ ...hello, leaderEpoch: 9 as LeaderEpoch });
      stream.events.message(report(0, s2));
      stream.events.closed('cancelled');
      expect(stream.ended).toBe(true);
      const { length } = dialer.streams;
      while (dialer.streams.length === length) clock.advance(10);
    }
    expect([reported, later]).toEqual([[], []]);
    for (let n = 1; n < 4; n++) {
      expect(opened[n]! - opened[n - 1]!).toBeGreaterThanOrEqual(REOPEN_MS_MAX / 2);
    }
    dialer.streams.at(-1)!.events.message(report(1));
    expect(reported.map(({ shard }) => shard)).toEqual([1]);
  });

  it('was blocked or not: its successor is told everything', () => {
    setNodes(s1);
    const slow = streamTo(s1);
    slow.takesMore = false;
    change(0, 1);
    change(1, 1);
    slow.events.closed('reset');
    clock.advance(REOPEN_MS_MAX);
    const again = dialer.streams[1]!;
    change(2, 1);
    expect(told(again)).toEqual([
      [0, 1],
      [1, 1],
      [2, 1],
    ]);
  });
});

describe('a node that came back as another process', () => {
  const reborn = nodeOf('s1', 2);

  it('gets a stream of its own, although it listens at the same address', () => {
    setNodes(s1);
    const stale = streamTo(s1);
    setNodes(reborn);
    expect(stale.ended).toBe(true);
    expect(streamTo(reborn).told[0]).toMatchObject({ type: 'hello' });
    change(0, 1);
    expect(told(stale)).toEqual([]);
    expect(told(streamTo(reborn))).toEqual([[0, 1]]);
  });

  it('is believed; what the stream of its earlier life still says is not', () => {
    setNodes(s1);
    const stale = streamTo(s1);
    stale.events.message(report(0));
    expect(reported.map(({ shard }) => shard)).toEqual([0]);
    setNodes(reborn);
    stale.events.message(report(1));
    const hello = { type: 'hello', id: s1.id, process: s1.process } as const;
    stale.events.message({ ...hello, leaderEpoch: 9 as LeaderEpoch });
    expect(reported.map(({ shard }) => shard)).toEqual([0]);
    expect(later).toEqual([]);
    streamTo(reborn).events.message(report(2, reborn));
    expect(reported.map(({ shard }) => shard)).toEqual([0, 2]);
  });

  it('keeps its one stream when that of its earlier life breaks late, or broke before', () => {
    setNodes(s1);
    const stale = streamTo(s1);
    setNodes(reborn);
    stale.events.closed('cancelled');
    clock.advance(10 * REOPEN_MS_MAX);
    expect(dialer.streams).toHaveLength(2);
    streamTo(reborn).events.closed('reset');
    setNodes(nodeOf('s1', 3));
    clock.advance(10 * REOPEN_MS_MAX);
    expect(dialer.streams).toHaveLength(3);
  });

  it('is the same process as long as only its registration is new', () => {
    setNodes(s1);
    setNodes({ ...s1, incarnation: 77 as never });
    expect(dialer.streams).toHaveLength(1);
    expect(streamTo(s1).updates.at(-1)?.nodes?.[0]?.incarnation).toBe(77);
  });
});

describe('a member that is gone', () => {
  it('is told nothing, heard no more, and not called again', () => {
    setNodes(s1, s2);
    const gone = streamTo(s2);
    setNodes(s1);
    expect(gone.ended).toBe(true);
    gone.events.message(report(0, s2));
    expect(reported).toEqual([]);
    gone.events.closed('cancelled');
    clock.advance(10 * REOPEN_MS_MAX);
    expect(dialer.openTo(s2.address)).toEqual([]);
    expect(dialer.streams).toHaveLength(2);
  });
});
