/**
 * Whether anything listens at an address, asked of the kernel behind it and not of the process.
 *
 * Two moments deceive. A process that restarts its listener refuses for an instant: one refusal is
 * not believed, so refused twice, 10 ms apart. A process that was killed may have its connections
 * closed before its listener, which still takes one and drops it: accepted is what lasts 10 ms, and
 * one that was dropped says nothing, even if that was before we saw it taken.
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
/** Errors of a connection that the kernel took, and reset before anyone accepted it. */
const DROPPED = ['ECONNRESET', 'EPIPE'];
/**
 * Errors of an address that this machine cannot dial: they say nothing of the other one. A route
 * may be gone for a moment, and the process listen there alone: a wrong guess, which is fenced.
 */
const UNUSABLE = ['EADDRNOTAVAIL', 'EAFNOSUPPORT', 'EINVAL', 'ENETUNREACH'];

type Attempt = ProbeResult | 'dropped';

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

function tryToConnect(target: Address, timeoutMs: number): Promise<Attempt> {
  return new Promise((resolve) => {
    const socket = connect(target);
    let isConnected = false;
    const finish = (result: Attempt) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(result);
    };
    // Not the socket's own timeout: that starts again with each address a name leads to.
    let timer = setTimeout(() => finish('silent'), timeoutMs);
    socket.on('connect', () => {
      isConnected = true;
      clearTimeout(timer);
      // If we were held up, what came meanwhile is read before that is believed.
      timer = setTimeout(() => setImmediate(() => finish('accepted')), LASTING_MS);
    });
    // Heard to the end: an 'error' without a listener would end the process.
    socket.on('error', (error) => {
      finish(isConnected ? 'dropped' : failedAttempt(error));
    });
    socket.on('end', () => finish('dropped'));
    socket.resume();
  });
}

/** A name may lead to several addresses: all have to refuse that can be dialled from here. */
function failedAttempt(error: NodeJS.ErrnoException): Attempt {
  const errors: unknown[] = error instanceof AggregateError ? error.errors : [error];
  const codes = errors
    .map((each) => (each as NodeJS.ErrnoException).code ?? '')
    .filter((code) => !UNUSABLE.includes(code));
  if (codes.some((code) => DROPPED.includes(code))) return 'dropped';
  return codes.length > 0 && codes.every((code) => code === 'ECONNREFUSED') ? 'refused' : 'silent';
}
