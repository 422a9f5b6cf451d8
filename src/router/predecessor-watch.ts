/**
 * Waits for the end of one candidate, the one before ours, and hastens it when its process is dead.
 *
 * That is noticed twice: by ZooKeeper when the session times out, and by the connection to its
 * process within milliseconds. If its port then refuses connections the process is gone, and its
 * znode is removed at once (D3). If ZooKeeper does not answer, because one of its servers died with
 * the process, the port is asked again before the znode is removed again.
 *
 * The name of a candidate is of one process in one session: a removal that comes late does not meet
 * whoever comes back.
 */
import { candidateOf } from '../coordination/candidates.js';
import { candidateZnode } from '../model/znodes.js';
import type { Cancel, Clock } from '../ports/clock.js';
import type { CoordinatorSession } from '../ports/coordinator.js';
import type { Log } from '../ports/log.js';
import type { Dialer } from '../ports/network.js';

/** Pause after a removal that ZooKeeper did not answer. */
const AGAIN_MS = 200;

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
  #cancelAgain: Cancel = () => undefined;
  #isKnownDead = false;
  #isOver = false;

  /** `ended` is called at most once: its znode may be gone. It is a hint, for a new look. */
  constructor(deps: PredecessorWatchDeps, name: string, ended: () => void) {
    this.#deps = deps;
    this.name = name;
    this.#ended = ended;
  }

  /** `gone`: there is nothing to wait for. `unanswered`: nothing is watched. */
  async begin(): Promise<'begun' | 'gone' | 'unanswered'> {
    // The hint may come before the answer that it belongs to.
    const read = await this.#deps.session.read(candidateZnode(this.name), {
      onMaybeChanged: () => void this.#onHint(),
    });
    if (read.status !== 'ok') return 'unanswered';
    if (read.value === undefined) return 'gone';
    const { data, stat } = read.value;
    const address = candidateOf(this.name, data)?.record.address;
    if (address !== undefined && !this.#isOver) this.#watchProcess(address, stat.version);
    return 'begun';
  }

  /** Nothing is done after this; a hint that has come already may still be told. */
  stop(): void {
    this.#isOver = true;
    this.#forgetProcess();
    this.#cancelAgain();
  }

  async #onHint(): Promise<void> {
    if (this.#isOver) return;
    this.stop();
    // Only to say so: whoever is told looks for itself.
    const read = await this.#deps.session.read(candidateZnode(this.name));
    if (read.status === 'ok' && read.value === undefined) {
      this.#deps.log.info(`${this.name} was deleted`);
    }
    this.#ended();
  }

  #watchProcess(address: string, version: number): void {
    this.#forgetProcess = this.#deps.dialer.watchProcess(address, () => {
      void this.#onDeath(address, version);
    });
  }

  async #onDeath(address: string, version: number): Promise<void> {
    const { session, clock, log } = this.#deps;
    if (!this.#isKnownDead) log.warn(`${this.name} is dead: its port refuses connections`);
    this.#isKnownDead = true;
    const removed = await session.remove(candidateZnode(this.name), version);
    if (this.#isOver || removed.status === 'ok') return; // The hint follows.
    if (removed.status === 'unknown' || removed.code === 'not-connected') {
      this.#cancelAgain = clock.after(AGAIN_MS, () => this.#watchProcess(address, version));
    } else if (removed.code !== 'no-node') {
      log.warn(`${this.name} is dead and stays until its session ends`, { why: removed.message });
    }
  }
}
