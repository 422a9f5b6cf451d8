/**
 * Whether one process is alive, as far as its words and its port tell (D3).
 *
 * Pure: time arrives with each call. Two things make it suspected. Its port refuses connections:
 * the kernel closes the sockets of a dead process at once. Or it says nothing for
 * {@link SUSPECT_MS}, although it was asked: it hangs, or nothing gets through to it. That a stream
 * broke is no evidence.
 *
 * Silence counts only while we listened. A process that was itself held up finds everybody silent,
 * and hears only afterwards what they said meanwhile: so it begins to count anew.
 *
 * A wrong guess costs an unneeded change of the map and no data: epochs fence whoever was taken for
 * dead (D2).
 */
import type { ProbeResult } from '../ports/network.js';

/** Silence until a process is suspected. Above the pauses of a busy node, and four pings long. */
export const SUSPECT_MS = 2_000;
/** Held up for longer than this, we cannot tell who was silent. */
const HELD_UP_MS = SUSPECT_MS / 2;

/** Why a process is taken for dead. */
export type Suspicion = 'refused' | 'silent';

export class Liveness {
  /** When it was heard last, or silence began to count. */
  #heardAt: number;
  #isSuspected = false;

  /** Silence counts from now on: whoever is asked for the first time has time to answer. */
  constructor(now: number) {
    this.#heardAt = now;
  }

  get isSuspected(): boolean {
    return this.#isSuspected;
  }

  /** It said something. True: it was suspected until now. */
  heard(now: number): boolean {
    const wasSuspected = this.#isSuspected;
    this.#heardAt = now;
    this.#isSuspected = false;
    return wasSuspected;
  }

  /** Its port was asked. Returned: the suspicion that begins with this. */
  probed(result: ProbeResult): Suspicion | undefined {
    return result === 'refused' ? this.#suspect('refused') : undefined;
  }

  /** Time has passed; we noticed `lateMs` after we should have. Returned: as above. */
  passed(now: number, lateMs: number): Suspicion | undefined {
    if (lateMs > HELD_UP_MS) this.#heardAt = now;
    return now - this.#heardAt >= SUSPECT_MS ? this.#suspect('silent') : undefined;
  }

  #suspect(why: Suspicion): Suspicion | undefined {
    if (this.#isSuspected) return undefined;
    this.#isSuspected = true;
    return why;
  }
}
