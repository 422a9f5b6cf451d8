/**
 * Staying up to date on the children of a znode. A watch is a one-shot hint that something may have
 * changed (rule Z7), so: read and arm in one call, act on what was read, read again after a hint,
 * and after a while without one. Never more than one read under way.
 */
import type { Cancel, Clock } from '../ports/clock.js';
import type { CoordinatorSession } from '../ports/coordinator.js';
import type { Random } from '../ports/random.js';

/** Between reads although no hint came, plus jitter. */
const RESYNC_MS = { least: 30_000, jitter: 30_000 };
/** Pause after a read that was not answered; a connection that comes back ends it. */
const RETRY_MS = 500;

export interface WatchedChildrenOptions {
  readonly session: CoordinatorSession;
  readonly clock: Clock;
  readonly random: Random;
  readonly path: string;
  /** Told after each read, one call at a time. */
  readonly changed: (names: readonly string[]) => Promise<void>;
}

export class WatchedChildren {
  readonly #options: WatchedChildrenOptions;
  /** `again`: a hint came while a read was under way. */
  #reading: 'idle' | 'running' | 'again' = 'idle';
  #cancelTimer: Cancel = () => undefined;
  #forgetState: () => void = () => undefined;
  #stopped = false;

  constructor(options: WatchedChildrenOptions) {
    this.#options = options;
  }

  start(): void {
    this.#forgetState = this.#options.session.on('state', (state) => {
      if (state === 'connected') this.#readSoon();
    });
    this.#readSoon();
  }

  /** Nothing is told any more after this. */
  stop(): void {
    this.#stopped = true;
    this.#cancelTimer();
    this.#forgetState();
  }

  #readSoon(): void {
    if (this.#stopped) return;
    if (this.#reading !== 'idle') {
      this.#reading = 'again';
      return;
    }
    void this.#readUntilQuiet();
  }

  async #readUntilQuiet(): Promise<void> {
    this.#cancelTimer();
    let answered: boolean;
    do {
      this.#reading = 'running';
      answered = await this.#read();
    } while (answered && !this.#stopped && this.#isHinted());
    this.#reading = 'idle';
    if (this.#stopped) return;
    const { clock, random } = this.#options;
    const quietMs = RESYNC_MS.least + RESYNC_MS.jitter * random.fraction();
    this.#cancelTimer = clock.after(answered ? quietMs : RETRY_MS, () => this.#readSoon());
  }

  #isHinted(): boolean {
    return this.#reading === 'again';
  }

  /** False: there was no answer. */
  async #read(): Promise<boolean> {
    const { session, path, changed } = this.#options;
    const read = await session.children(path, { onMaybeChanged: () => this.#readSoon() });
    if (this.#stopped) return true;
    if (read.status !== 'ok') return false;
    await changed(read.value ?? []);
    return true;
  }
}
