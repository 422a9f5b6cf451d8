/** A request on its way over a link, and what may come of it. */
import type { CallKind } from '../model/calls.js';
import type { Epoch, ShardId } from '../model/ids.js';
import type { RequestRecord, ResponseRecord } from '../wire/frame.js';
import type { Cancel } from '../ports/clock.js';

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

/** A frame that gives way to the next one by itself after a moment. */
export interface FrameInFlight {
  readonly giveWay: Cancel;
}

const NO_BYTES = Buffer.alloc(0);

/** It is its own record of a frame, so that writing one makes nothing new. */
export class LinkCall implements RequestRecord {
  readonly kind: CallKind;
  readonly shard: ShardId;
  readonly epoch: Epoch;
  readonly deadline: number;
  payload: Buffer;
  #done: ((result: LinkResult) => void) | undefined;
  /** `over`: counts in no lane and no table; answered, cancelled, or about to hear its result. */
  state: 'queued' | 'sent' | 'over' = 'queued';
  /** Of what was written: its number on the stream, the time that was left, and its frame. */
  call = 0;
  budgetMs = 0;
  frame: FrameInFlight | undefined;

  constructor({ kind, shard, epoch, payload, deadline, done }: LinkRequest) {
    this.kind = kind;
    this.shard = shard;
    this.epoch = epoch;
    this.payload = payload;
    this.deadline = deadline;
    this.#done = done;
  }

  /** All of them are over before the first one hears it, as it may cancel another one. */
  static endAll(calls: readonly LinkCall[], result: LinkResult): void {
    for (const call of calls) call.state = 'over';
    for (const call of calls) call.end(result);
  }

  end(result: LinkResult): void {
    const done = this.#done;
    this.drop();
    done?.(result);
  }

  /** Without a result. Lets go of the bytes: something may hold this for longer. */
  drop(): void {
    this.state = 'over';
    this.payload = NO_BYTES;
    this.#done = undefined;
  }
}
