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
import type { CallKind } from '../model/calls.js';
import type { Epoch, MemberId, ShardId } from '../model/ids.js';
import type { Cancel, Clock } from '../ports/clock.js';
import type { Log } from '../ports/log.js';
import type { Dialer, Outgoing } from '../ports/network.js';
import type { Random } from '../ports/random.js';
import {
  decodeResponses,
  encodeRequests,
  type RequestRecord,
  requestRecordBytes,
  type ResponseRecord,
} from '../wire/frame.js';
import { WireError } from '../wire/protobuf.js';

/** Bytes of a frame unless a single request is larger: far below the limit of a message. */
const FRAME_BYTES_MAX = 1024 * 1024;
/** How long a frame without any answer holds up the next one. */
const FRAME_WAIT_MS = 10;
/** Pause before the stream is opened again: doubles from the first to the last, with jitter. */
const REOPEN_MS = { first: 20, last: 1_000 };
const CALL_IDS = 2 ** 32;

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

export type LinkResult =
  | { readonly type: 'answered'; readonly response: ResponseRecord }
  /** Certainly not received by the node. */
  | { readonly type: 'not-sent'; readonly reason: string }
  /** The stream broke after the request was written. */
  | { readonly type: 'lost'; readonly reason: string };

export interface LinkRequest {
  readonly kind: CallKind;
  readonly shard: ShardId;
  readonly epoch: Epoch;
  readonly payload: Buffer;
  /** By the clock: until when the caller waits. */
  readonly deadline: number;
  /** Called once, and never inside `send`; not after `cancel`. */
  readonly done: (result: LinkResult) => void;
}

/** Requests that wait for each other's frames. */
interface Lane {
  /** Not written yet, in order. */
  readonly queue: Set<LinkRequest>;
  /** The newest frame, while nothing of it is answered; it gives way by itself after a moment. */
  inFlight: { readonly giveWay: Cancel } | undefined;
}

interface SentRequest {
  readonly request: LinkRequest;
  readonly frame: Lane['inFlight'];
}

export class NodeLink {
  readonly target: LinkTarget;
  readonly #deps: LinkDeps;
  readonly #reads: Lane = { queue: new Set(), inFlight: undefined };
  readonly #writes: Lane = { queue: new Set(), inFlight: undefined };
  /** Written and not answered. */
  readonly #sent = new Map<number, SentRequest>();
  readonly #callOf = new Map<LinkRequest, number>();
  #stream: Outgoing<Buffer> | undefined;
  /** The stream's connection stands and takes more. */
  #writable = false;
  #connected = false;
  #flushing = false;
  #failures = 0;
  #problem = '';
  #cancelReopen: Cancel | undefined;
  #nextCall = 0;
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

  /** Sends as soon as the stream takes it. */
  send(request: LinkRequest): void {
    this.#laneOf(request).queue.add(request);
    if (this.#retired) this.#deps.defer(() => this.bounce('the node left'));
    else this.#flushSoon();
  }

  /** Forgets a request. Whether it was written before is the result. */
  cancel(request: LinkRequest): 'not-sent' | 'sent' {
    if (this.#laneOf(request).queue.delete(request)) return 'not-sent';
    const call = this.#callOf.get(request);
    const frame = call === undefined ? undefined : this.#sent.get(call)?.frame;
    if (call !== undefined) this.#forget(call, request);
    this.#release(this.#laneOf(request), frame); // Perhaps nobody else waits for its answers.
    return 'sent';
  }

  /** Gives back everything that was not written yet. */
  bounce(reason: string): void {
    const queued = [...this.#reads.queue, ...this.#writes.queue];
    this.#reads.queue.clear();
    this.#writes.queue.clear();
    for (const request of queued) request.done({ type: 'not-sent', reason });
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

  #flushLane(lane: Lane): void {
    if (lane.inFlight !== undefined) return;
    // What does not fit into one frame was not worth waiting for.
    while (this.#writable && lane.queue.size > 0) {
      const giveWay = this.#deps.clock.after(FRAME_WAIT_MS, () => this.#release(lane, frame));
      const frame = { giveWay };
      lane.inFlight?.giveWay();
      lane.inFlight = frame;
      const bytes = encodeRequests(this.#takeFrame(lane, frame), this.#deps.clock.now());
      this.#writable = this.#stream?.write(bytes) ?? false;
    }
  }

  #release(lane: Lane, frame: Lane['inFlight']): void {
    if (frame === undefined || lane.inFlight !== frame) return;
    frame.giveWay();
    lane.inFlight = undefined;
    if (lane.queue.size > 0) this.#flushSoon();
  }

  #laneOf({ kind }: LinkRequest): Lane {
    return kind === 'get' ? this.#reads : this.#writes;
  }

  /** At least one request; more while they fit. */
  #takeFrame(lane: Lane, frame: Lane['inFlight']): RequestRecord[] {
    const now = this.#deps.clock.now();
    const records: RequestRecord[] = [];
    let bytes = 0;
    for (const request of lane.queue) {
      const size = requestRecordBytes(request.payload.length);
      if (records.length > 0 && bytes + size > FRAME_BYTES_MAX) break;
      bytes += size;
      lane.queue.delete(request);
      const call = this.#freeCall();
      this.#sent.set(call, { request, frame });
      this.#callOf.set(request, call);
      const { kind, shard, epoch, payload, deadline } = request;
      records.push({ call, kind, shard, epoch, payload, budgetMs: Math.max(0, deadline - now) });
    }
    return records;
  }

  #freeCall(): number {
    do this.#nextCall = (this.#nextCall + 1) % CALL_IDS;
    while (this.#sent.has(this.#nextCall));
    return this.#nextCall;
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
      const sent = this.#sent.get(response.call);
      if (sent === undefined) continue; // Cancelled meanwhile.
      const { request, frame: of } = sent;
      this.#forget(response.call, request);
      this.#release(this.#laneOf(request), of);
      request.done({ type: 'answered', response });
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
    const sent = [...this.#sent.values()];
    this.#sent.clear();
    this.#release(this.#reads, this.#reads.inFlight);
    this.#release(this.#writes, this.#writes.inFlight);
    this.#callOf.clear();
    if (!this.#retired) {
      const ceiling = Math.min(REOPEN_MS.last, REOPEN_MS.first * 2 ** this.#failures++);
      this.#cancelReopen = clock.after(ceiling * (0.5 + random.fraction() / 2), () => {
        this.#cancelReopen = undefined;
        this.#open();
      });
    }
    for (const { request } of sent) request.done({ type: 'lost', reason });
    this.bounce(reason);
  }

  #forget(call: number, request: LinkRequest): void {
    this.#sent.delete(call);
    this.#callOf.delete(request);
  }

  #endIfSpent(): void {
    if (this.#retired && this.#sent.size === 0) this.#stream?.end();
  }
}
