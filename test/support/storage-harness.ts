/** A storage node over a fake disk: no sockets, no ZooKeeper, a clock that tests turn. */
import type { Cancel, Clock } from '../../src/ports/clock.js';
import type { Log, LogFields } from '../../src/ports/log.js';
import type { Outgoing } from '../../src/ports/network.js';
import type { Random } from '../../src/ports/random.js';
import type { LeaderEpoch, MemberId, ShardId, Uuid } from '../../src/model/ids.js';
import type { LeaderMessage, MemberMessage } from '../../src/model/member-messages.js';
import type { CallKind } from '../../src/model/calls.js';
import type { Registration } from '../../src/model/registrations.js';
import type { ShardConfig } from '../../src/model/shard-config.js';
import { slotRangeOf } from '../../src/model/slot.js';
import { StorageNode } from '../../src/storage/node.js';
import { ReplicaStore } from '../../src/storage/replica-store.js';
import { Store } from '../../src/storage/store.js';
import { decodeErrorDetail } from '../../src/wire/error-detail.js';
import { decodeResponses, encodeRequests } from '../../src/wire/frame.js';
import { clusterOf, configOf, nodeOf, uuidOf } from './configs.js';
import { FakeDialer } from './fake-dialer.js';
import { answerOf, type CallAnswer, deleteRequest, getRequest, putRequest } from './kv-requests.js';
import { MemoryDisk } from './memory-disk.js';

export { answerOf, type CallAnswer, deleteRequest, getRequest, putRequest };

export const SHARDS = 4;

export class ManualClock implements Clock {
  ms = 0;
  /** How long the whole system slept. */
  sleptMs = 0;
  readonly #tasks = new Map<() => void, number>();

  now(): number {
    return this.ms;
  }

  sinceBoot(): number {
    return this.ms + this.sleptMs;
  }

  after(delayMs: number, task: () => void): Cancel {
    this.#tasks.set(task, this.ms + delayMs);
    return () => this.#tasks.delete(task);
  }

  advance(ms: number): void {
    this.ms += ms;
    for (const [task, at] of [...this.#tasks]) {
      if (at > this.ms) continue;
      this.#tasks.delete(task);
      task();
    }
  }
}

export class MemoryLog implements Log {
  readonly lines: { level: string; message: string; fields: LogFields | undefined }[] = [];
  readonly debug = this.#at('debug');
  readonly info = this.#at('info');
  readonly warn = this.#at('warn');
  readonly error = this.#at('error');

  has(text: string): boolean {
    return this.lines.some(({ message }) => message.includes(text));
  }

  #at(level: string) {
    return (message: string, fields?: LogFields) => {
      this.lines.push({ level, message, fields });
    };
  }
}

export class CountingRandom implements Random {
  #count = 0;
  uuid(): Uuid {
    return uuidOf(`uuid-${++this.#count}`);
  }
  nonce(): string {
    return String(++this.#count);
  }
  fraction(): number {
    return 0.5;
  }
}

/** What was written to a stream, and whether it was ended. */
export class Recorder<T> implements Outgoing<T> {
  readonly messages: T[] = [];
  ended = false;
  takes = true;

  write(message: T): boolean {
    this.messages.push(message);
    return this.takes;
  }

  end(): void {
    this.ended = true;
  }
}

/** Turns of the event loop, until everything that needs no clock has happened. */
export async function settle(turns = 20): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
}

export const OWNER = { node: 's1' as MemberId, cluster: 'default', bootId: 'boot' };

export class NodeUnderTest {
  readonly clock = new ManualClock();
  readonly log = new MemoryLog();
  readonly disk: MemoryDisk;
  readonly store: Store;
  readonly replicaStore: ReplicaStore;
  readonly node: StorageNode;
  /** This node as the leader knows it. */
  readonly self: Registration;
  isDiskFull = false;
  /** Every time the node said that it failed: at most once. */
  readonly failures: unknown[] = [];

  private constructor(disk: MemoryDisk, store: Store, replicaStore: ReplicaStore, life: number) {
    this.disk = disk;
    this.store = store;
    this.replicaStore = replicaStore;
    this.self = { ...nodeOf('s1', life), store: store.identity.store };
    this.node = new StorageNode({
      disk,
      store,
      replicaStore,
      clock: this.clock,
      random: new CountingRandom(),
      dialer: new FakeDialer(),
      log: this.log,
      process: this.self.process,
      isDiskFull: () => this.isDiskFull,
      failed: (error) => {
        this.failures.push(error);
      },
    });
  }

  /** Why the node ended; undefined = it goes on. */
  get failure(): unknown {
    return this.failures[0];
  }

