/** How long what died stays dead before it is started again: longer each time it dies soon. */

const FIRST_MS = 100;
const LAST_MS = 5_000;
/** What lived so long begins anew. */
const LIVED_LONG_MS = 10_000;

export class RestartPauses {
  readonly #now: () => number;
  readonly #deaths = new Map<string, { pauseMs: number; atMs: number }>();

  /** @param now Milliseconds, monotonic. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** It died just now; the milliseconds to wait. */
  next(id: string): number {
    const before = this.#deaths.get(id);
    const atMs = this.#now();
    const soon = before !== undefined && atMs - before.atMs < LIVED_LONG_MS;
    const pauseMs = soon ? Math.min(LAST_MS, before.pauseMs * 2) : FIRST_MS;
    this.#deaths.set(id, { pauseMs, atMs });
    return pauseMs;
  }
}
