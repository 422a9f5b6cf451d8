/** Time as the roles see it: it never goes back. The wall clock decides nothing. */
export interface Clock {
  /** Milliseconds since an arbitrary start; stands still while the whole system sleeps. */
  now(): number;
  /**
   * Milliseconds since the system started. Unlike {@link now} it goes on while the whole system
   * sleeps (a suspended virtual machine); it is coarse, some tens of milliseconds.
   */
  sinceBoot(): number;
  /** Calls `task` once after `delayMs`; the result cancels it and may be called at any time. */
  after(delayMs: number, task: () => void): Cancel;
}

export type Cancel = () => void;
