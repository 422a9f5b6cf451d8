/**
 * The hand-overs that a leader has asked primaries for, until each is done or may be asked for
 * again. The controller asks and waits until the primary has stepped down, or it has failed; a word
 * that got lost, a primary that could not step down in time or that refused must not make it wait
 * for ever.
 */
import type { ControllerInput } from '../control/controller-io.js';
import type { Epoch, ShardId } from '../model/ids.js';
import type { Cancel, Clock } from '../ports/clock.js';

/** Without an answer for so long, it has failed: stepping down is a matter of one round. */
const ANSWER_MS = 2_000;
/** Pause after a failure: whatever was in the way, a slow member above all, needs time to pass. */
const REST_MS = 5_000;

/** What the controller has to hear. */
export type HandOverEvent = Extract<
  ControllerInput,
  { readonly type: 'hand-over-failed' | 'hand-over-rested' }
>;

interface Call {
  readonly epoch: Epoch;
  readonly state: 'asked' | 'resting';
  readonly cancel: Cancel;
}

export class HandOverCalls {
  readonly #clock: Clock;
  readonly #hear: (event: HandOverEvent) => void;
  readonly #calls = new Map<ShardId, Call>();

  /** `hear`: that one failed, and that it may be asked for again; each at most once per call. */
  constructor(clock: Clock, hear: (event: HandOverEvent) => void) {
    this.#clock = clock;
    this.#hear = hear;
  }

  /** The primary of this epoch is being asked. An earlier call of the shard is void. */
  asked(shard: ShardId, epoch: Epoch): void {
    this.#end(shard);
    const cancel = this.#clock.after(ANSWER_MS, () => this.#rest(shard, epoch));
    this.#calls.set(shard, { epoch, state: 'asked', cancel });
  }

  /** It stepped down. */
  done(shard: ShardId, epoch: Epoch): void {
    if (this.#calls.get(shard)?.epoch === epoch) this.#end(shard);
  }

  /** It says that it does not step down. */
  failed(shard: ShardId, epoch: Epoch): void {
    const call = this.#calls.get(shard);
    if (call?.epoch === epoch && call.state === 'asked') this.#rest(shard, epoch);
  }

  close(): void {
    for (const shard of [...this.#calls.keys()]) this.#end(shard);
  }

  #rest(shard: ShardId, epoch: Epoch): void {
    this.#end(shard);
    const cancel = this.#clock.after(REST_MS, () => {
      this.#calls.delete(shard);
      this.#hear({ type: 'hand-over-rested', shard, epoch });
    });
    this.#calls.set(shard, { epoch, state: 'resting', cancel });
    this.#hear({ type: 'hand-over-failed', shard, epoch });
  }

  #end(shard: ShardId): void {
    this.#calls.get(shard)?.cancel();
    this.#calls.delete(shard);
  }
}
