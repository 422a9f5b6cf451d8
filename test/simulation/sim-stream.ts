/**
 * One end of a stream between two processes, as `ports/network.ts` wants it.
 *
 * What the transport does is as in `src/grpc/`: `drain` comes on the dialed end once the connection
 * stands; what was written before goes then; `end` ends both directions behind what was written, at
 * the latest after `LINGER_MS`. Not modelled: a limit to what is under way but that of
 * `write`, so a writer that ignores its result loses nothing.
 */
import type { Outgoing, StreamEvents } from '../../src/ports/network.js';
import type { SimPipe } from './sim-pipe.js';
import type { SimProcess } from './sim-process.js';
import type { Simulation } from './simulation.js';

/** How long a dialed stream that was ended waits for its peer to end it too. */
const LINGER_MS = 1_000;
/** What a message counts that is not a Buffer. */
const PLAIN_MESSAGE_BYTES = 256;

export interface StreamSettings {
  /** Bytes written and not yet taken by the peer's process from which `write` returns false. */
  readonly unreadBytesMax: number;
  /** Whether messages are copied; otherwise both processes see one object, and must not change it. */
  readonly copiesMessages: boolean;
}

export interface EndOptions {
  readonly process: SimProcess;
  readonly out: SimPipe;
  readonly isDialed: boolean;
  readonly settings: StreamSettings;
  /** The end is over. */
  readonly forget: (end: StreamEnd) => void;
}

export class StreamEnd implements Outgoing<unknown> {
  readonly process: SimProcess;
  readonly isDialed: boolean;
  readonly out: SimPipe;
  readonly #simulation: Simulation;
  readonly #options: EndOptions;
  #peer: StreamEnd | undefined;
  #events: StreamEvents<unknown> | undefined;
  /** Written before the connection stood; undefined since it does. */
  #early: unknown[] | undefined = [];
  #hasEnded = false;
  #isOver = false;
  #unreadBytes = 0;
  #owesDrain = false;

  constructor(simulation: Simulation, options: EndOptions) {
    this.#simulation = simulation;
    this.#options = options;
    this.process = options.process;
    this.out = options.out;
    this.isDialed = options.isDialed;
  }

  /** Two ends become one stream. */
  static join(one: StreamEnd, other: StreamEnd): void {
    one.#peer = other;
    other.#peer = one;
  }

  /** Undefined: the wish for a connection has not arrived anywhere. */
  get peer(): StreamEnd | undefined {
    return this.#peer;
  }

  get isOpen(): boolean {
    return this.#early === undefined;
  }

  listen(events: StreamEvents<unknown>): void {
    this.#events = events;
  }

  /** The connection stands: in this end's process. `call` goes before what was written early. */
  open(call: () => void): void {
    if (this.#isOver || this.#early === undefined) return;
    if (this.#hasEnded) return this.breakOff('ended');
    const early = this.#early;
    this.#early = undefined;
    call();
    for (const message of early) this.write(message);
    if (this.isDialed) this.#events?.drain();
  }

  write(message: unknown): boolean {
    if (this.#isOver) return true;
    if (this.#early !== undefined) {
      if (!this.#hasEnded) this.#early.push(message);
      return false;
    }
    if (this.#hasEnded) return true;
    const { copiesMessages, unreadBytesMax } = this.#options.settings;
    const sent = copiesMessages ? copyOf(message) : message;
    const bytes = Buffer.isBuffer(sent) ? Math.max(1, sent.length) : PLAIN_MESSAGE_BYTES;
    this.#unreadBytes += bytes;
    this.out.send(bytes, () => this.#peer?.process.deliver(() => this.#read(sent, bytes)));
    this.#owesDrain ||= this.#unreadBytes >= unreadBytesMax;
    return !this.#owesDrain;
  }

  end(): void {
    if (this.#hasEnded || this.#isOver) return;
    this.#hasEnded = true;
    if (this.#early !== undefined) return; // The attempt to connect goes on, and ends then.
    this.#sendEnd();
    if (!this.isDialed) return;
    this.#simulation.after(LINGER_MS, () => this.breakOff('cut'), this.process);
  }

  /** This end gives the stream up; the peer hears so behind a prefix of what was under way. */
  breakOff(reason: string): void {
    if (this.#isOver) return;
    this.#sendLoss();
    this.process.deliver(() => this.close(reason));
  }

  /** Somebody between the two breaks the stream: of both directions a prefix arrives. */
  reset(): void {
    if (this.#isOver || this.#peer === undefined) return;
    const peer = this.#peer;
    this.out.shut(() => peer.process.deliver(() => peer.close('connection reset')));
    peer.out.shut(() => this.process.deliver(() => this.close('connection reset')));
  }

  /** Its process was killed. `isSilent`: nobody is told, until {@link reappear}. */
  die(isSilent: boolean): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#options.forget(this);
    if (isSilent) this.out.truncate();
    else this.#sendLoss();
  }

  /** The machine is back and knows nothing of this stream: it says so to the peer. */
  reappear(): void {
    this.#sendLoss();
  }

  /** The stream is over for this end: in its process. */
  close(reason: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#options.forget(this);
    this.#events?.closed(reason);
  }

  #sendLoss(): void {
    const peer = this.#peer;
    if (peer === undefined) return this.out.discard();
    this.out.shut(() => {
      peer.out.discard();
      peer.process.deliver(() => peer.close('connection lost'));
    });
  }

  /** The peer's process takes a message. */
  #read(message: unknown, bytes: number): void {
    this.#unreadBytes -= bytes;
    const peer = this.#peer!;
    if (!peer.#isOver) peer.#events?.message(message);
    if (!this.#owesDrain || this.#unreadBytes * 2 > this.#options.settings.unreadBytesMax) return;
    this.#owesDrain = false;
    peer.out.send(0, () => {
      this.process.deliver(() => {
        if (!this.#isOver && !this.#hasEnded) this.#events?.drain();
      });
    });
  }

  #sendEnd(): void {
    this.out.send(0, () => this.#peer?.process.deliver(() => this.#peer?.endedByPeer()));
  }

  /** Both directions end: this one behind what was written. */
  endedByPeer(): void {
    if (this.#isOver) return;
    const reason = this.#hasEnded ? 'ended' : 'ended by the peer';
    if (!this.#hasEnded) {
      this.#hasEnded = true;
      this.#sendEnd();
    }
    this.close(reason);
  }
}

/** Plain messages hold no Buffers: a structured clone would make other arrays of them. */
function copyOf(message: unknown): unknown {
  return Buffer.isBuffer(message) ? Buffer.from(message) : structuredClone(message);
}
