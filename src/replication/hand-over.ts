/**
 * How a primary steps down in favour of an in-sync member: it takes no more writes, waits until
 * everything is committed and the successor holds it, and from then on serves nothing in its epoch.
 * So the successor has no lease to wait for (S14), and nothing to get.
 *
 * What becomes of a hand-over is always said: either it failed, and the primary serves on, or the
 * primary stepped down, which is said again until somebody answers with a newer epoch.
 */
import type { Epoch, MemberId } from '../model/ids.js';
import type { Outbox } from './outbox.js';

export interface HandOverSettings {
  /** One that takes longer is given up. */
  readonly handOverMs: number;
  /** Pause before the leader is told again. */
  readonly askAgainMs: number;
}

/** How far a hand-over is. */
export interface HandOverProgress {
  /** Nothing is under way, and the primary may serve at all. */
  readonly isQuiet: boolean;
  /** The successor holds everything. */
  readonly holdsAll: boolean;
}

export class HandOver {
  readonly #epoch: Epoch;
  readonly #settings: HandOverSettings;
  readonly #outbox: Outbox;
  #asked: { readonly to: MemberId; readonly giveUpAt: number } | undefined;
  /** When the leader was last told; undefined: we have not stepped down. */
  #steppedDownAt: number | undefined;

  constructor(epoch: Epoch, settings: HandOverSettings, outbox: Outbox) {
    this.#epoch = epoch;
    this.#settings = settings;
    this.#outbox = outbox;
  }

  /** Who is to take over; undefined while nobody is. Writes wait from then on. */
  get to(): MemberId | undefined {
    return this.#asked?.to;
  }

  /** Nothing is served any more in this epoch. */
  get hasSteppedDown(): boolean {
    return this.#steppedDownAt !== undefined;
  }

  /** `isMember`: whether the one named is in sync. */
  begin(to: MemberId, isMember: boolean, now: number): void {
    if (this.hasSteppedDown) return; // That is being said anyway.
    if (!isMember) return this.#fail(`${to} is not in sync`);
    if (this.#asked !== undefined) return this.#fail(`one to ${this.#asked.to} is under way`);
    this.#asked = { to, giveUpAt: now + this.#settings.handOverMs };
    this.#outbox.happened({ type: 'hand-over-begun', epoch: this.#epoch, to });
  }

  goOn({ isQuiet, holdsAll }: HandOverProgress, now: number): void {
    if (this.#asked === undefined) return;
    const { to, giveUpAt } = this.#asked;
    if (this.#steppedDownAt !== undefined) {
      if (now - this.#steppedDownAt >= this.#settings.askAgainMs) this.#stepDown(to, now);
      return;
    }
    if (isQuiet && holdsAll) return this.#stepDown(to, now);
    if (now < giveUpAt) return;
    this.#asked = undefined;
    this.#outbox.happened({ type: 'hand-over-given-up', epoch: this.#epoch, to });
    this.#fail(
      isQuiet ? `${to} does not hold everything` : 'what is under way does not come to an end',
    );
  }

  #stepDown(to: MemberId, now: number): void {
    this.#steppedDownAt = now;
    this.#outbox.handOver({ type: 'stepped-down', epoch: this.#epoch, to });
  }

  #fail(why: string): void {
    this.#outbox.handOver({ type: 'hand-over-failed', epoch: this.#epoch, why });
  }
}
