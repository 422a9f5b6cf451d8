/** A place for data that nobody needs afterwards. */
import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const SIGNALS = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

/** Gone when this process ends, but for signals that nobody handles. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'portolan-bench-'));
  // Whoever writes there may be about to end: then a second look is needed.
  const options = { recursive: true, force: true, maxRetries: 5, retryDelay: 50 } as const;
  process.once('exit', () => rmSync(folder, options));
  return folder;
}

/** A signal is an end like others: what has to be left in order is. */
export function endOnSignals(): void {
  for (const [signal, code] of Object.entries(SIGNALS))
    process.on(signal, () => process.exit(code));
}
