/**
 * The replicas of this node, one core per shard it holds or has heard of, what they share, and what
 * their refusals add: the hint that repairs the caller's map.
 *
 * Nothing here waits. Whatever changes a replica comes from the rounds, so that configurations,
 * writes and messages have one order; reads ask for admission at any time.
 */
import type { Epoch, MemberId, ShardId, Uuid } from '../model/ids.js';
import type { ReplicaEntry } from '../model/member-messages.js';
import { RefusedError } from '../model/refusals.js';
import type { ShardMap } from '../model/shard-map.js';
import { admissionOf, type RequestKind, whyNeverStarted } from '../replication/admission.js';
import { CatchUps, type CatchUpSettings } from '../replication/catch-ups.js';
import { Installs, type InstallSettings } from '../replication/installs.js';
import { LeaseClaims, LeaseGrants, type LeaseSettings } from '../replication/lease.js';
import type { Refusal } from '../replication/outbox.js';
import type { PrimarySettings } from '../replication/primary.js';
import type { BodySettings } from '../replication/replica-body.js';
import { ReadMemory, type ReadSettings } from '../replication/read-cache.js';
import { Sessions } from '../replication/sessions.js';
import { ShardReplica, type NodeContext } from '../replication/shard-replica.js';
import type { ReplicaStore } from './replica-store.js';

export type ReplicaSettings = PrimarySettings &
  BodySettings &
  LeaseSettings &
  InstallSettings &
  CatchUpSettings &
  ReadSettings;

export interface ReplicasDeps {
  readonly store: ReplicaStore;
  /** Identity of the data directory. */
  readonly directory: Uuid;
  readonly map: ShardMap;
  readonly self: { readonly node: MemberId; readonly process: Uuid };
  readonly settings: ReplicaSettings;
  /** When this process began, by the clock that times its inputs. */
  readonly startedAt: number;
}

export class Replicas {
  readonly sessions = new Sessions();
  readonly grants: LeaseGrants;
  readonly claims: LeaseClaims;
  readonly readMemory: ReadMemory;
  readonly #store: ReplicaStore;
  readonly #map: ShardMap;
  readonly #context: NodeContext;
  /** Also those whose shard was made anew since: their data is here. */
  readonly #byUuid = new Map<Uuid, ShardReplica>();
  readonly #byShard = new Map<ShardId, ShardReplica>();
  /** Replicas with a problem, as the leader was told last. */
  readonly #toldDamaged = new Set<Uuid>();

  constructor({ store, directory, map, self, settings, startedAt }: ReplicasDeps) {
    this.#store = store;
    this.#map = map;
    this.grants = new LeaseGrants(settings, startedAt);
    this.claims = new LeaseClaims(settings);
    this.readMemory = new ReadMemory(settings);
    this.#context = {
      self: self.node,
      store: directory,
      process: self.process,
      sessions: this.sessions,
      installs: new Installs(settings),
      catchUps: new CatchUps(settings),
      readMemory: this.readMemory,
      grants: this.grants,
      claims: this.claims,
      settings,
    };
    for (const { shard, shardUuid } of store.states()) this.of(shard, shardUuid);
  }

  get(shard: ShardId): ShardReplica | undefined {
    return this.#byShard.get(shard);
  }

  all(): Iterable<ShardReplica> {
    return this.#byShard.values();
  }

  /** The same, and those of shards that were made anew since: whatever lies on disk. */
  held(): Iterable<ShardReplica> {
    return this.#byUuid.values();
  }

  /** The replica of this very shard, from now on: what the store holds of it, or one to be. */
  of(shard: ShardId, shardUuid: Uuid): ShardReplica {
    const replica = this.#byUuid.get(shardUuid) ?? this.#make(shard, shardUuid);
    this.#byShard.set(shard, replica);
    return replica;
  }

  admission(
    shard: ShardId,
    kind: RequestKind,
    asked: Epoch | undefined,
    now: number,
  ): 'now' | 'later' | Refusal {
    return admissionOf(shard, this.get(shard), { kind, asked }, now);
  }

  /** Why a write was never started although this node is the primary of its shard. */
  refusedUnstarted(shard: ShardId): RefusedError {
    return this.refused(shard, whyNeverStarted(shard, this.get(shard)));
  }

  /** What the leader is told of all replicas that exist durably, or should. */
  reports(): readonly ReplicaEntry[] {
    const told = [...this.held()].filter(({ body, problem }) => {
      return body.durableEpoch > 0 || problem !== undefined;
    });
    return told.map((replica) => this.report(replica));
  }

  /** The same of one. */
  report(replica: ShardReplica): ReplicaEntry {
    const { body, openedEpoch, lead } = replica;
    const { shard, shardUuid } = body;
    const problem = this.#problemOf(replica);
    if (problem === undefined) this.#toldDamaged.delete(shardUuid);
    else this.#toldDamaged.add(shardUuid);
    return {
      shard,
      shardUuid,
      store: this.#context.store,
      epoch: body.durableEpoch,
      openedEpoch,
      lastSeq: body.durableSeq,
      ...(problem !== undefined && { problem }),
      ...(lead !== undefined && { lead }),
    };
  }

  /** Whether the leader was told last of a problem that this replica has not any more. */
  isSoundAgain({ body, problem }: ShardReplica): boolean {
    return problem === undefined && body.exists && this.#toldDamaged.has(body.shardUuid);
  }

  /** The refusal with the newest configuration this node has heard, and where its primary is. */
  refused(shard: ShardId, { code, message }: Refusal): RefusedError {
    const known = this.#map.shards.get(shard);
    const hint = known && {
      ...known,
      address: this.#map.nodes.get(known.config.primary)?.address,
    };
    return new RefusedError(code, message, { hint });
  }

  /** What the start found says more than that nothing is there. */
  #problemOf({ body, problem }: ShardReplica): string | undefined {
    if (problem === undefined || body.exists) return problem;
    const found = this.#store.damaged().find((damaged) => {
      return damaged.shardUuid === body.shardUuid && damaged.at === undefined;
    });
    return found?.problem ?? problem;
  }

  #make(shard: ShardId, shardUuid: Uuid): ShardReplica {
    const recovered = this.#store.recovered(shardUuid);
    const replica = new ShardReplica({ shard, shardUuid }, this.#context, recovered);
    this.#byUuid.set(shardUuid, replica);
    return replica;
  }
}
