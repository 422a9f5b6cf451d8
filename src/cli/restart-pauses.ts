/** How long what died stays dead before it is started again: longer each time it dies soon. */

const FIRST_MS = 100;
const LAST_MS = 5_000;
/** What lived so long begins anew. */
const LIVED_LONG_MS = 10_000;

export class RestartPauses {
  /** What each had the last time. */
  readonly #pausesMs = new Map<string, number>();

  /** It died after so many milliseconds of life; the milliseconds to wait. */
  next(id: string, livedMs: number): number {
    const before = livedMs < LIVED_LONG_MS ? this.#pausesMs.get(id) : undefined;
    const pauseMs = before === undefined ? FIRST_MS : Math.min(LAST_MS, before * 2);
    this.#pausesMs.set(id, pauseMs);
    return pauseMs;
  }
}
