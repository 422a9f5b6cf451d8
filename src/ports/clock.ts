/** Time as the roles see it: monotonic only. The wall clock decides nothing. */
export interface Clock {
  /** Milliseconds since an arbitrary start; never goes back. */
  now(): number;
  /** Calls `task` once after `delayMs`; the result cancels it and may be called at any time. */
  after(delayMs: number, task: () => void): Cancel;
}

export type Cancel = () => void;
