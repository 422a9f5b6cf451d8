/**
 * One router's part in the election, over all its sessions: joins, watches its predecessor, leads
 * when it is lowest *and* has taken the leaderEpoch, and stops leading when it cannot prove that it
 * still may (rules Z1, Z2, Z4).
 *
 * `control/election.ts` decides; this drives. Every wake-up leads to the same step, `#evaluate`,
 * which reads the candidates again: no wake-up is trusted to mean anything (rule Z7).
 *
 * That a predecessor is dead is a guess (`predecessor-watch.ts`). A wrong one costs a router its
 * place in the election, which it finds out when no leader tells it anything
 * ({@link Candidacy.look}), but never the map its consistency: the leaderEpoch fences (D2).
 */
import { standingOf } from '../control/election.js';
import { takeLeaderEpoch, type Fence } from '../coordination/leader-epoch.js';
import { createProtected } from '../coordination/protected-create.js';
import type { LeaderEpoch, MemberId, Uuid } from '../model/ids.js';
import { type CandidateRecord, encodeCandidateRecord } from '../model/registrations.js';
import { CANDIDATE_PREFIX, candidateZnode, ZNODES } from '../model/znodes.js';
import type { Cancel, Clock } from '../ports/clock.js';
import type { CoordinatorSession } from '../ports/coordinator.js';
import type { Log } from '../ports/log.js';
import type { Dialer } from '../ports/network.js';
import type { Random } from '../ports/random.js';
import { readCandidates } from '../coordination/candidates.js';
import { PredecessorWatch } from './predecessor-watch.js';

/** Between looks at the election although nothing was heard (rule Z7), plus jitter. */
const RESYNC_MS = { least: 30_000, jitter: 30_000 };
/** Pause after a step that ZooKeeper did not answer. */
const RETRY_MS = 200;
/** So many session timeouts are enough for a dead router's znode to go. */
const PATIENCE = 1.5;

export interface CandidacyDeps {
  readonly self: MemberId;
  readonly record: CandidateRecord;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly dialer: Dialer;
}

export interface TakenOffice {
  readonly fence: Fence;
  /** Name of our candidate znode. */
  readonly candidate: string;
}

export interface CandidacyEvents {
  /** This router leads from now on, until `resign` is called. */
  lead(session: CoordinatorSession, office: TakenOffice): void;
  /** This router leads no more. Called once per `lead`. */
  resign(why: string): void;
  /** It cannot stand for election, now or later. Called at most once. */
  failed(reason: Error): void;
}

/** Another router has our id, at another address, and does not go away. */
export class RouterIdInUseError extends Error {
  constructor(id: MemberId, holder: string) {
    super(`router id "${id}" is in use by a process at ${holder}; choose another one with --id`);
    this.name = 'RouterIdInUseError';
  }
}

export class Candidacy {
  readonly #deps: CandidacyDeps;
  readonly #events: CandidacyEvents;
  /** In the names of all our candidate znodes: tells our own orphans from others (rule Z1). */
  readonly #guid: Uuid;
  #session: CoordinatorSession | undefined;
  /** Name of our znode in this session; undefined before it is made. */
  #own: string | undefined;
  #fence: Fence | undefined;
  /** The candidate whose deletion we wait for. */
  #watched: PredecessorWatch | undefined;
  /** `again`: something happened while the step ran, so it runs once more. */
  #step: 'idle' | 'running' | 'again' = 'idle';
  #cancelTimer: Cancel = () => undefined;
  #withdrawn = false;
  #heardEpoch = 0 as LeaderEpoch;
  /** Since when another candidate has our id. */
  #takenSinceMs: number | undefined;

  constructor(deps: CandidacyDeps, events: CandidacyEvents) {
    this.#deps = deps;
    this.#events = events;
    this.#guid = deps.random.uuid();
  }

