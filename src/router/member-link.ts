/**
 * One of the leader's streams to a member: greets, tells, hears, and opens again when it breaks.
 *
 * A member that does not read fast enough is told nothing more until it does, and then the whole
 * map at once: so no queue grows, and nothing is missed.
 */
import type { MemberId } from '../model/ids.js';
import type {
  LeaderHello,
  LeaderMessage,
  MapUpdate,
  MemberMessage,
} from '../model/member-messages.js';
import type { Cancel, Clock } from '../ports/clock.js';
import type { Log } from '../ports/log.js';
import type { Dialer, Outgoing } from '../ports/network.js';
import type { Random } from '../ports/random.js';

/** Pause before the stream is opened again: doubles from the first to the last, with jitter. */
const REOPEN_MS = { first: 50, last: 2_000 };
/** As many failures as make the pause the longest: each look disturbs who is found there. */
const REOPENS_OF_OTHER = 6;

export interface MemberTarget {
  readonly id: MemberId;
  readonly address: string;
  /** Tells a restarted process from the one before. */
  readonly life: string;
}

export interface MemberTalk {
  /** The first message of every stream. */
  readonly hello: LeaderHello;
  /** The map as it is now: follows the hello, and makes up for what was not told. */
  readonly wholeMap: () => readonly MapUpdate[];
  readonly heard: (message: MemberMessage) => void;
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
  #stream: Outgoing<LeaderMessage> | undefined;
  /** `missed`: the stream took no more, and something was not told since. */
  #flow: 'open' | 'blocked' | 'missed' = 'open';
  #cancelReopen: Cancel = () => undefined;
  #failures = 0;
  #closed = false;
  #saidOther = false;

  constructor(deps: MemberLinkDeps, target: MemberTarget, talk: MemberTalk) {
    this.#deps = deps;
    this.#target = target;
    this.#talk = talk;
    this.#open();
  }

  get address(): string {
    return this.#target.address;
  }

  get life(): string {
    return this.#target.life;
  }

  /** Told now if the stream takes it; otherwise the whole map is told when it does. */
  tell(update: MapUpdate): void {
    if (this.#stream === undefined) return; // The next stream begins with the whole map.
    if (this.#flow !== 'open') this.#flow = 'missed';
    else if (!this.#stream.write(update)) this.#flow = 'blocked';
  }

  close(): void {
    this.#closed = true;
    this.#cancelReopen();
    this.#stream?.end();
    this.#stream = undefined;
  }

  #open(): void {
    const { dialer, log } = this.#deps;
    const { id, address } = this.#target;
    const stream = dialer.follow(address, {
      message: (message) => {
        if (this.#closed || this.#stream !== stream) return;
        if (message.type === 'hello' && message.id !== id) return this.#onOther(message.id, stream);
        this.#failures = 0;
        this.#talk.heard(message);
      },
      drain: () => {
        const missed = this.#flow === 'missed';
        this.#flow = 'open';
        if (missed) this.#tellWholeMap();
      },
      closed: (reason) => {
        if (this.#closed || this.#stream !== stream) return;
        log.debug(`stream to ${id} broke`, { address, reason });
        this.#stream = undefined;
        this.#reopenLater();
      },
    });
    this.#stream = stream;
    this.#flow = 'open';
    stream.write(this.#talk.hello);
    this.#tellWholeMap();
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
