/**
 * One client: its bytes become requests, its answers become bytes. It knows nothing of the tree;
 * what is asked goes to the server, in the order in which it came.
 *
 * A client that does not read its answers is not read from any more, so there are no further ones;
 * it is cut off when too many events wait for it. One that hangs costs the others nothing.
 */
import { decodeGreeting, type Greeting } from '../jute/greeting.js';
import { MalformedRecordError } from '../jute/reader.js';
import { type ClientRequest, decodeRequest, MalformedRequestError } from '../jute/requests.js';
import type { ByteStream, ByteStreamEvents } from '../ports/byte-stream.js';
import type { Identity } from '../znode-tree/acl.js';
import type { SessionId } from '../znode-tree/requests.js';
import { BadFrameError, FrameSplitter } from './frames.js';

/** What a connection has for its server. */
export interface ConnectionEvents {
  greeted(connection: Connection, greeting: Greeting): void;
  /** Of a client whose greeting was answered, or is about to be. */
  asked(connection: Connection, request: ClientRequest): void;
  /** A request whose record makes no sense. */
  malformed(connection: Connection, xid: number): void;
  /** Something came: the client lives. */
  heard(connection: Connection): void;
  word(connection: Connection, word: string): void;
  closed(connection: Connection, why: string): void;
}

/** While so many bytes wait for a client nothing more is done for it. */
const PAUSE_BYTES = 1024 * 1024;
/** With so many it is cut off, when yet another event comes: its answers have their own bound. */
const CUT_BYTES = 32 * 1024 * 1024;
/** Requests that are being done for it: their answers may be a MiB each, lists of names larger. */
const UNDER_WAY_MAX = 16;
/** Requests, and bytes of them, that are held for their turn; above that it is not read from. */
const HELD_MAX = 1_000;
const HELD_BYTES_MAX = 4 * 1024 * 1024;
/** Each access list is held against all of them. */
const IDENTITIES_MAX = 16;

export class Connection implements ByteStreamEvents {
  /** Unique in this process: whom watches belong to. */
  readonly id: string;
  readonly #stream: ByteStream;
  readonly #events: ConnectionEvents;
  readonly #frames = new FrameSplitter();
  readonly #identities: Identity[];
  #isGreeted = false;
  #isClosed = false;
  /** Whatever comes is nothing to anybody. */
  #isDeaf = false;
  #isPaused = false;
  #why = 'the client closed it';
  /** Frames of requests, in order. */
  #held: Buffer[] = [];
  #heldBytes = 0;
  #underWay = 0;
  #session: SessionId | undefined;
  /** For operators. */
  received = 0;
  sent = 0;

  constructor(id: string, stream: ByteStream, events: ConnectionEvents) {
    this.id = id;
    this.#stream = stream;
    this.#events = events;
    this.#identities = [{ scheme: 'ip', id: stream.peer }];
  }

  get peer(): string {
    return this.#stream.peer;
  }

  /** Who the client is: its address, and what it proved. */
  get identities(): readonly Identity[] {
    return this.#identities;
  }

  /** It is closed, or nothing more of it is to be done. */
  get isOver(): boolean {
    return this.#isClosed || this.#isDeaf;
  }

  /** What came and was not done yet, and what comes, is dropped: what was answered is the last. */
  hearNoMore(): void {
    this.#isDeaf = true;
    this.#held = [];
    this.#heldBytes = 0;
  }

  /** Requests that came and were not answered. */
  get outstanding(): number {
    return this.#held.length + this.#underWay;
  }

  /** False: there are too many already. */
  proved(identity: Identity): boolean {
    const isKnown = this.#identities.some(({ scheme, id }) => {
      return scheme === identity.scheme && id === identity.id;
    });
    if (isKnown) return true;
    if (this.#identities.length >= IDENTITIES_MAX) return false;
    this.#identities.push(identity);
    return true;
  }

  /** Undefined before the server has accepted the greeting. */
  get session(): SessionId | undefined {
    return this.#session;
  }

  accepted(session: SessionId): void {
    this.#session = session;
  }

  /** Whole frames, so many `answers` among them. Those for a closed connection go nowhere. */
  send(bytes: Buffer, answers = 0): void {
    this.#underWay -= answers;
    if (this.#isClosed) return;
    this.sent++;
    this.#stream.write(bytes);
    const isFlooded = answers === 0 && this.#stream.waitingBytes > CUT_BYTES;
    if (isFlooded) this.close('it does not read what it is told');
    else this.#goOn();
  }

  /** Closes after what was sent; the other end has to, as well, and is read until it does. */
  end(why: string): void {
    this.hearNoMore();
    this.#why = why;
    this.#stream.end();
    this.#isPaused = false;
    this.#stream.setReading(true);
  }

  close(why: string): void {
    this.hearNoMore();
    this.#why = why;
    this.#stream.destroy();
  }

  data(chunk: Buffer): void {
    if (this.#isDeaf) return;
    this.#events.heard(this);
    try {
      for (const taken of this.#frames.take(chunk)) {
        if (this.isOver) return;
        if ('word' in taken) return this.#events.word(this, taken.word);
        this.received++;
        this.#take(taken.frame);
      }
    } catch (error) {
      const isTheirs = error instanceof BadFrameError || error instanceof MalformedRecordError;
      if (!isTheirs) throw error;
      this.close(error.message);
    }
    this.#goOn();
  }

  drained(): void {
    this.#goOn();
  }

  closed(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#events.closed(this, this.#why);
  }

  #take(frame: Buffer): void {
    if (!this.#isGreeted) {
      this.#isGreeted = true;
      return this.#events.greeted(this, decodeGreeting(frame));
    }
    this.#held.push(frame);
    this.#heldBytes += frame.length;
  }

  /** Hands on what was held, as far as that may be done now, and reads on or does not. */
  #goOn(): void {
    while (!this.isOver && this.#underWay < UNDER_WAY_MAX && !this.#isChoked) {
      const frame = this.#held.shift();
      if (frame === undefined) break;
      this.#heldBytes -= frame.length;
      this.#underWay++;
      this.#ask(frame);
    }
    this.#setReading();
  }

  get #isChoked(): boolean {
    return this.#stream.waitingBytes > PAUSE_BYTES;
  }

  #ask(frame: Buffer): void {
    try {
      this.#events.asked(this, decodeRequest(frame));
    } catch (error) {
      if (error instanceof MalformedRequestError) this.#events.malformed(this, error.xid);
      else if (error instanceof MalformedRecordError) this.close(error.message);
      else throw error;
    }
  }

  #setReading(): void {
    if (this.#isDeaf) return;
    const isPaused =
      this.#isChoked || this.#held.length > HELD_MAX || this.#heldBytes > HELD_BYTES_MAX;
    if (isPaused === this.#isPaused || this.#isClosed) return;
    this.#isPaused = isPaused;
    this.#stream.setReading(!isPaused);
  }
}
