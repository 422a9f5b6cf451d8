/**
 * Kills, with -9 or by asking, at fixed intervals, and measures what each cost: the time until the
 * successor acts, the longest time around it in which no operation succeeded, the slowest operation,
 * and how long what was killed takes until all is as before.
 */
import type { Client, ClusterStatus } from '../src/client/index.js';
import { shardOfSlot, slotOf } from '../src/model/slot.js';
import { round, type Gauge } from './gauge.js';
import type { OwnCluster } from './cluster.js';
import type { KillRole, KillSignal } from './options.js';

export interface Kill {
  readonly role: KillRole;
  /** Milliseconds since the measured load began. */
  readonly atMs: number;
  /**
   * From the kill until somebody else does the work: a new leader holds the next leaderEpoch, or
   * every shard that it led is served in another epoch. Null for a router that did not lead: nobody
   * has to take over.
   */
  readonly takeoverMs: number | null;
  /** Longest time around the kill in which no operation of the whole load succeeded. */
  readonly gapMs: number;
  /** The slowest operation that ended between the kill and the start of the new process. */
  readonly slowestMs: number;
  /** The same, of each shard that got another primary. */
  readonly slowestOfShardsMs: readonly number[];
  /** The slowest one from then until all is as before. */
  readonly slowestBackMs: number;
  /** From the start of the new process until the cluster is healthy, every replica in sync. */
  readonly backMs: number;
  /** Operations that succeeded while it was dead. */
  readonly missedOps: number;
}

/** How often the status is asked for after a kill of a router; of a process, whether it is back. */
const POLL_MS = 4;
/** After one of a node: each answer tells of all shards, and costs what the load would need. */
const POLL_SHARDS_MS = 25;
const GIVE_UP_MS = 60_000;

export interface KillerStart {
  readonly cluster: OwnCluster;
  readonly client: Client;
  readonly role: KillRole;
  readonly signal: KillSignal;
  /** Names of the keys of the load, by their numbers. */
  readonly keys: readonly Buffer[];
}

export class Killer {
  readonly #cluster: OwnCluster;
  readonly #client: Client;
  readonly #role: KillRole;
  readonly #signal: KillSignal;
  readonly #keys: readonly Buffer[];
  readonly #pollMs: number;
  readonly kills: Kill[] = [];

  constructor({ cluster, client, role, signal, keys }: KillerStart) {
    this.#cluster = cluster;
    this.#client = client;
    this.#role = role;
    this.#signal = signal;
    this.#keys = keys;
    this.#pollMs = role === 'leader' || role === 'router' ? POLL_MS : POLL_SHARDS_MS;
  }

  /** One kill, its takeover, and the whole cluster healthy again. */
  async kill(loadStartMs: number, gauge: () => Gauge): Promise<Kill> {
    const before = await this.#client.status();
    const victim = this.#chooseVictim(before);
    const pid = this.#cluster.pidOf(victim);
    const killedMs = performance.now();
    const opsBefore = gauge().ops;
    process.kill(pid, this.#signal);
    const { takeoverMs, after } = await this.#takeover(victim, before, killedMs);
    await poll(() => this.#cluster.pidOf(victim) !== pid || undefined, POLL_MS);
    const startedMs = performance.now();
    const missedOps = gauge().ops - opsBefore;
    await this.#until((status) => status.healthy && isAsBefore(status, before));
    const backMs = round(performance.now() - startedMs);
    // The gap ends with a success; the takeover may be over before the next one.
    await new Promise((resolve) => setTimeout(resolve, 200));
    const gapMs = round(gauge().longestGapWithin(killedMs, performance.now()));
    const slowestMs = round(gauge().slowestWithin(killedMs, startedMs));
    const slowestOfShardsMs = movedShards(before, after).map((shard) => {
      const isOurs = (key: number) => this.#shardOf(key, after) === shard;
      return round(gauge().slowestWithin(killedMs, startedMs, isOurs));
    });
    const slowestBackMs = round(gauge().slowestWithin(startedMs, performance.now()));
    const atMs = Math.round(killedMs - loadStartMs);
    const kill = {
      role: this.#role,
      atMs,
      takeoverMs,
      gapMs,
      slowestMs,
      slowestOfShardsMs,
      slowestBackMs,
      backMs,
      missedOps,
    };
    this.kills.push(kill);
    return kill;
  }

  #chooseVictim(status: ClusterStatus): string {
    const leader = status.leader?.id;
    if (leader === undefined) throw new Error('nobody leads: there is no leader to kill');
    switch (this.#role) {
      case 'leader':
        return leader;
      case 'router':
        return this.#any(this.#cluster.routers.filter(({ id }) => id !== leader));
      case 'primary':
      case 'storage':
        return this.#any(this.#cluster.storage);
    }
  }

  #any(processes: readonly { readonly id: string }[]): string {
    const chosen = processes[Math.floor(Math.random() * processes.length)];
    if (chosen === undefined) throw new Error(`there is no ${this.#role} to kill`);
    return chosen.id;
  }

  async #takeover(
    victim: string,
    before: ClusterStatus,
    killedMs: number,
  ): Promise<{ readonly takeoverMs: number | null; readonly after: ClusterStatus }> {
    if (this.#role === 'router') return { takeoverMs: null, after: before };
    const epochBefore = before.leader?.leaderEpoch ?? 0;
    const done =
      this.#role === 'leader'
        ? (status: ClusterStatus) => (status.leader?.leaderEpoch ?? 0) > epochBefore
        : (status: ClusterStatus) =>
            status.shards.every(({ served, epoch }, index) => {
              const earlier = before.shards[index];
              return served && (earlier?.primary !== victim || epoch > earlier.epoch);
            });
    const after = await this.#until(done);
    return { takeoverMs: round(performance.now() - killedMs), after };
  }

  async #until(holds: (status: ClusterStatus) => boolean): Promise<ClusterStatus> {
    return poll(async () => {
      const status = await this.#client.status({ timeoutMs: 1_000 }).catch(() => undefined);
      return status !== undefined && holds(status) ? status : undefined;
    }, this.#pollMs);
  }

  #shardOf(key: number, { shards }: ClusterStatus): number {
    return shardOfSlot(slotOf(this.#keys[key] ?? Buffer.alloc(0)), shards.length);
  }
}

/** What `find` gives, once it gives something. */
async function poll<T>(
  find: () => T | undefined | Promise<T | undefined>,
  everyMs: number,
): Promise<T> {
  const deadline = performance.now() + GIVE_UP_MS;
  for (;;) {
    const found = await find();
    if (found !== undefined) return found;
    if (performance.now() > deadline) throw new Error('the cluster did not recover within 60 s');
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}

/** Shards that have another primary than before. */
function movedShards(before: ClusterStatus, after: ClusterStatus): readonly number[] {
  return after.shards
    .filter(({ primary }, index) => primary !== before.shards[index]?.primary)
    .map(({ id }) => id);
}

/** Every shard has as many replicas in sync. */
function isAsBefore(status: ClusterStatus, before: ClusterStatus): boolean {
  return status.shards.every(({ isr }, index) => {
    return isr.length >= (before.shards[index]?.isr.length ?? 0);
  });
}
