/**
 * Waits for the end of one candidate, the one before ours, and hastens it when its process is dead.
 *
 * That is noticed twice: by ZooKeeper when the session times out, and by the connection to its
 * process within milliseconds. If its port then refuses connections the process is gone, and its
 * znode is removed at once (D3), and again until ZooKeeper has answered: the server that should
 * remove it may have died with it.
 *
 * One watch for each candidate name, which is unique to a process and a session: whoever comes back
 * has another one, so that a late removal meets nobody else.
 */
import { candidateOf } from '../coordination/candidates.js';
import { candidateZnode } from '../model/znodes.js';
import type { Cancel, Clock } from '../ports/clock.js';
import type { CoordinatorSession, Outcome } from '../ports/coordinator.js';
import type { Log } from '../ports/log.js';
import type { Dialer } from '../ports/network.js';

/** Pause after a removal that ZooKeeper did not answer. */
const REMOVE_AGAIN_MS = 200;

export interface PredecessorWatchDeps {
  readonly session: CoordinatorSession;
  readonly clock: Clock;
  readonly dialer: Dialer;
  readonly log: Log;
}

export class PredecessorWatch {
  readonly name: string;
  readonly #deps: PredecessorWatchDeps;
  readonly #ended: () => void;
  #forgetProcess: () => void = () => undefined;
  #cancelRemoval: Cancel = () => undefined;
  #isOver = false;

  /** `ended` is called at most once: its znode may be gone. It is a hint, for a new look. */
  constructor(deps: PredecessorWatchDeps, name: string, ended: () => void) {
    this.#deps = deps;
    this.name = name;
    this.#ended = ended;
  }

  /** `gone`: there is nothing to wait for. `unanswered`: nothing is watched. */
  async begin(): Promise<'begun' | 'gone' | 'unanswered'> {
    const { session, dialer } = this.#deps;
    // The hint may come before the answer that it belongs to.
    const read = await session.read(candidateZnode(this.name), {
      onMaybeChanged: () => void this.#onHint(),
    });
    if (read.status !== 'ok') return 'unanswered';
    if (read.value === undefined) return 'gone';
    const address = candidateOf(this.name, read.value.data)?.record.address;
    if (address !== undefined && !this.#isOver) {
      this.#forgetProcess = dialer.watchProcess(address, () => this.#onDeath());
    }
    return 'begun';
  }

  /** Nothing is done or told after this. */
  stop(): void {
    this.#isOver = true;
    this.#forgetProcess();
    this.#cancelRemoval();
  }

  /** The znode may have changed: whoever waits for its end reads in the log whether it came. */
  async #onHint(): Promise<void> {
    if (this.#isOver) return;
    this.stop();
    const read = await this.#deps.session.read(candidateZnode(this.name));
    if (read.status === 'ok' && read.value === undefined) {
      this.#deps.log.info(`${this.name} was deleted`);
    }
    this.#ended();
  }

  #onDeath(): void {
    this.#deps.log.warn(`${this.name} is dead: its port refuses connections`);
    void this.#remove();
  }

  async #remove(): Promise<void> {
    const { session, clock } = this.#deps;
    const removed = await session.remove(candidateZnode(this.name), 0);
    // If it is gone, the hint says so.
    if (removed.status === 'ok' || isAbsent(removed)) return;
    if (this.#isOver || session.state === 'lost') return;
    this.#cancelRemoval = clock.after(REMOVE_AGAIN_MS, () => void this.#remove());
  }
}

function isAbsent(outcome: Outcome<unknown>): boolean {
  return outcome.status === 'failed' && outcome.code === 'no-node';
}
