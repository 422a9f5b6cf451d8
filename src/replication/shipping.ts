/**
 * What a primary sends to the other replicas of its shard: the question what they hold, the log
 * from there on in its order, and what of it is committed.
 *
 * Pipelined: entries are sent ahead of their acknowledgements, up to a bound for each replica, and
 * up to one for all replicas of a node that catch up.
 */
import { assert } from '../model/assert.js';
import type { Epoch } from '../model/ids.js';
import type { CatchUps, OnItsWay } from './catch-ups.js';
import { type Position, positionOf } from './entry.js';
import type { PrepareEntry } from './messages.js';
import type { Outbox } from './outbox.js';
import type { Peer } from './peer.js';
import type { ReplicaBody } from './replica-body.js';

export interface ShippingSettings {
  /** Entries and bytes sent ahead to a replica that catches up. */
  readonly catchUpEntries: number;
  readonly catchUpBytes: number;
}

export interface ShippingStart {
  readonly body: ReplicaBody;
  readonly outbox: Outbox;
  readonly catchUps: CatchUps;
  readonly settings: ShippingSettings;
}

export class Shipping {
  readonly #epoch: Epoch;
  readonly #body: ReplicaBody;
  readonly #outbox: Outbox;
  readonly #catchUps: CatchUps;
  readonly #settings: ShippingSettings;
  #attaches = 0;

  constructor(epoch: Epoch, { body, outbox, catchUps, settings }: ShippingStart) {
    this.#epoch = epoch;
    this.#body = body;
    this.#outbox = outbox;
    this.#catchUps = catchUps;
    this.#settings = settings;
  }

  /** Asks a peer what it holds, and sends it what is behind `after`, should it hold all of that. */
  attach(peer: Peer, after: Position, now: number): void {
    const number = ++this.#attaches;
    peer.phase = 'attaching';
    peer.attachNumber = number;
    peer.sentSeq = after.seq;
    const epoch = this.#epoch;
    this.#outbox.send(peer.node, { type: 'attach', epoch, number, after: positionOf(after) });
    while (peer.sentSeq < this.#body.log.last.seq) this.#sendNext(peer, now);
  }

  /** Where one goes on that holds more, or less, than we thought. */
  resume(peer: Peer, match: Position): void {
    const epoch = this.#epoch;
    this.#outbox.send(peer.node, { type: 'resume', epoch, match: positionOf(match) });
  }

  /**
   * Sends what a follower does not have, as far as it may be ahead of its acknowledgements. False:
   * the log does not reach back so far. `isAwaited`: commits wait for it.
   */
  ship(peer: Peer, isAwaited: boolean, now: number): boolean {
    const { log } = this.#body;
    if (peer.phase !== 'following') return true;
    if (peer.sentSeq < log.base.seq) return false;
    let ahead = this.#onItsWay(peer);
    if (ahead === undefined) return true; // What was trimmed is on its way all the same.
    if (isAwaited) this.#catchUps.end(peer);
    else this.#catchUps.set(peer, ahead, now);
    while (peer.sentSeq < log.last.seq) {
      if (this.#isFull(ahead)) return true;
      if (!isAwaited && this.#catchUps.isFull(peer.node)) {
        // It waits for its node, which may be of no use as well as any replica.
        peer.progressAt = Math.max(peer.progressAt, this.#catchUps.progressAt(peer.node));
        return true;
      }
      const bytes = this.#sendNext(peer, now);
      ahead = { entries: ahead.entries + 1, bytes: ahead.bytes + bytes };
      if (!isAwaited) this.#catchUps.set(peer, ahead, now);
    }
    return true;
  }

  /**
   * Entries carry what is committed, and what nobody needs any more; without any, a follower would
   * never apply the last ones, or never forget the first.
   */
  tellCommit(peer: Peer): void {
    const { commitSeq, log } = this.#body;
    const baseSeq = log.base.seq;
    if (peer.phase !== 'following') return;
    if (peer.toldCommitSeq >= commitSeq && peer.toldBaseSeq >= baseSeq) return;
    peer.toldCommitSeq = commitSeq;
    peer.toldBaseSeq = baseSeq;
    this.#outbox.send(peer.node, { type: 'commit', epoch: this.#epoch, commitSeq, baseSeq });
  }

  /** Returns how many bytes it took. */
  #sendNext(peer: Peer, now: number): number {
    const { log, commitSeq } = this.#body;
    const next = log.nextAfter(peer.sentSeq);
    assert(next !== undefined, 'S8', () => ({ sent: peer.sentSeq, last: log.last.seq }));
    const { seq, epoch, chain } = next;
    const entry: PrepareEntry = log.unappliedAt(seq) ?? { seq, epoch, chain, bytes: undefined };
    const baseSeq = log.base.seq;
    this.#outbox.send(peer.node, {
      type: 'prepare',
      epoch: this.#epoch,
      entry,
      commitSeq,
      baseSeq,
    });
    if (peer.durable?.seq === peer.sentSeq) peer.progressAt = now;
    peer.sentSeq = seq;
    peer.toldCommitSeq = commitSeq;
    peer.toldBaseSeq = baseSeq;
    return next.byteCount;
  }

  /** What it was sent and has not acknowledged; undefined: the log does not tell any more. */
  #onItsWay({ durable, sentSeq }: Peer): OnItsWay | undefined {
    const { log } = this.#body;
    const from = durable?.seq ?? sentSeq;
    if (from < log.base.seq) return undefined;
    const sent = log.positionsBetween(from, sentSeq);
    return { entries: sent.length, bytes: sent.reduce((sum, { byteCount }) => sum + byteCount, 0) };
  }

  #isFull({ entries, bytes }: OnItsWay): boolean {
    const { catchUpEntries, catchUpBytes } = this.#settings;
    return entries >= catchUpEntries || bytes >= catchUpBytes;
  }
}
