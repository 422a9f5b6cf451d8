/** Whether anything listens at an address, asked of the kernel behind it and not of the process. */
import { connect } from 'node:net';
import { parseAddress } from '../model/address.js';

export type ProbeResult = 'accepted' | 'refused' | 'silent';

/** Never throws; calls back exactly once. */
export function probeTcp(
  address: string,
  timeoutMs: number,
  done: (result: ProbeResult) => void,
): void {
  const target = parseAddress(address);
  if (target === undefined) return void setImmediate(() => done('silent'));
  const socket = connect(target);
  let finished = false;
  const finish = (result: ProbeResult) => {
    if (finished) return;
    finished = true;
    socket.destroy();
    done(result);
  };
  socket.setTimeout(timeoutMs, () => finish('silent'));
  socket.on('connect', () => finish('accepted'));
  // Heard to the end: an 'error' without a listener would end the process.
  socket.on('error', (error: NodeJS.ErrnoException) => {
    finish(error.code === 'ECONNREFUSED' ? 'refused' : 'silent');
  });
}