  /** A node that has joined and registered; `life` counts its processes. */
  static async start(disk = new MemoryDisk(), life = 1): Promise<NodeUnderTest> {
    const test = await NodeUnderTest.open(disk, life);
    await test.node.join(clusterOf({ shards: SHARDS }));
    return test;
  }

  /** One that has not found ZooKeeper yet. */
  static async open(disk = new MemoryDisk(), life = 1): Promise<NodeUnderTest> {
    const store = await Store.open(disk, OWNER, new CountingRandom());
    return new NodeUnderTest(disk, store, await ReplicaStore.open(disk), life);
  }

  /** All shards served by this node. */
  static async serving(): Promise<NodeUnderTest> {
    const test = await NodeUnderTest.start();
    const leader = test.lead(1);
    await test.tell(leader, test.configs({ state: 'creating' }));
    await test.tell(leader, test.configs(), 1);
    await test.tick();
    return test;
  }

  /** A process of its own on what the disk holds now; the leader gives it new epochs. */
  async restart(life = 2): Promise<NodeUnderTest> {
    const test = await NodeUnderTest.start(this.disk.afterCrash(), life);
    await test.tell(test.lead(life), test.configs({ epoch: life as ShardConfig['epoch'] }), life);
    await test.tick(700); // What an earlier life may have promised has run out.
    return test;
  }

  /** Lets the replicas notice that some time has passed. */
  async tick(ms = 100): Promise<void> {
    this.clock.advance(ms);
    await settle();
  }

  configs(change: Partial<ShardConfig> = {}, node = this.self): ShardConfig[] {
    return Array.from({ length: SHARDS }, (_, shard) =>
      configOf(shard, node, { slots: slotRangeOf(shard as ShardId, SHARDS), ...change }),
    );
  }

  /** A leader's stream to this node. */
  lead(leaderEpoch: number, { clusterUuid = uuidOf('cluster'), hello = true } = {}) {
    const heard = new Recorder<MemberMessage>();
    const events = this.node.follow(heard, 'leader');
    const say = (message: LeaderMessage) => events.message(message);
    if (hello) {
      say({
        type: 'hello',
        clusterUuid,
        leaderEpoch: leaderEpoch as LeaderEpoch,
        leader: 'r1' as MemberId,
      });
    }
    return { heard, say, events };
  }

  async tell(
    leader: { say: (message: LeaderMessage) => void },
    configs: readonly ShardConfig[],
    version = 0,
  ): Promise<void> {
    const shards = configs.map((config) => ({ config, version }));
    leader.say({ type: 'map', shards, nodes: [this.self] });
    await settle();
  }

  /** A unary call; the answer, or the code it was refused with. */
  async call(kind: CallKind, request: Buffer, budgetMs = 1_000): Promise<CallAnswer> {
    try {
      const response = await this.node.kv.call(kind, request, {
        budgetMs,
        onCancel: () => undefined,
      });
      return answerOf(kind, response);
    } catch (error) {
      return { code: (error as { code: string }).code };
    }
  }

  get(key: string): Promise<CallAnswer> {
    return this.call('get', getRequest(key));
  }

  put(key: string, value: string, ifVersion?: number): Promise<CallAnswer> {
    return this.call('put', putRequest(key, value, ifVersion));
  }

  delete(key: string, ifVersion = 0): Promise<CallAnswer> {
    return this.call('delete', deleteRequest(key, ifVersion));
  }
}

/** A router's stream: frames in, decoded answers out, by call. */
export class ExchangeUnderTest {
  readonly out = new Recorder<Buffer>();
  readonly events;
  /** The router's clock, beside the node's: they begin at different times. */
  sentMs = 5_000_000;
  #call = 0;

  constructor(node: StorageNode) {
    this.events = node.exchange(this.out, 'router');
  }

  /** Sends all in one frame; returns their call numbers. */
  send(
    requests: readonly {
      kind: CallKind;
      payload: Buffer;
      shard: number;
      epoch?: number;
      budgetMs?: number;
    }[],
  ): number[] {
    const records = requests.map(({ kind, payload, shard, epoch = 1, budgetMs = 1_000 }) => ({
      call: ++this.#call,
      kind,
      payload,
      shard: shard as ShardId,
      epoch: epoch as ShardConfig['epoch'],
      budgetMs,
    }));
    this.events.message(encodeRequests(records, this.sentMs));
    return records.map(({ call }) => call);
  }

  responses() {
    return this.out.messages.flatMap((frame) => decodeResponses(frame));
  }

  details() {
    return this.responses().map(({ status, payload }) => ({
      status,
      detail: status === 'ok' ? undefined : decodeErrorDetail(payload),
    }));
  }
}
