/**
 * One exchange stream to one life of a storage node. Requests of the same tick share a frame;
 * frames wait while the stream takes no more; a stream that broke is opened again after a growing
 * pause.
 *
 * One frame of reads and one of writes are in flight at a time, until the first answer to it: what
 * comes meanwhile makes the next one larger, which gains more than sending it sooner (after Nagle,
 * RFC 896). A frame of which nothing is answered, because all of its shards have to wait, holds up
 * the others only for a moment.
 *
 * The promise to the dispatcher: a request comes back exactly once, and `not-sent` only if not one
 * of its bytes left this process. That is why nothing is written before the connection stands: a
 * write that was handed to the transport may have been applied, whatever happens after (S21).
 */
import type { MemberId } from '../model/ids.js';
import type { Cancel, Clock } from '../ports/clock.js';
import type { Log } from '../ports/log.js';
import type { Dialer, Outgoing } from '../ports/network.js';
import type { Random } from '../ports/random.js';
import { decodeResponses, encodeRequests, type ResponseRecord } from '../wire/frame.js';
import { WireError } from '../wire/protobuf.js';
import { CallNumbers } from './call-numbers.js';
import { type FrameInFlight, LinkCall, type LinkRequest } from './link-call.js';
import { LinkLane } from './link-lane.js';

/** Bytes of a frame unless a single request is larger: far below the limit of a message. */
const FRAME_BYTES_MAX = 1024 * 1024;
/** How long a frame without any answer holds up the next one. */
const FRAME_WAIT_MS = 10;
/** Pause before the stream is opened again: doubles from the first to the last, with jitter. */
const REOPEN_MS = { first: 20, last: 1_000 };

export interface LinkDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly dialer: Dialer;
  /** Runs a task after the work of this tick. */
  readonly defer: (task: () => void) => void;
}

export interface LinkTarget {
  readonly node: MemberId;
  readonly address: string;
}

export class NodeLink {
  readonly target: LinkTarget;
  readonly #deps: LinkDeps;
  readonly #reads = new LinkLane();
  readonly #writes = new LinkLane();
  /** Written and not answered. */
  readonly #sent = new CallNumbers<LinkCall>();
  #stream: Outgoing<Buffer> | undefined;
  /** The stream's connection stands and takes more. */
  #writable = false;
  #connected = false;
  #flushing = false;
  #failures = 0;
  #problem = '';
  #cancelReopen: Cancel | undefined;
  #retired = false;

  constructor(deps: LinkDeps, target: LinkTarget) {
    this.#deps = deps;
    this.target = target;
    this.#open();
  }

  get connected(): boolean {
    return this.#connected;
  }

  /** Why there is no connection although it was tried; undefined if there is, or was not yet. */
  get problem(): string | undefined {
    return this.#connected || this.#failures === 0 ? undefined : this.#problem;
  }

