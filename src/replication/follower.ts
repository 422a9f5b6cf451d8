/**
 * A replica that is not the primary, in-sync or learning: follows the primary of the highest epoch
 * it has heard of.
 *
 * Upholds S2 and S3: the epoch is promised durably before anything is answered in it, and whoever
 * speaks in a lower one is refused. S4: an entry is acknowledged when it is durable. S10: only what
 * is not known to be committed is ever truncated. S8: an entry is accepted only right behind the
 * entry it names.
 */
import { assert } from '../model/assert.js';
import type { Epoch, MemberId, Seq } from '../model/ids.js';
import { type Position, positionOf } from './entry.js';
import type { Attach, Commit, Diverged, Install, Prepare, Resume } from './messages.js';
import type { Outbox } from './outbox.js';
import type { ReplicaBody } from './replica-body.js';

/**
 * `promising`: asked to follow; the promise, or what was appended, is not durable yet.
 * `attached`: said what the log holds. `installing`: the data is being replaced. `installed`: it is
 * there, not durably yet. `following`: the log is a prefix of the primary's.
 */
type Phase = 'promising' | 'attached' | 'installing' | 'installed' | 'following';

interface FollowerStart {
  readonly attach: Attach;
  readonly body: ReplicaBody;
  readonly outbox: Outbox;
}

export class Follower {
  readonly primary: MemberId;
  readonly epoch: Epoch;
  readonly #body: ReplicaBody;
  readonly #outbox: Outbox;
  readonly #number: number;
  /** Our log ended where the primary's ends, but for what it sends. */
  readonly #agrees: boolean;
  #phase: Phase = 'promising';
  /** Of the latest `install`. */
  #installNumber = 0;
  /** End of the part of the log that was acknowledged in this epoch on this stream. */
  #ackedSeq: Seq;

  /** The body has promised this epoch, maybe not durably yet. */
  constructor(primary: MemberId, { attach, body, outbox }: FollowerStart) {
    const { epoch, number, after } = attach;
    assert(body.promisedEpoch === epoch, 'S2', () => ({ epoch, promised: body.promisedEpoch }));
    this.primary = primary;
    this.epoch = epoch;
    this.#number = number;
    this.#body = body;
    this.#outbox = outbox;
    this.#ackedSeq = body.commitSeq;
    const { seq, chain } = body.log.last;
    this.#agrees = !body.isInstalling && seq === after.seq && chain === after.chain;
    this.#answerWhenDurable();
  }

  onMessage(message: Resume | Prepare | Commit | Install | Diverged): void {
    if (message.epoch !== this.epoch) return;
    switch (message.type) {
      case 'resume':
        return this.#onResume(message.match);
      case 'prepare':
        return this.#onPrepare(message);
      case 'commit':
        if (this.#phase !== 'following') return;
        this.#commitTo(message);
        return this.#body.applySoon();
      case 'install':
        return this.#onInstall(message.number);
      case 'diverged':
        if (this.#phase !== 'attached' && this.#phase !== 'following') return;
        this.#onDiverged();
    }
  }

  /** Whether the data of this install is waited for, and has not all come. */
  awaits(installNumber: number): boolean {
    return this.#phase === 'installing' && installNumber === this.#installNumber;
  }

  /** It is not to have the shard any more: no data is waited for. */
  endInstall(): void {
    if (this.#phase === 'installing') this.#phase = 'attached';
  }

  /** The driver has the data of this position, to be switched to with the next batch. */
  onInstalled(base: Position): void {
    assert(this.#phase === 'installing', 'S15', () => ({ base: base.seq, phase: this.#phase }));
    this.#body.installed(base);
    this.#phase = 'installed';
  }

  /** A batch is durable. */
  onPersisted(): void {
    if (this.#phase === 'promising') return this.#answerWhenDurable();
    const { log, durableSeq } = this.#body;
    if (this.#phase === 'installed') {
      // It may have been a batch that was under way when the data came (S15).
      if (durableSeq < log.base.seq) return;
      this.#phase = 'attached';
      this.#send({ type: 'installed', epoch: this.epoch, base: positionOf(log.base) });
    }
    if (this.#phase !== 'following' || durableSeq <= this.#ackedSeq) return;
    const position = log.positionAt(durableSeq);
    assert(position !== undefined, 'S8', () => ({ durableSeq, last: log.last.seq }));
    this.#ackedSeq = durableSeq;
    this.#send({ type: 'prepareAck', epoch: this.epoch, position: positionOf(position) });
  }

  /** Says what the log holds, once all of it and the promise are durable. */
  #answerWhenDurable(): void {
    const { log, durableEpoch, durableSeq, commitSeq, isInstalling } = this.#body;
    if (durableEpoch !== this.epoch || durableSeq !== log.last.seq) return;
    this.#phase = this.#agrees ? 'following' : 'attached';
    this.#ackedSeq = durableSeq;
    const tail = isInstalling ? [] : log.positionsFrom(commitSeq).map(positionOf);
    this.#send({
      type: 'attached',
      epoch: this.epoch,
      number: this.#number,
      tail,
      follows: this.#agrees,
    });
  }

  /**
   * Also in the middle of following: it fell behind what the primary's log still holds. Or of an
   * install: the primary could not go on with that, and begins anew.
   */
  #onInstall(number: number): void {
    if (this.#phase === 'promising' || this.#phase === 'installed') return;
    this.#body.beginInstall();
    this.#installNumber = number;
    this.#phase = 'installing';
  }

  #onResume(match: Position): void {
    if (this.#phase !== 'attached') return;
    const { log } = this.#body;
    assert(log.positionAt(match.seq)?.chain === match.chain, 'S8', () => ({
      match,
      last: log.last.seq,
    }));
    if (match.seq < log.last.seq) {
      this.#outbox.happened({ type: 'truncated', after: match.seq, last: log.last.seq });
      this.#body.truncateAfter(match.seq);
    }
    this.#ackedSeq = match.seq;
    this.#phase = 'following';
  }

  #onPrepare(message: Prepare): void {
    const { entry } = message;
    const isNext = this.#phase === 'promising' && this.#agrees;
    if (this.#phase !== 'following' && !isNext) return;
    assert(entry.bytes !== undefined, 'an entry travels with its bytes', () => ({
      seq: entry.seq,
    }));
    this.#body.append(entry);
    this.#commitTo(message);
  }

  /** Empty from now on, and no prefix of what it acknowledged: an install follows (S15). */
  #onDiverged(): void {
    const problem = `${this.primary} has something else committed in epoch ${this.epoch}`;
    this.#body.setAside(problem);
    this.#body.beginInstall();
    this.#phase = 'attached';
    this.#outbox.happened({ type: 'set-aside', problem });
  }

  /** What is committed beyond our log comes with the entries. */
  #commitTo({ commitSeq, baseSeq }: Prepare | Commit): void {
    const { last } = this.#body.log;
    this.#body.commitTo(commitSeq < last.seq ? commitSeq : last.seq);
    this.#body.mayForget(baseSeq);
  }

  #send(message: Parameters<Outbox['send']>[1]): void {
    this.#outbox.send(this.primary, message);
  }
}
