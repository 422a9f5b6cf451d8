/**
 * Kills, with -9 or by asking, or stops for a while, at fixed intervals, and measures what each
 * cost: the time until the successor acts, the longest time around it in which no operation
 * succeeded, the slowest operation, and how long what was killed takes until all is as before.
 */
import type { Client, ClusterStatus } from '../src/client/index.js';
import { shardOfSlot, slotOf } from '../src/model/slot.js';
import { goOn, type OwnCluster } from './cluster.js';
import { round } from './gauge.js';
import type { Load } from './load.js';
import { MissedEntries } from './missed-entries.js';
import type { KillRole, KillSignal } from './options.js';
import { pause, poll } from './poll.js';

export interface Kill {
  readonly role: KillRole;
  /** Milliseconds since the measured load began. */
  readonly atMs: number;
  /**
   * From the kill until somebody else does the work: a new leader holds the next leaderEpoch, or
   * every shard that it led is served in another epoch; or, if it was stopped too shortly or has no
   * other replica, until it goes on itself. Null for a router that did not lead: nobody has to.
   */
  readonly takeoverMs: number | null;
  /** Longest time around the kill in which no operation of the whole load succeeded. */
  readonly gapMs: number;
  /** The slowest operation that ended between the kill and the start of the new process. */
  readonly slowestMs: number;
  /** The same, of each shard that got another primary. */
  readonly slowestOfShardsMs: readonly number[];
  /** The same, of each shard that kept its primary and lost a secondary. */
  readonly slowestOfBereftMs: readonly number[];
  /** The slowest one from then until all is as before. */
  readonly slowestBackMs: number;
  /** From the start of the new process until the cluster is healthy, every replica in sync. */
  readonly backMs: number;
  /** Operations that succeeded while it was dead. */
  readonly missedOps: number;
  /** With `--miss`: entries of logs, and how many replicas had to get all data instead of them. */
  readonly missedEntries: number | null;
  readonly installs: number;
}

/** How often the status is asked for after a kill of a router; of a process, whether it is back. */
const POLL_MS = 4;
/** After one of a node: each answer tells of all shards, and costs what the load would need. */
const POLL_SHARDS_MS = 25;
/** How often logs are asked for their ends. */
const POLL_LOGS_MS = 100;
/** The gap ends with a success; the takeover may be over before the next one. */
const SETTLE_MS = 200;

export interface KillerStart {
  readonly cluster: OwnCluster;
  readonly client: Client;
  readonly load: Load;
  readonly role: KillRole;
  readonly signal: KillSignal;
  /** Milliseconds for which what is stopped stays so; what is killed is restarted by the cluster. */
  readonly stoppedMs: number;
  /** The load rests from when so many entries are missed until all is as before; 0 = never. */
  readonly miss: number;
  /** Names of the keys of the load, by their numbers. */
  readonly keys: readonly Buffer[];
}

export class Killer {
  readonly #deps: KillerStart;
  readonly #pollMs: number;
  readonly kills: Kill[] = [];

  constructor(deps: KillerStart) {
    this.#deps = deps;
    const { role } = deps;
    this.#pollMs = role === 'leader' || role === 'router' ? POLL_MS : POLL_SHARDS_MS;
  }

