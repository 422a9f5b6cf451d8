/** What a replica has decided since the driver last looked: data only, collected by the roles. */
import type { Epoch, MemberId, Seq, ShardId } from '../model/ids.js';
import type { ChangeRequest } from '../model/member-messages.js';
import type { RefusalCode } from '../model/refusals.js';
import type { ReplicaStanding } from './standing.js';
import type { AddressedMessage, ReplicaMessage } from './messages.js';

/** Why a request is not served, in words that name the numbers compared. */
export interface Refusal {
  readonly code: RefusalCode;
  readonly message: string;
}

export type Answer =
  | {
      readonly type: 'written';
      readonly call: number;
      readonly applied: boolean;
      /** As PutResponse and DeleteResponse have it. */
      readonly version: Seq;
    }
  /** Definite: it was not applied and never will be. */
  | { readonly type: 'refused'; readonly call: number; readonly refusal: Refusal }
  /** It may be applied, or may be already (S21). */
  | { readonly type: 'unknown'; readonly call: number };

export type ReplicaEvent =
  | { readonly type: 'created'; readonly epoch: Epoch }
  | { readonly type: 'epoch-adopted'; readonly epoch: Epoch; readonly before: Epoch }
  | {
      readonly type: 'standing-changed';
      readonly from: ReplicaStanding;
      readonly to: ReplicaStanding;
    }
  | { readonly type: 'serving'; readonly epoch: Epoch; readonly seq: Seq }
  /** From here on writes wait: until it is given up, or another serves in a later epoch. */
  | {
      readonly type: 'hand-over-begun' | 'hand-over-given-up';
      readonly epoch: Epoch;
      readonly to: MemberId;
    }
  | { readonly type: 'truncated'; readonly after: Seq; readonly last: Seq }
  | { readonly type: 'peer-follows'; readonly peer: MemberId; readonly after: Seq }
  | { readonly type: 'peer-needs-install'; readonly peer: MemberId }
  /** All data was sent to it, and none of that arrives any more. */
  | { readonly type: 'install-stalled'; readonly peer: MemberId }
  | { readonly type: 'peer-diverged'; readonly peer: MemberId; readonly seq: Seq }
  | {
      readonly type: 'peer-knows-more';
      readonly peer: MemberId;
      /** Up to where it knows everything to be committed, and the end of our log. */
      readonly seq: Seq;
      readonly last: Seq;
    }
  | { readonly type: 'damaged' | 'set-aside'; readonly problem: string }
  | { readonly type: 'overtaken'; readonly by: MemberId; readonly promised: Epoch };

/** What became of a hand-over that this primary was asked for. */
export type HandOverOutcome =
  /** It will serve nothing any more, and holds no lease. Said again until a newer epoch comes. */
  | { readonly type: 'stepped-down'; readonly epoch: Epoch; readonly to: MemberId }
  /** It serves on. `why` is for the log. */
  | { readonly type: 'hand-over-failed'; readonly epoch: Epoch; readonly why: string };

export interface Ready {
  /** Give at once: these answers depend on nothing that is not durable. */
  readonly answers: readonly Answer[];
  /** Send at once, in this order per node. What they promise is durable already. */
  readonly send: readonly AddressedMessage[];
  /** Ask the leader. May be lost: it is asked again. */
  readonly requests: readonly ChangeRequest[];
  /**
   * Nodes to send all data to: an `install`, the data, then `installed` comes back. If ours is
   * damaged, `install-failed` is the input instead.
   */
  readonly installs: readonly MemberId[];
  /** Tell the leader. May be lost. */
  readonly handOvers: readonly HandOverOutcome[];
  /** What happened. For log, metrics and tests; no code branches on it. */
  readonly events: readonly ReplicaEvent[];
}

export class Outbox {
  readonly #shard: ShardId;
  readonly #answers: Answer[] = [];
  readonly #send: AddressedMessage[] = [];
  readonly #requests: ChangeRequest[] = [];
  readonly #installs: MemberId[] = [];
  readonly #events: ReplicaEvent[] = [];
  readonly #handOvers: HandOverOutcome[] = [];

  constructor(shard: ShardId) {
    this.#shard = shard;
  }

  answer(answer: Answer): void {
    this.#answers.push(answer);
  }

  send(to: MemberId, message: ReplicaMessage): void {
    this.#send.push({ to, shard: this.#shard, message });
  }

  request(request: ChangeRequest): void {
    this.#requests.push(request);
  }

  install(node: MemberId): void {
    this.#installs.push(node);
  }

  handOver(outcome: HandOverOutcome): void {
    this.#handOvers.push(outcome);
  }

  happened(event: ReplicaEvent): void {
    this.#events.push(event);
  }

  take(): Ready {
    return {
      answers: this.#answers.splice(0),
      send: this.#send.splice(0),
      requests: this.#requests.splice(0),
      installs: this.#installs.splice(0),
      handOvers: this.#handOvers.splice(0),
      events: this.#events.splice(0),
    };
  }
}
