/**
 * Whether what a router knows of the map can be compared with what it finds over its next
 * connection to ZooKeeper, to tell whether that was set back meanwhile (`trust.ts`).
 *
 * It can from the time on when the map was read and ZooKeeper could be trusted: over a connection
 * that was old enough, or by what this router had heard while it led. It stays so: the map only
 * goes forward.
 */
import type { Cancel, Clock } from '../ports/clock.js';
import { oldAfterMs } from './trust.js';

export class MapMemory {
  readonly #clock: Clock;
  #connectedAt = 0;
  #isOld = false;
  #isRead = false;
  #isTrusted = false;
  #stopGrowingOld: Cancel = () => undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** When the connection was made last, by the clock; 0 = never. */
  get connectedAt(): number {
    return this.#connectedAt;
  }

  /** Whether the map was read, and is from a ZooKeeper that could be trusted. */
  get isTrusted(): boolean {
    return this.#isTrusted;
  }

  connected(sessionTimeoutMs: number): void {
    this.disconnected();
    this.#connectedAt = this.#clock.now();
    this.#stopGrowingOld = this.#clock.after(oldAfterMs(sessionTimeoutMs), () => {
      this.#isOld = true;
      this.#look();
    });
  }

  /** Or the router stops. */
  disconnected(): void {
    this.#stopGrowingOld();
    this.#isOld = false;
  }

  /** The whole map was read. */
  read(): void {
    this.#isRead = true;
    this.#look();
  }

  /** As leader, this router has found that the map it knows now can be trusted. */
  trusted(): void {
    this.#isTrusted = true;
  }

  #look(): void {
    if (this.#isOld && this.#isRead) this.#isTrusted = true;
  }
}
