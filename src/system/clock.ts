/** The clock of this machine: monotonic, and stopped timers cost nothing. */
import type { Clock } from '../ports/clock.js';

export const systemClock: Clock = {
  now: () => performance.now(),
  after(delayMs, task) {
    const timer = setTimeout(task, delayMs);
    return () => clearTimeout(timer);
  },
};
