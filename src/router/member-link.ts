/**
 * One of the leader's streams to a member: greets, tells, hears, and opens again when it breaks.
 *
 * A member that does not read fast enough is told nothing more until it does, and then the whole
 * map at once: so no queue grows, and nothing is missed.
 *
 * The process of a storage node is watched (`node-watch.ts`). What answers at its address may be
 * the next one already, which has not registered yet: only what the registered process says counts
 * as a sign of its life. What another one says tells that this process should not be counted on.
 */
import type { MemberId, ShardId, Uuid } from '../model/ids.js';
import type {
  HandOverOrder,
  LeaderHello,
  LeaderMessage,
  MapUpdate,
  MemberMessage,
  Ping,
  Pong,
  ProgressReport,
} from '../model/member-messages.js';
import type { Cancel, Clock } from '../ports/clock.js';
import type { Log } from '../ports/log.js';
import type { Dialer, Outgoing } from '../ports/network.js';
import type { Random } from '../ports/random.js';
import { NodeWatch, type NodeWatchEvents } from './node-watch.js';

/** Pause before the stream is opened again: doubles from the first to the last, with jitter. */
const REOPEN_MS = { first: 50, last: 2_000 };
/** As many failures as make the pause the longest: each look disturbs who is found there. */
const REOPENS_OF_OTHER = 6;

export interface MemberTarget {
  readonly id: MemberId;
  readonly address: string;
  /** The process that is registered; undefined: a router, of which it is not known. */
  readonly process: Uuid | undefined;
}

export interface MemberTalk {
  /** The first message of every stream. */
  readonly hello: LeaderHello;
  /** The map as it is now: follows the hello, and makes up for what was not told. */
  readonly wholeMap: () => readonly MapUpdate[];
  /** `isRegistered`: it comes from the process of the target, and not from a later one. */
  readonly heard: (message: Exclude<MemberMessage, Pong>, isRegistered: boolean) => void;
  /** Whether the process lives; undefined of a router: nothing follows from its death. */
  readonly life: NodeWatchEvents | undefined;
}

interface MemberLinkDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly dialer: Dialer;
}

export class MemberLink {
  readonly #deps: MemberLinkDeps;
  readonly #target: MemberTarget;
  readonly #talk: MemberTalk;
  readonly #watch: NodeWatch | undefined;
  #stream: Outgoing<LeaderMessage> | undefined;
  /** `missed`: the stream took no more, and something was not told since. */
  #flow: 'open' | 'blocked' | 'missed' = 'open';
  /** What is not written yet: the newest of each shard. */
  readonly #orders = new Map<ShardId, HandOverOrder>();
  #cancelReopen: Cancel = () => undefined;
  #failures = 0;
  #closed = false;
  #saidOther = false;

  constructor(deps: MemberLinkDeps, target: MemberTarget, talk: MemberTalk) {
    this.#deps = deps;
    this.#target = target;
    this.#talk = talk;
    this.#watch = talk.life && new NodeWatch(deps, target.address, talk.life);
    this.#open();
  }

  get address(): string {
    return this.#target.address;
  }

  get process(): Uuid | undefined {
    return this.#target.process;
  }

  /** Told now if the stream takes it; otherwise the whole map is told when it does. */
  tell(update: MapUpdate): void {
    if (this.#stream === undefined) return; // The next stream begins with the whole map.
    if (this.#flow !== 'open') this.#flow = 'missed';
    else if (!this.#stream.write(update)) this.#flow = 'blocked';
  }

  /** Written if the stream takes it now, and lost otherwise: both are said again in time. */
  say(message: Ping | ProgressReport): void {
    if (this.#stream === undefined || this.#flow !== 'open') return;
    if (!this.#stream.write(message)) this.#flow = 'blocked';
  }

  /**
   * Waits while the stream takes no more, and is lost only with it. A node that leaves gets one for
   * each shard that it leads, more than a stream takes at once, and does not wait for a second try.
   */
  order(order: HandOverOrder): void {
    if (this.#stream === undefined) return;
    this.#orders.set(order.shard, order);
    this.#giveOrders();
  }

  /** The leader's heart beats, so late. */
  beat(number: number, lateMs: number): void {
    this.#watch?.passed(lateMs);
    this.say({ type: 'ping', number });
  }

  close(): void {
    this.#closed = true;
    this.#watch?.close();
    this.#cancelReopen();
    this.#stream?.end();
    this.#stream = undefined;
  }

  #open(): void {
    const { dialer, log } = this.#deps;
    const { id, address } = this.#target;
    /** Who answers at the address, once it has said so. */
    let speaker: Uuid | undefined;
    const stream = dialer.follow(address, {
      message: (message) => {
        if (this.#closed || this.#stream !== stream) return;
        if (message.type === 'hello' && message.id !== id) return this.#onOther(message.id, stream);
        if (message.type === 'hello' || message.type === 'pong') speaker = message.process;
        const isRegistered = speaker !== undefined && speaker === this.#target.process;
        // The next process is not asked again and again until it has registered.
        if (isRegistered || this.#watch === undefined) this.#failures = 0;
        if (isRegistered) this.#watch?.heard();
        else if (speaker !== undefined) this.#watch?.heardOther();
        if (message.type !== 'pong') this.#talk.heard(message, isRegistered);
      },
      drain: () => {
        const missed = this.#flow === 'missed';
        this.#flow = 'open';
        if (missed) this.#tellWholeMap();
        this.#giveOrders();
      },
      closed: (reason) => {
        if (this.#closed || this.#stream !== stream) return;
        log.debug(`stream to ${id} broke`, { address, reason });
        this.#stream = undefined;
        this.#watch?.streamBroke();
        this.#reopenLater();
      },
    });
    this.#stream = stream;
    this.#flow = 'open';
    this.#orders.clear();
    stream.write(this.#talk.hello);
    this.#tellWholeMap();
  }

  #giveOrders(): void {
    for (const [shard, order] of this.#orders) {
      if (this.#stream === undefined || this.#flow !== 'open') return;
      this.#orders.delete(shard);
      if (!this.#stream.write(order)) this.#flow = 'blocked';
    }
  }

  #tellWholeMap(): void {
    for (const update of this.#talk.wholeMap()) {
      if (this.#stream?.write(update) === false) this.#flow = 'blocked';
    }
  }

  /** Two members advertise one address. Looks now and then whether that was mended. */
  #onOther(found: MemberId, stream: Outgoing<LeaderMessage>): void {
    const { id, address } = this.#target;
    if (!this.#saidOther) {
      this.#deps.log.error(`${id} advertises ${address}, where ${found} answers: see --advertise`);
    }
    this.#saidOther = true;
    this.#failures = Math.max(this.#failures, REOPENS_OF_OTHER);
    this.#stream = undefined;
    stream.end();
    this.#reopenLater();
  }

  #reopenLater(): void {
    const ceiling = Math.min(REOPEN_MS.last, REOPEN_MS.first * 2 ** this.#failures++);
    const pauseMs = ceiling * (0.5 + this.#deps.random.fraction() / 2);
    this.#cancelReopen = this.#deps.clock.after(pauseMs, () => this.#open());
  }
}
