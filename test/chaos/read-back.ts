/** Reads every key when all is over, through all routers. */
import type { ReadResult } from '../simulation/checkers/history.js';
import { forEachIndex, IndependentClient } from '../support/independent-client.js';
import { readResultOf } from './workload.js';

const AT_ONCE = 16;
const WHOLE_MS = 60_000;

/** @throws Error if some key cannot be read within a minute. */
export async function readBack(
  keys: readonly string[],
  addresses: readonly string[],
): Promise<ReadonlyMap<string, ReadResult>> {
  const clients = addresses.map((address) => new IndependentClient(address));
  const found = new Map<string, ReadResult>();
  const deadlineMs = performance.now() + WHOLE_MS;
  let error: unknown;
  await forEachIndex(keys.length, AT_ONCE, async (index) => {
    const key = keys[index]!;
    for (let at = index; !found.has(key) && performance.now() < deadlineMs; at++) {
      await clients[at % clients.length]!.get(key).then(
        (got) => found.set(key, readResultOf(got)),
        (reason: unknown) => {
          error = reason;
        },
      );
    }
  });
  for (const client of clients) client.close();
  const missing = keys.length - found.size;
  if (missing === 0) return found;
  throw new Error(`${missing} of ${keys.length} keys could not be read: ${String(error)}`);
}
