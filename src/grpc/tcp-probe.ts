/**
 * Whether anything listens at an address, asked of the kernel behind it and not of the process.
 *
 * Two moments deceive. A process that restarts its listener refuses for an instant: one refusal is
 * not believed, so refused twice, 10 ms apart. A process that was killed may have its connections
 * closed before its listener, which still takes one and drops it: accepted is what lasts 10 ms.
 */
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { type Address, parseAddress } from '../model/address.js';
import type { ProbeResult } from '../ports/network.js';

/** How long the whole probe may take. */
const PROBE_MS = 1_000;
/** Between two attempts. */
const GAP_MS = 10;
const LASTING_MS = 10;

/** Resolves within about a second; never rejects. */
export async function probeTcp(address: string): Promise<ProbeResult> {
  const target = parseAddress(address);
  if (target === undefined) return 'silent';
  const deadline = performance.now() + PROBE_MS;
  let refusals = 0;
  for (let leftMs = PROBE_MS; leftMs > 0; leftMs = deadline - performance.now()) {
    const result = await tryToConnect(target, leftMs);
    if (result === 'accepted' || result === 'silent') return result;
    refusals = result === 'refused' ? refusals + 1 : 0;
    if (refusals === 2) return 'refused';
    await delay(GAP_MS);
  }
  return 'silent';
}

function tryToConnect(target: Address, timeoutMs: number): Promise<ProbeResult | 'dropped'> {
  return new Promise((resolve) => {
    const socket = connect(target);
    let isConnected = false;
    const finish = (result: ProbeResult | 'dropped') => {
      clearTimeout(timer);
      socket.destroy();
      resolve(result);
    };
    // Not the socket's own timeout: that starts again with each address a name leads to.
    let timer = setTimeout(() => finish('silent'), timeoutMs);
    socket.on('connect', () => {
      isConnected = true;
      clearTimeout(timer);
      timer = setTimeout(() => finish('accepted'), LASTING_MS);
    });
    // Heard to the end: an 'error' without a listener would end the process.
    socket.on('error', (error) => {
      finish(isConnected ? 'dropped' : isRefusal(error) ? 'refused' : 'silent');
    });
    socket.on('end', () => finish('dropped'));
    socket.resume();
  });
}

/** A name may lead to several addresses: all of them have to refuse. */
function isRefusal(error: NodeJS.ErrnoException): boolean {
  const errors = error instanceof AggregateError ? (error.errors as unknown[]) : [error];
  return errors.every((each) => (each as NodeJS.ErrnoException).code === 'ECONNREFUSED');
}
