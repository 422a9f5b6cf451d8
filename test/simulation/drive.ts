/** Lets virtual time pass while promises settle, for code that awaits under a clock that is turned. */
import type { FakeClock } from '../support/fake-clock.js';

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/**
 * Turns the clock on, a millisecond at a time, until the promise has settled. Between two steps
 * everything happens that needs no time.
 *
 * @throws Error if it does not settle within `limitMs` of virtual time.
 */
export async function drive<T>(
  clock: FakeClock,
  promise: Promise<T>,
  limitMs = 120_000,
): Promise<T> {
  const state = { isSettled: false };
  const settle = () => void (state.isSettled = true);
  promise.then(settle, settle);
  await turn();
  for (let passedMs = 0; !state.isSettled; passedMs++) {
    if (passedMs >= limitMs) throw new Error(`nothing settled within ${limitMs} ms`);
    clock.advance(1);
    await turn();
  }
  return promise;
}

/** Lets so much time pass. */
export function pass(clock: FakeClock, ms: number): Promise<void> {
  return drive(clock, new Promise<void>((resolve) => void clock.after(ms, resolve)), ms + 1);
}