  /** Sends as soon as the stream takes it. The result is for `cancel`. */
  send(request: LinkRequest): LinkCall {
    const call = new LinkCall(request);
    this.#laneOf(call).add(call);
    if (this.#retired) this.#deps.defer(() => this.bounce('the node left'));
    else this.#flushSoon();
    return call;
  }

  /** Forgets a request. Whether it was written before is the result. */
  cancel(call: LinkCall): 'not-sent' | 'sent' {
    const lane = this.#laneOf(call);
    if (call.state === 'queued') lane.cancel(call);
    if (call.state === 'sent') {
      this.#sent.forget(call.call);
      this.#release(lane, call.frame); // Perhaps nobody else waits for its answers.
    }
    call.drop();
    return call.frame === undefined ? 'not-sent' : 'sent';
  }

  /** Gives back everything that was not written yet. */
  bounce(reason: string): void {
    const queued = [...this.#reads.takeAll(), ...this.#writes.takeAll()];
    LinkCall.endAll(queued, { type: 'not-sent', reason });
  }

  /** The node is said to be there again: do not wait for the pause to end. */
  reopenNow(): void {
    if (this.#cancelReopen === undefined) return;
    this.#cancelReopen();
    this.#cancelReopen = undefined;
    this.#failures = 0;
    this.#open();
  }

  /** Takes nothing more, and closes when what was written is answered. */
  retire(): void {
    this.#retired = true;
    this.#cancelReopen?.();
    this.#cancelReopen = undefined;
    this.bounce('the node left');
    this.#endIfSpent();
  }

  #open(): void {
    const { dialer } = this.#deps;
    const stream = dialer.exchange(this.target.address, {
      message: (frame) => {
        if (this.#stream === stream) this.#onFrame(frame);
      },
      drain: () => {
        if (this.#stream !== stream) return;
        this.#connected = true;
        this.#writable = true;
        this.#flush();
      },
      closed: (reason) => {
        if (this.#stream === stream) this.#onClosed(reason);
      },
    });
    this.#stream = stream;
  }

  #flushSoon(): void {
    if (this.#flushing || !this.#writable) return;
    this.#flushing = true;
    this.#deps.defer(() => {
      this.#flushing = false;
      this.#flush();
    });
  }

  #flush(): void {
    this.#flushLane(this.#reads);
    this.#flushLane(this.#writes);
  }

  #flushLane(lane: LinkLane): void {
    if (lane.inFlight !== undefined) return;
    const { clock } = this.#deps;
    // What does not fit into one frame was not worth waiting for.
    while (this.#writable && lane.size > 0) {
      const giveWay = clock.after(FRAME_WAIT_MS, () => this.#release(lane, frame));
      const frame = { giveWay };
      lane.inFlight?.giveWay();
      lane.inFlight = frame;
      const now = clock.now();
      const calls = lane.take(FRAME_BYTES_MAX);
      for (const call of calls) this.#number(call, frame, now);
      this.#writable = this.#stream?.write(encodeRequests(calls, now)) ?? false;
    }
  }

  #number(call: LinkCall, frame: FrameInFlight, now: number): void {
    call.state = 'sent';
    call.call = this.#sent.add(call);
    call.budgetMs = Math.max(0, call.deadline - now);
    call.frame = frame;
  }

  #release(lane: LinkLane, frame: FrameInFlight | undefined): void {
    if (frame === undefined || lane.inFlight !== frame) return;
    frame.giveWay();
    lane.inFlight = undefined;
    if (lane.size > 0) this.#flushSoon();
  }

  #laneOf({ kind }: LinkCall): LinkLane {
    return kind === 'get' ? this.#reads : this.#writes;
  }

  #onFrame(frame: Buffer): void {
    let responses: ResponseRecord[];
    try {
      responses = decodeResponses(frame);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.#deps.log.warn(`${this.target.node} sent garbage: ${error.message}`);
      const stream = this.#stream;
      this.#onClosed(error.message);
      return stream?.end();
    }
    this.#failures = 0;
    for (const response of responses) {
      const call = this.#sent.end(response.call);
      if (call === undefined) continue; // Cancelled meanwhile.
      this.#release(this.#laneOf(call), call.frame);
      call.end({ type: 'answered', response });
    }
    this.#endIfSpent();
  }

  #onClosed(reason: string): void {
    const { log, clock, random } = this.#deps;
    const { node, address } = this.target;
    if (this.#connected) log.info(`stream to ${node} broke`, { address, reason });
    this.#stream = undefined;
    this.#connected = false;
    this.#writable = false;
    this.#problem = reason;
    const sent = this.#sent.endAll();
    this.#release(this.#reads, this.#reads.inFlight);
    this.#release(this.#writes, this.#writes.inFlight);
    if (!this.#retired) {
      const ceiling = Math.min(REOPEN_MS.last, REOPEN_MS.first * 2 ** this.#failures++);
      this.#cancelReopen = clock.after(ceiling * (0.5 + random.fraction() / 2), () => {
        this.#cancelReopen = undefined;
        this.#open();
      });
    }
    LinkCall.endAll(sent, { type: 'lost', reason });
    this.bounce(reason);
  }

  #endIfSpent(): void {
    if (this.#retired && this.#sent.size === 0) this.#stream?.end();
  }
}
