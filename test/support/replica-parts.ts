/** One replica without a group around it: the test plays its disk, its peers and its leader. */
import { CatchUps } from '../../src/replication/catch-ups.js';
import { Installs } from '../../src/replication/installs.js';
import { LeaseClaims, LeaseGrants } from '../../src/replication/lease.js';
import type { Position } from '../../src/replication/entry.js';
import type { ReplicaMessage } from '../../src/replication/messages.js';
import type { Ready } from '../../src/replication/outbox.js';
import type { Write } from '../../src/replication/proposals.js';
import type { Recovered } from '../../src/replication/replica-body.js';
import { ReadMemory } from '../../src/replication/read-cache.js';
import { Sessions } from '../../src/replication/sessions.js';
import { type ReplicaInput, ShardReplica } from '../../src/replication/shard-replica.js';
import type { Epoch, MemberId, Seq, ShardId } from '../../src/model/ids.js';
import type { ShardConfig } from '../../src/model/shard-config.js';
import { configOf, nodeOf, placeOf, uuidOf } from './configs.js';
import { GROUP_SETTINGS, LEASE } from './replica-group.js';

const TICK_MS = 100;

export const [s1, s2, s3] = [nodeOf('s1'), nodeOf('s2'), nodeOf('s3')];

/** A shard on all three nodes: `s1` leads epoch 1, everybody is in sync. */
export function threeOf(change: Partial<ShardConfig> = {}): ShardConfig {
  const members = [s1, s2, s3];
  return configOf(0, s1, {
    isr: members.map(({ id }) => id),
    replicas: members.map(placeOf),
    leaseReleased: true,
    ...change,
  });
}

export function putOf(key: string, value = 'v'): Write {
  return { type: 'put', key: Buffer.from(key), value: Buffer.from(value) };
}

/** The replica of one node. */
export class LoneReplica {
  readonly replica: ShardReplica;
  readonly sessions = new Sessions();
  readonly installs = new Installs({ installsMax: 1 });
  readonly catchUps: CatchUps;
  readonly readMemory = new ReadMemory({ readBytesMax: 10_000 });
  readonly grants = new LeaseGrants(LEASE, 0);
  readonly claims = new LeaseClaims(LEASE);
  now = 10_000;
  #calls = 0;
  #isWriting = false;
  /** Number of the latest `attach` that each peer got. */
  readonly #attached = new Map<MemberId, number>();

  constructor(self = s1, settings: Partial<typeof GROUP_SETTINGS> = {}, recovered?: Recovered) {
    const { id, store, process } = self;
    const all = { ...GROUP_SETTINGS, ...settings };
    this.catchUps = new CatchUps(all);
    this.replica = new ShardReplica(
      { shard: 0 as ShardId, shardUuid: uuidOf('shard-0') },
      {
        ...{ self: id, store, process },
        ...{ sessions: this.sessions, grants: this.grants, claims: this.claims },
        installs: this.installs,
        catchUps: this.catchUps,
        readMemory: this.readMemory,
        settings: all,
      },
      recovered,
    );
  }

  /** It leads the three nodes, whose logs are empty, and has committed its barrier. */
  static leading(settings: Partial<typeof GROUP_SETTINGS> = {}): LoneReplica {
    const lone = new LoneReplica(s1, settings);
    lone.config(threeOf({ state: 'creating' }), 0);
    lone.persisted();
    lone.config(threeOf(), 1);
    for (const peer of [s2, s3]) lone.attach(peer.id);
    lone.persisted();
    lone.ackAll(s2.id, s3.id);
    lone.replica.takeReady();
    return lone;
  }

  step(input: ReplicaInput): Ready {
    this.replica.step(input, this.now);
    return this.take();
  }

  /** Starts the next batch, if there is need and none is under way. */
  take(): Ready {
    if (!this.#isWriting) this.#isWriting = this.replica.takePersist() !== undefined;
    const ready = this.replica.takeReady();
    for (const { to, message } of ready.send) {
      if (message.type === 'attach') this.#attached.set(to, message.number);
    }
    return ready;
  }

  config(config: ShardConfig, version: number): Ready {
    return this.step({ type: 'config', update: { config, version } });
  }

  message(from: MemberId, message: ReplicaMessage): Ready {
    return this.step({ type: 'message', from, message });
  }

  /** Its batch is durable. */
  persisted(): Ready {
    if (!this.#isWriting) return this.take();
    this.#isWriting = false;
    return this.step({ type: 'persisted' });
  }

  /** A stream to this peer stands, and it says that its log is as ours, up to there. */
  attach(node: MemberId, seq = 0): Ready {
    return this.#attachWith(node, () => [this.#at(seq)]);
  }

  /** The same, but it says that it has no usable data. */
  attachEmpty(node: MemberId): Ready {
    return this.#attachWith(node, () => []);
  }

  #attachWith(node: MemberId, tail: () => readonly Position[]): Ready {
    const peer = [s1, s2, s3].find(({ id }) => id === node)!;
    this.sessions.up({ node, store: peer.store, process: peer.process });
    this.claims.answered(node, this.now);
    this.step({ type: 'session-up', node });
    return this.answerAttach(node, tail());
  }

  /** This peer answers the latest `attach` that it got; it waits for where to go on. */
  answerAttach(node: MemberId, tail: readonly Position[]): Ready {
    const number = this.#attached.get(node) ?? 0;
    return this.message(node, {
      type: 'attached',
      epoch: this.epoch,
      number,
      tail,
      follows: false,
    });
  }

  /** These peers acknowledge everything. */
  ackAll(...nodes: readonly MemberId[]): void {
    for (const from of nodes) this.ack(from, this.replica.body.log.last.seq);
  }

  ack(from: MemberId, seq: number): Ready {
    const position = this.#at(seq);
    return this.message(from, { type: 'prepareAck', epoch: this.epoch, position });
  }

  put(key: string, ifVersion?: number, storedVersion?: number): Ready {
    const call = ++this.#calls;
    const stored = storedVersion as Seq | undefined;
    const proposal = { call, write: putOf(key), ifVersion, storedVersion: stored };
    return this.step({ type: 'write', proposal });
  }

  /** Time passes, tick by tick, and these peers answer a beat each time. */
  pass(milliseconds: number, ...heard: readonly MemberId[]): Ready {
    const seen: Ready[] = [];
    for (let left = milliseconds; left > 0; left -= TICK_MS) {
      seen.push(this.stand(Math.min(left, TICK_MS), ...heard));
    }
    return joined(seen);
  }

  /** Time passes in which this process does not run; then a tick is the first thing it does. */
  stand(milliseconds: number, ...heard: readonly MemberId[]): Ready {
    this.now += milliseconds;
    for (const node of heard) this.claims.answered(node, this.now);
    return this.step({ type: 'tick' });
  }

  #at(seq: number): Position {
    return this.replica.body.log.positionAt(seq as Seq)!;
  }

  get epoch(): Epoch {
    return this.replica.primary?.epoch ?? this.replica.body.promisedEpoch;
  }

  get start() {
    const { seq, epoch, chain } = this.replica.body.log.base;
    return { seq, epoch, chain };
  }
}

/** What was decided in several steps, in order. */
function joined(steps: readonly Ready[]): Ready {
  return {
    answers: steps.flatMap(({ answers }) => answers),
    send: steps.flatMap(({ send }) => send),
    requests: steps.flatMap(({ requests }) => requests),
    installs: steps.flatMap(({ installs }) => installs),
    handOvers: steps.flatMap(({ handOvers }) => handOvers),
    events: steps.flatMap(({ events }) => events),
  };
}
