/** Asks again and again. */

const GIVE_UP_MS = 60_000;

/**
 * What `find` gives, once it gives something.
 *
 * @throws Error if it gives nothing for 60 s.
 */
export async function poll<T>(
  find: () => T | undefined | Promise<T | undefined>,
  everyMs: number,
): Promise<T> {
  const deadline = performance.now() + GIVE_UP_MS;
  for (;;) {
    const found = await find();
    if (found !== undefined) return found;
    if (performance.now() > deadline) throw new Error('the cluster did not recover within 60 s');
    await pause(everyMs);
  }
}

/** Over at once if the time is negative. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));
}
