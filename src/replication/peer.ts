/**
 * One other replica of a shard, as the primary sees it in its epoch: what it holds, what is on its
 * way to it, and how far its lease reaches.
 */
import { assert } from '../model/assert.js';
import type { MemberId, Seq } from '../model/ids.js';
import type { ReplicaPlace } from '../model/shard-config.js';
import type { CatchUps } from './catch-ups.js';
import type { Position } from './entry.js';
import type { Installs } from './installs.js';

/**
 * `down`: no stream, or not to the replica that the configuration means. `attaching`: asked what it
 * holds. `installing`: gets all data. `following`: gets entries as they are sealed. `unusable`: it
 * said that it cannot follow, or contradicted what is committed, or we cannot read what it needs.
 */
export type PeerPhase = 'down' | 'attaching' | 'installing' | 'following' | 'unusable';

/** What all primaries of a node share. */
export interface PeerContext {
  readonly installs: Installs;
  readonly catchUps: CatchUps;
}

export class Peer {
  readonly node: MemberId;
  place: ReplicaPlace;
  phase: PeerPhase = 'down';
  /** Of the latest `attach` that it was sent: answers to earlier ones come late. */
  attachNumber = 0;
  /** Up to where nothing has to be sent: it was, or it is what the peer is expected to hold. */
  sentSeq = 0 as Seq;
  /** The highest commitSeq it was told on this stream. */
  toldCommitSeq = 0 as Seq;
  toldBaseSeq = 0 as Seq;
  /** What it acknowledged as durable in this epoch; undefined: nothing so far. */
  #durable: Position | undefined;
  /** When the claim on its lease ended that counts while it is not attached. */
  #claimUntil = -Infinity;
  /** Since when this primary knows of it: before that it cannot have been silent. */
  readonly knownSince: number;
  /** When it last came forward, or had nothing to do. */
  progressAt: number;
  /** How long, before that, it had none of all data that was sent to it, again and again. */
  stalledMs = 0;
  /** It has something else committed than we, and was not told yet. */
  hasDiverged = false;
  /** When it began to get all data the last time, and when it may again: ours was damaged. */
  installBeganAt = -Infinity;
  installNotBefore = -Infinity;
  /** What it gets all data as of, while it does: the log above is needed. */
  #installingFrom: Seq | undefined;
  readonly #installs: Installs;
  readonly #catchUps: CatchUps;

  constructor(place: ReplicaPlace, { installs, catchUps }: PeerContext, now: number) {
    this.node = place.node;
    this.place = place;
    this.#installs = installs;
    this.#catchUps = catchUps;
    this.knownSince = now;
    this.progressAt = now;
  }

  get durable(): Position | undefined {
    return this.#durable;
  }

  /** Whether beats it answers count for this shard. */
  get isAttached(): boolean {
    return this.phase === 'following' || this.phase === 'installing';
  }

  /** The log above this position is what it still needs; undefined: it is not catching up. */
  get needsAbove(): Seq | undefined {
    if (this.phase === 'following') return this.#durable?.seq;
    return this.phase === 'installing' ? this.#installingFrom : undefined;
  }

  /** It gets all data, as of this position or a later one. */
  install(from: Seq, now: number): void {
    this.phase = 'installing';
    this.installBeganAt = now;
    this.progressAt = now;
    this.#catchUps.end(this);
    this.#installs.begin(this);
    this.#installingFrom = from;
  }

  /** It came forward, with what it was to get. */
  cameForward(now: number): void {
    this.progressAt = now;
    this.stalledMs = 0;
  }

  /** Cumulative; an older one changes nothing. */
  acknowledge(position: Position): void {
    if (this.#durable !== undefined && position.seq <= this.#durable.seq) return;
    this.#durable = position;
  }

  /**
   * Its log was found to agree with ours up to `match`, which it holds durably, and nothing more:
   * it may have lost what it acknowledged, and be learnt anew. `follows`: it takes what was sent
   * behind that; otherwise it is sent again.
   */
  follow(match: Position, follows: boolean): void {
    assert(this.phase === 'attaching' || this.phase === 'installing', 'S3', () => ({
      phase: this.phase,
    }));
    this.#installs.end(this);
    this.phase = 'following';
    this.hasDiverged = false;
    if (!follows) this.sentSeq = match.seq;
    this.toldCommitSeq = 0 as Seq;
    this.toldBaseSeq = 0 as Seq;
    this.#durable = match;
  }

  /**
   * Its stream broke or it follows somebody else (`down`), or it cannot go on with what it has
   * (`unusable`). `claimUntil`: how far its lease reached.
   */
  detach(phase: 'down' | 'unusable', claimUntil: number): void {
    if (this.isAttached) this.#claimUntil = claimUntil;
    if (phase === 'down') this.hasDiverged = false; // It is asked anew.
    this.end();
    this.phase = phase;
  }

  /** Until when its promise can be relied on; `claimUntil` is what its node's beats say now. */
  leaseUntil(claimUntil: number): number {
    return this.isAttached ? claimUntil : this.#claimUntil;
  }

  /** Others may get all data in its place: it does not come forward. */
  endTurn(): void {
    this.#installs.end(this);
  }

  /** Nothing is on its way to it any more. */
  end(): void {
    this.endTurn();
    this.#catchUps.end(this);
  }

  /** It is another replica from now on: another store or life. Nothing it said counts any more. */
  replace(place: ReplicaPlace): void {
    this.end();
    this.place = place;
    this.phase = 'down';
    this.stalledMs = 0;
    this.hasDiverged = false;
    this.#durable = undefined;
    this.#claimUntil = -Infinity;
  }
}
