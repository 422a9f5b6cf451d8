/** Time as the roles see it: it never goes back. The wall clock decides nothing. */

/** What {@link Clock.sinceBoot} cuts off: less than this (proc_uptime(5)). */
export const SINCE_BOOT_STEP_MS = 10;

export interface Clock {
  /** Milliseconds since an arbitrary start; stands still while the whole system sleeps. */
  now(): number;
  /**
   * Milliseconds since the system started. Unlike {@link now} it goes on while the whole system
   * sleeps (a suspended virtual machine); it is coarse, by {@link SINCE_BOOT_STEP_MS}.
   */
  sinceBoot(): number;
  /** Calls `task` once after `delayMs`; the result cancels it and may be called at any time. */
  after(delayMs: number, task: () => void): Cancel;
}

export type Cancel = () => void;
