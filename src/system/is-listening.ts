/** Whether somebody listens at an address: found out by dialing, which a paused process bears. */
import { connect } from 'node:net';
import type { Address } from '../model/address.js';

/** No word for so long comes from a listener that is too busy to take calls. */
const LOOK_MS = 1_000;

export function isListening({ host, port }: Address): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, host);
    const done = (listens: boolean) => () => {
      socket.destroy();
      resolve(listens);
    };
    socket.once('connect', done(true));
    socket.once('error', done(false));
    socket.setTimeout(LOOK_MS, done(true));
  });
}
