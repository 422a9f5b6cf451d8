/**
 * Kills, with -9 or by asking, at fixed intervals, and measures what each cost: the time until the
 * successor acts, the longest time around it in which no operation succeeded, the slowest operation,
 * and how long what was killed takes until all is as before.
 */
import type { Client, ClusterStatus } from '../src/client/index.js';
import { round, type Gauge } from './gauge.js';
import type { OwnCluster } from './cluster.js';
import type { KillRole, KillSignal } from './options.js';

export interface Kill {
  readonly role: KillRole;
  /** Milliseconds since the measured load began. */
  readonly atMs: number;
  /**
   * From the kill until somebody else does the work: a new leader holds the next leaderEpoch, or
   * every shard has a primary again. Null for a router that did not lead: nobody has to take over.
   */
  readonly takeoverMs: number | null;
  /** Longest time around the kill in which no operation of the whole load succeeded. */
  readonly gapMs: number;
  /** The slowest operation that ended between the kill and the start of the new process. */
  readonly slowestMs: number;
  /** The slowest one from then until all is as before. */
  readonly slowestBackMs: number;
  /** From the start of the new process until the cluster is healthy, every replica in sync. */
  readonly backMs: number;
  /** Operations that succeeded while it was dead. */
  readonly missedOps: number;
}

const POLL_MS = 4;
const GIVE_UP_MS = 60_000;

export class Killer {
  readonly #cluster: OwnCluster;
  readonly #client: Client;
  readonly #role: KillRole;
  readonly #signal: KillSignal;
  readonly kills: Kill[] = [];

  constructor(cluster: OwnCluster, client: Client, role: KillRole, signal: KillSignal) {
    this.#cluster = cluster;
    this.#client = client;
    this.#role = role;
    this.#signal = signal;
  }

  /** One kill, its takeover, and the whole cluster healthy again. */
  async kill(loadStartMs: number, gauge: () => Gauge): Promise<Kill> {
    const before = await this.#client.status();
    const victim = this.#chooseVictim(before);
    const pid = this.#cluster.pidOf(victim);
    const killedMs = performance.now();
    const opsBefore = gauge().ops;
    process.kill(pid, this.#signal);
    const takeoverMs = await this.#takeover(before, killedMs);
    await this.#poll(() => this.#cluster.pidOf(victim) !== pid);
    const startedMs = performance.now();
    const missedOps = gauge().ops - opsBefore;
    await this.#until((status) => status.healthy && isAsBefore(status, before));
    const backMs = round(performance.now() - startedMs);
    // The gap ends with a success; the takeover may be over before the next one.
    await new Promise((resolve) => setTimeout(resolve, 200));
    const gapMs = round(gauge().longestGapWithin(killedMs, performance.now()));
    const slowestMs = round(gauge().slowestWithin(killedMs, startedMs));
    const slowestBackMs = round(gauge().slowestWithin(startedMs, performance.now()));
    const atMs = Math.round(killedMs - loadStartMs);
    const kill = {
      role: this.#role,
      atMs,
      takeoverMs,
      gapMs,
      slowestMs,
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

  async #takeover(before: ClusterStatus, killedMs: number): Promise<number | null> {
    if (this.#role === 'router') return null;
    const epochBefore = before.leader?.leaderEpoch ?? 0;
    const done =
      this.#role === 'leader'
        ? (status: ClusterStatus) => (status.leader?.leaderEpoch ?? 0) > epochBefore
        : (status: ClusterStatus) =>
            epochSum(status) > epochSum(before) && status.shards.every(({ served }) => served);
    await this.#until(done);
    return round(performance.now() - killedMs);
  }

  #until(holds: (status: ClusterStatus) => boolean): Promise<void> {
    return this.#poll(async () => {
      const status = await this.#client.status({ timeoutMs: 1_000 }).catch(() => undefined);
      return status !== undefined && holds(status);
    });
  }

  async #poll(holds: () => boolean | Promise<boolean>): Promise<void> {
    const deadline = performance.now() + GIVE_UP_MS;
    for (;;) {
      if (await holds()) return;
      if (performance.now() > deadline) throw new Error('the cluster did not recover within 60 s');
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }
}

/** Every shard has as many replicas in sync. */
function isAsBefore(status: ClusterStatus, before: ClusterStatus): boolean {
  return status.shards.every(({ isr }, index) => {
    return isr.length >= (before.shards[index]?.isr.length ?? 0);
  });
}

function epochSum(status: ClusterStatus): number {
  return status.shards.reduce((sum, { epoch }) => sum + epoch, 0);
}
