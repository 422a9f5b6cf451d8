/** The clock of this machine: monotonic, and stopped timers cost nothing. */
import { openSync, readSync } from 'node:fs';
import { uptime } from 'node:os';
import type { Clock } from '../ports/clock.js';

export const systemClock: Clock = {
  now: () => performance.now(),
  sinceBoot: clockSinceBoot(),
  after(delayMs, task) {
    const timer = setTimeout(task, delayMs);
    return () => clearTimeout(timer);
  },
};

/** Of the kernel's file, opened once: half of what `os.uptime` costs, which opens it each time. */
function clockSinceBoot(): () => number {
  const text = Buffer.alloc(64);
  let file: number;
  try {
    file = openSync('/proc/uptime', 'r');
  } catch {
    return () => uptime() * 1000;
  }
  return () => {
    const length = readSync(file, text, 0, text.length, 0);
    return Number.parseFloat(text.toString('latin1', 0, length)) * 1000;
  };
}
