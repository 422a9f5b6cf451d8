/** Asks again and again. */

const GIVE_UP_MS = 60_000;

/**
 * What `find` gives, once it gives something.
 *
 * @param what Is waited for, in words.
 * @throws Error if it gives nothing for 60 s.
 */
export async function poll<T>(
  what: string,
  find: () => T | undefined | Promise<T | undefined>,
  everyMs: number,
): Promise<T> {
  const deadline = performance.now() + GIVE_UP_MS;
  for (;;) {
    const found = await find();
    if (found !== undefined) return found;
    if (performance.now() > deadline) throw new Error(`waited 60 s in vain: ${what}`);
    await pause(everyMs);
  }
}

/** Over at once if the time is negative. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));
}
