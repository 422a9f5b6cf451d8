/**
 * This node's stream to one other, for all shards whose primary is here: greets, beats, sends what
 * the replicas say, hears what comes back, and opens the stream again when it breaks.
 *
 * Messages of one round share frames. What the other end does not take in time waits here, bounded:
 * past the bound the stream is broken, and the primaries begin with `attach` again, which brings a
 * slow peer back from its log or as a learner. So no peer can fill the memory of a primary.
 */
import type { MemberId, Uuid } from '../model/ids.js';
import type { Cancel, Clock } from '../ports/clock.js';
import type { Log } from '../ports/log.js';
import type { Dialer, Outgoing } from '../ports/network.js';
import type { Random } from '../ports/random.js';
import type { PeerIdentity } from '../replication/sessions.js';
import { WireError } from '../wire/protobuf.js';
import { decodeFrame, type Hello, type ReplicationRecord } from './replication-frame.js';
import { ReplicationWriter } from './replication-writer.js';

/** Pause before the stream is opened again: doubles from the first to the last, with jitter. */
const REOPEN_MS = { first: 20, last: 1_000 };
/**
 * So many beats without an answer, and the stream is ended. Its node has long been in nobody's way,
 * but all that waits for it here would stay, and a snapshot that it was learning from.
 */
export const UNANSWERED_MAX = 100;

export interface PeerTarget {
  readonly node: MemberId;
  /** HOST:PORT. */
  readonly address: string;
  /** Whom to expect there. */
  readonly store: Uuid;
  readonly process: Uuid;
}

export interface PeerEvents {
  up(identity: PeerIdentity): void;
  /** `gone`: nothing listens at its address any more. */
  down(node: MemberId, gone: boolean): void;
  /** It is about to stop in order. */
  leaving(node: MemberId): void;
  /** It answered a beat that was sent at this moment of our clock. */
  answered(node: MemberId, sentAt: number): void;
  /** `isStale`: whether the stream it came on has ended since. */
  heard(node: MemberId, record: ReplicationRecord, isStale: () => boolean): void;
}

export interface ReplicationPeerDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly dialer: Dialer;
  /** Undefined while this node has not joined a cluster. */
  readonly hello: () => Hello | undefined;
  readonly settings: { readonly beatMs: number };
  readonly events: PeerEvents;
}

export class ReplicationPeer {
  readonly #deps: ReplicationPeerDeps;
  readonly #target: PeerTarget;
  #stream: Outgoing<Buffer> | undefined;
  #writer: ReplicationWriter | undefined;
  /** Whether the other end has said who it is. */
  #isUp = false;
  #failures = 0;
  #beat = 0;
  /** When the beats that were not answered yet were sent, by number. */
  readonly #sentAt = new Map<number, number>();
  #cancelBeat: Cancel = () => undefined;
  #cancelReopen: Cancel = () => undefined;
  #closed = false;

  constructor(deps: ReplicationPeerDeps, target: PeerTarget) {
    this.#deps = deps;
    this.#target = target;
    this.#open();
  }

  get target(): PeerTarget {
    return this.#target;
  }

  /** Lost if the stream does not stand: the replicas hear of that, too. */
  send(record: ReplicationRecord): void {
    if (this.#isUp) this.#writer?.add(record);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#cancelReopen();
    const { node } = this.#target;
    const wasUp = this.#isUp;
    this.#drop();
    if (wasUp) this.#deps.events.down(node, false);
  }

  #open(): void {
    const { dialer, hello } = this.#deps;
    const stream = dialer.replicate(this.#target.address, {
      message: (frame) => {
        if (this.#stream === stream) this.#onFrame(frame);
      },
      drain: () => {
        if (this.#stream === stream) this.#writer?.drained();
      },
      closed: (reason) => {
        if (this.#stream === stream) this.#onClosed(reason);
      },
    });
    this.#stream = stream;
    this.#writer = new ReplicationWriter(stream, () =>
      this.#break('it does not take what is sent'),
    );
    const greeting = hello();
    if (greeting === undefined) return this.#break('this node has not joined its cluster yet');
    this.#writer.add(greeting);
  }

  #onFrame(frame: Buffer): void {
    let records: readonly ReplicationRecord[];
    try {
      records = decodeFrame(frame);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      return this.#break(error.message);
    }
    for (const record of records) {
      if (this.#stream === undefined) return;
      this.#onRecord(record);
    }
  }

  #onRecord(record: ReplicationRecord): void {
    const { events } = this.#deps;
    const { node } = this.#target;
    if (record.type === 'hello') return this.#onHello(record);
    if (!this.#isUp) return this.#break('it did not say hello first');
    if (record.type === 'beatAck') {
      const sentAt = this.#sentAt.get(record.number);
      this.#sentAt.delete(record.number);
      this.#failures = 0; // Not sooner: it may be what we send first that it breaks on.
      if (sentAt !== undefined) events.answered(node, sentAt);
      return;
    }
    if (record.type === 'leaving') return events.leaving(node);
    const stream = this.#stream;
    events.heard(node, record, () => this.#stream !== stream);
  }

  #onHello(record: Hello): void {
    const { node, store, process } = this.#target;
    const isExpected = record.node === node && record.store === store && record.process === process;
    // Restarted, or another node: the registration that says so is on its way.
    if (!isExpected) return this.#break(`${record.node} answers in another life`);
    if (this.#isUp) return;
    this.#isUp = true;
    this.#deps.events.up({ node, store, process });
    this.#sendBeat();
  }

  #sendBeat(): void {
    const { clock, settings } = this.#deps;
    if (this.#sentAt.size >= UNANSWERED_MAX) return this.#break('it answers no beat');
    const number = ++this.#beat;
    this.#sentAt.set(number, clock.now());
    this.send({ type: 'beat', number });
    this.#cancelBeat = clock.after(settings.beatMs, () => this.#sendBeat());
  }

  /** Ends the stream for a reason of ours. */
  #break(reason: string): void {
    this.#stream?.end();
    this.#onClosed(reason);
  }

  #onClosed(reason: string): void {
    if (this.#closed) return;
    const { log, events, dialer } = this.#deps;
    const { node, address } = this.#target;
    log.debug(`replication stream to ${node} broke`, { address, reason });
    const wasUp = this.#isUp;
    this.#drop();
    this.#reopenLater();
    if (wasUp) events.down(node, false);
    // A process that ended refuses at once; one that hangs, or is cut off, does not.
    void dialer.probe(address).then((answer) => {
      if (answer === 'refused' && !this.#closed && !this.#isUp) events.down(node, true);
    });
  }

  #drop(): void {
    this.#cancelBeat();
    this.#sentAt.clear();
    const stream = this.#stream;
    this.#stream = undefined;
    this.#writer = undefined;
    this.#isUp = false;
    stream?.end();
  }

  #reopenLater(): void {
    const ceiling = Math.min(REOPEN_MS.last, REOPEN_MS.first * 2 ** this.#failures++);
    const pauseMs = ceiling * (0.5 + this.#deps.random.fraction() / 2);
    this.#cancelReopen = this.#deps.clock.after(pauseMs, () => this.#open());
  }
}
