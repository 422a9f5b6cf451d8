/** When a playground that is being started has got so far, or why it will not. */
import { type Client, type ClusterStatus, connect } from '../client/index.js';
import { parseAddress } from '../model/address.js';
import { isListening } from '../system/is-listening.js';
import { CliError, EXIT } from './exit.js';

const READY_MS = 60_000;
const POLL_MS = 50;
/** For one look at the status, several routers included. */
const STATUS_MS = 2_000;
/** Written, read and removed before the cluster is called ready. */
const PROBE_KEY = 'portolan-playground';

/**
 * What the work gives. Rejects with the reason of the signal as soon as that is aborted, whatever
 * becomes of the work.
 */
export async function unlessAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  work.catch(() => undefined); // It may end later, and nobody waits then.
  let abort: () => void = () => undefined;
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(signal.reason as Error);
    signal.addEventListener('abort', abort);
  });
  try {
    signal.throwIfAborted();
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/**
 * Resolves when somebody listens at HOST:PORT.
 *
 * @param lastWords What whoever should listen there said last.
 * @throws CliError after a minute, or the reason of the signal.
 */
export async function untilListening(
  listen: string,
  signal: AbortSignal,
  lastWords: () => string,
): Promise<void> {
  const address = parseAddress(listen);
  const deadline = performance.now() + READY_MS;
  while (address === undefined || !(await isListening(address))) {
    signal.throwIfAborted();
    if (performance.now() > deadline) {
      const what = `nobody listens at ${listen} after ${READY_MS / 1000} s`;
      throw new CliError(EXIT.unavailable, `${what}. Last words: ${lastWords()}`);
    }
    await pause();
  }
  signal.throwIfAborted();
}

/**
 * Every shard has a primary, and a value can be written and read through the routers.
 *
 * @param routers HOST:PORT of each.
 * @throws CliError after a minute, or the reason of the signal.
 */
export async function untilServing(
  routers: readonly string[],
  signal: AbortSignal,
): Promise<ClusterStatus> {
  const client = connect([...routers], { timeoutMs: STATUS_MS });
  const deadline = performance.now() + READY_MS;
  try {
    let status = await statusOf(client);
    while (status?.healthy !== true || status.candidates.length < routers.length) {
      signal.throwIfAborted();
      if (performance.now() > deadline) throw notReady(status);
      await pause();
      status = await statusOf(client);
    }
    // A node that was killed just before is believed alive until its session ends: be patient.
    const patient = { timeoutMs: READY_MS };
    await client.put(PROBE_KEY, 'ready', patient);
    await client.get(PROBE_KEY, patient);
    await client.delete(PROBE_KEY, patient);
    return status;
  } finally {
    await client.close();
  }
}

/** Undefined if no router answers. */
function statusOf(client: Client): Promise<ClusterStatus | undefined> {
  return client.status().catch(() => undefined);
}

function notReady(status: ClusterStatus | undefined): Error {
  const why = status === undefined ? 'no router answers' : status.problems.join('; ');
  return new CliError(
    EXIT.unavailable,
    `the cluster is not ready after ${READY_MS / 1000} s: ${why}`,
  );
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, POLL_MS));
}