  /** Stands for election in this session, and no longer in the one before. */
  enter(session: CoordinatorSession): void {
    this.#resign('a new session began');
    this.#forgetWatch();
    this.#session = session;
    this.#takenSinceMs = undefined;
    this.#own = undefined;
    session.on('proven', (isProven) => {
      if (session !== this.#session) return;
      if (isProven) this.#evaluateSoon();
      else this.#resign('ZooKeeper is silent: the session may be over');
    });
    session.on('state', (state) => {
      if (session !== this.#session) return;
      if (state === 'lost') this.#resign('the session is lost');
      if (state === 'connected') this.#evaluateSoon();
    });
    this.#evaluateSoon();
  }

  /** Looks at the election again: nobody who leads knows of us, perhaps we stand no more. */
  look(): void {
    this.#evaluateSoon();
  }

  /** Stops leading, because of what its leadership found out, and looks at the election again. */
  abdicate(why: string): void {
    this.#resign(why);
    this.#evaluateSoon();
  }

  /**
   * Somebody has heard of this leaderEpoch. Ours must be above it: usually another router leads; a
   * ZooKeeper that was set back offers numbers that were used already.
   */
  heard(leaderEpoch: LeaderEpoch): void {
    if (leaderEpoch > this.#heardEpoch) this.#heardEpoch = leaderEpoch;
    if (this.#fence === undefined || this.#fence.leaderEpoch >= leaderEpoch) return;
    this.abdicate(`there is a later leaderEpoch, ${leaderEpoch}`);
  }

  /** Leaves the election for good, so that the next one need not wait for a timeout. */
  async withdraw(): Promise<void> {
    this.#withdrawn = true;
    this.#cancelTimer();
    this.#forgetWatch();
    this.#resign('the router stops');
    if (this.#session === undefined || this.#own === undefined) return;
    await this.#session.remove(candidateZnode(this.#own), 0);
  }

  #evaluateSoon(): void {
    if (this.#step !== 'idle') {
      this.#step = 'again';
      return;
    }
    this.#step = 'running';
    void this.#evaluateUntilQuiet();
  }

  async #evaluateUntilQuiet(): Promise<void> {
    let answered = true;
    do {
      this.#step = 'running';
      answered = this.#withdrawn || (await this.#evaluate());
    } while (answered && this.#isAskedAgain());
    this.#step = 'idle';
    if (this.#withdrawn) return;
    const { least, jitter } = RESYNC_MS;
    const delayMs = answered ? least + jitter * this.#deps.random.fraction() : RETRY_MS;
    this.#cancelTimer();
    this.#cancelTimer = this.#deps.clock.after(delayMs, () => this.#evaluateSoon());
  }

  #isAskedAgain(): boolean {
    return this.#step === 'again';
  }

  /** One look at the election and what follows from it. False: ZooKeeper did not answer. */
  async #evaluate(): Promise<boolean> {
    const session = this.#session;
    if (session?.state !== 'connected') return true; // The state change wakes us.
    if (this.#own === undefined && !(await this.#join(session))) return false;
    const own = this.#own;
    const children = await session.children(ZNODES.election);
    if (session !== this.#session || own === undefined || this.#withdrawn) return true;
    if (children.status !== 'ok') return false;

    const standing = standingOf(own, children.value ?? []);
    switch (standing.role) {
      case 'absent':
        this.#resign('its znode is gone');
        this.#forgetWatch();
        this.#own = undefined;
        this.#evaluateSoon();
        return true;
      case 'lowest':
        this.#forgetWatch();
        return this.#takeOffice(session, own);
      case 'follower':
        this.#resign('another router comes first');
        return this.#watch(session, standing.watches, standing.lowest);
    }
  }

  async #join(session: CoordinatorSession): Promise<boolean> {
    const { record, log } = this.#deps;
    if (await this.#isIdTaken(session)) return false;
    const created = await createProtected(session, {
      directory: ZNODES.election,
      guid: this.#guid,
      prefix: CANDIDATE_PREFIX,
      data: encodeCandidateRecord(record),
    });
    if (created.status !== 'ok' || session !== this.#session) return false;
    // Two that start together may both have found nobody: the later one yields.
    if (await this.#isIdTaken(session, created.value)) {
      await session.remove(candidateZnode(created.value), 0);
      return false;
    }
    if (session !== this.#session) return false;
    this.#own = created.value;
    log.info(`znode name ${candidateZnode(created.value)}`);
    return true;
  }

  /**
   * Removes what an earlier process of ours left behind at our address. It is dead: we listen
   * there. Without this a router that restarts at once would be its own predecessor for a while.
   *
   * True: a candidate at another address has our id, and comes before our own znode if we have one.
   * It may be an earlier life of ours that has not timed out yet, so we wait that long; a router
   * that stays is another one.
   */
  async #isIdTaken(session: CoordinatorSession, own?: string): Promise<boolean> {
    const children = await session.children(ZNODES.election);
    if (children.status !== 'ok' || children.value === undefined) return false;
    const { clock, log } = this.#deps;
    const { id, address } = this.#deps.record;
    let holder: string | undefined;
    for (const { name, record } of await readCandidates(session, children.value)) {
      if (name === own) break;
      if (record.id !== id) continue;
      if (record.address === address) await session.remove(candidateZnode(name), 0);
      else holder = record.address;
    }
    if (holder === undefined) {
      this.#takenSinceMs = undefined;
      return false;
    }
    if (this.#takenSinceMs === undefined) {
      this.#takenSinceMs = clock.now();
      log.warn(`a router at ${holder} has our id ${id}; waiting for it to end`);
    }
    if (clock.now() > this.#takenSinceMs + PATIENCE * session.timeoutMs) {
      this.#withdrawn = true;
      this.#events.failed(new RouterIdInUseError(id, holder));
    }
    return true;
  }

  async #takeOffice(session: CoordinatorSession, own: string): Promise<boolean> {
    if (this.#fence !== undefined) return true;
    const { self, random, log } = this.#deps;
    const claim = { leader: self, candidate: own, above: this.#heardEpoch, random };
    const taken = await takeLeaderEpoch(session, claim);
    if (session !== this.#session || this.#withdrawn) return true;
    if (taken.status !== 'ok') {
      log.warn('the leaderEpoch was not taken', {
        why: taken.status === 'failed' ? taken.message : taken.reason,
      });
      return false;
    }
    this.#fence = taken.value;
    log.info('I am the leader', { leaderEpoch: taken.value.leaderEpoch });
    this.#events.lead(session, { fence: taken.value, candidate: own });
    return true;
  }

  async #watch(session: CoordinatorSession, name: string, lowest: string): Promise<boolean> {
    if (this.#watched?.name === name) return true;
    const { clock, dialer, log } = this.#deps;
    this.#forgetWatch();
    const watch = new PredecessorWatch({ session, clock, dialer, log }, name, () => {
      if (this.#watched !== watch) return;
      this.#forgetWatch();
      this.#evaluateSoon();
    });
    this.#watched = watch;
    const begun = await watch.begin();
    if (this.#watched !== watch) return true; // Over already, or another session's turn.
    switch (begun) {
      case 'begun':
        log.info(`I am not the leader, ${lowest} is the leader`);
        log.info(`Watching znode ${name}`);
        return true;
      case 'gone':
        this.#forgetWatch();
        this.#evaluateSoon();
        return true;
      case 'unanswered':
        this.#forgetWatch();
        return false;
    }
  }

  #forgetWatch(): void {
    this.#watched?.stop();
    this.#watched = undefined;
  }

  #resign(why: string): void {
    if (this.#fence === undefined) return;
    this.#deps.log.warn(`I am not the leader any more: ${why}`, {
      leaderEpoch: this.#fence.leaderEpoch,
    });
    this.#fence = undefined;
    this.#events.resign(why);
  }
}