  /** One kill, its takeover, and the whole cluster healthy again. */
  async kill(loadStartMs: number): Promise<Kill> {
    const { cluster, client, load, role, signal, miss } = this.#deps;
    const before = await client.status();
    const victim = this.#chooseVictim(before);
    const pid = cluster.pidOf(victim);
    const opsBefore = load.gauge.ops;
    cluster.installs.take();
    const killedMs = performance.now();
    process.kill(pid, signal);
    let hasContinued = false;
    const continued =
      signal === 'SIGSTOP' ? this.#continueLater(pid, () => (hasContinued = true)) : undefined;
    const { takeoverMs, after } = await this.#takeover({
      ...{ victim, before, killedMs },
      isBack: () => hasContinued,
    });
    const missedEntries = miss === 0 ? null : await this.#missEntries(victim, pid);
    const loadedMs = performance.now();
    const startedMs = (await continued) ?? (await this.#untilStarted(victim, pid));
    const missedOps = load.gauge.ops - opsBefore;
    await this.#until((status) => status.healthy && isAsBefore(status, before));
    const backMs = round(performance.now() - startedMs);
    if (missedEntries !== null) load.start();
    await pause(SETTLE_MS);
    const { gauge } = load;
    const untilMs = missedEntries === null ? performance.now() : loadedMs;
    const slowestOf = (shards: readonly number[]) =>
      shards.map((shard) => {
        const isOurs = (key: number) => this.#shardOf(key, after) === shard;
        return round(gauge.slowestWithin(killedMs, startedMs, isOurs));
      });
    const kill = {
      role,
      atMs: Math.round(killedMs - loadStartMs),
      takeoverMs,
      gapMs: round(gauge.longestGapWithin(killedMs, untilMs)),
      slowestMs: round(gauge.slowestWithin(killedMs, startedMs)),
      slowestOfShardsMs: slowestOf(movedShards(before, after)),
      slowestOfBereftMs: slowestOf(bereftShards(before, after, victim)),
      slowestBackMs: round(gauge.slowestWithin(startedMs, performance.now())),
      backMs,
      missedOps,
      missedEntries,
      installs: cluster.installs.take(),
    };
    this.kills.push(kill);
    return kill;
  }

  #chooseVictim(status: ClusterStatus): string {
    const { cluster, role } = this.#deps;
    const leader = status.leader?.id;
    if (leader === undefined) throw new Error('nobody leads: there is no leader to kill');
    switch (role) {
      case 'leader':
        return leader;
      case 'router':
        return this.#any(cluster.routers.filter(({ id }) => id !== leader));
      case 'primary':
      case 'storage':
        return this.#any(cluster.storage);
    }
  }

  #any(processes: readonly { readonly id: string }[]): string {
    const chosen = processes[Math.floor(Math.random() * processes.length)];
    if (chosen === undefined) throw new Error(`there is no ${this.#deps.role} to kill`);
    return chosen.id;
  }

  async #takeover({
    victim,
    before,
    killedMs,
    isBack,
  }: {
    readonly victim: string;
    readonly before: ClusterStatus;
    readonly killedMs: number;
    readonly isBack: () => boolean;
  }): Promise<{ readonly takeoverMs: number | null; readonly after: ClusterStatus }> {
    const { role } = this.#deps;
    if (role === 'router') return { takeoverMs: null, after: before };
    const epochBefore = before.leader?.leaderEpoch ?? 0;
    const done =
      role === 'leader'
        ? (status: ClusterStatus) => (status.leader?.leaderEpoch ?? 0) > epochBefore || isBack()
        : (status: ClusterStatus) =>
            status.shards.every(({ served, epoch }, index) => {
              const earlier = before.shards[index];
              const hasMoved = earlier?.primary !== victim || epoch > earlier.epoch;
              return served && (hasMoved || isBack());
            });
    const after = await this.#until(done);
    return { takeoverMs: round(performance.now() - killedMs), after };
  }

  /** Lets the load write until the victim has missed enough, and then rest. */
  async #missEntries(victim: string, pid: number): Promise<number> {
    const { cluster, load, miss } = this.#deps;
    const others = cluster.storage.filter(({ id }) => id !== victim);
    const missed = await MissedEntries.begin(others.map(({ address }) => address));
    await poll(
      `${miss} entries that ${victim} misses`,
      async () => {
        const count = await missed.count();
        if (cluster.pidOf(victim) !== pid) {
          const what = `${victim} was started again when it had missed ${count} of ${miss} entries`;
          throw new Error(`${what}: give a longer --restart-after-ms`);
        }
        return count >= miss || undefined;
      },
      POLL_LOGS_MS,
    );
    await load.stop();
    return missed.count();
  }

  /** What was stopped goes on in time, whatever becomes of its shards; resolves with when. */
  async #continueLater(pid: number, done: () => void): Promise<number> {
    await pause(this.#deps.stoppedMs);
    goOn(pid);
    done();
    return performance.now();
  }

  /** Until there is another process instead of the one that ended; resolves with when. */
  async #untilStarted(victim: string, pid: number): Promise<number> {
    const isThere = () => this.#deps.cluster.pidOf(victim) !== pid || undefined;
    await poll(`another process for ${victim}`, isThere, POLL_MS);
    return performance.now();
  }

  async #until(holds: (status: ClusterStatus) => boolean): Promise<ClusterStatus> {
    return poll(
      'the status to be what it should',
      async () => {
        const status = await this.#deps.client.status({ timeoutMs: 1_000 }).catch(() => undefined);
        return status !== undefined && holds(status) ? status : undefined;
      },
      this.#pollMs,
    );
  }

  #shardOf(key: number, { shards }: ClusterStatus): number {
    return shardOfSlot(slotOf(this.#deps.keys[key] ?? Buffer.alloc(0)), shards.length);
  }
}

/** Shards that have another primary than before. */
function movedShards(before: ClusterStatus, after: ClusterStatus): readonly number[] {
  return after.shards
    .filter(({ primary }, index) => primary !== before.shards[index]?.primary)
    .map(({ id }) => id);
}

/** Shards that have the same primary, and had the victim as a secondary. */
function bereftShards(
  before: ClusterStatus,
  after: ClusterStatus,
  victim: string,
): readonly number[] {
  return after.shards
    .filter(({ primary }, index) => {
      const earlier = before.shards[index];
      return primary === earlier?.primary && primary !== victim && earlier.isr.includes(victim);
    })
    .map(({ id }) => id);
}

/** Every shard has as many replicas in sync. */
function isAsBefore(status: ClusterStatus, before: ClusterStatus): boolean {
  return status.shards.every(({ isr }, index) => {
    return isr.length >= (before.shards[index]?.isr.length ?? 0);
  });
}
