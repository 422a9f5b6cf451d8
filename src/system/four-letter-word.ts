/** Asks a ZooKeeper server with four letters, as an operator with `nc` does. */
import { connect } from 'node:net';
import type { Address } from '../model/address.js';

/** Its whole answer. @throws Error saying why there is none */
export function askWord({ host, port }: Address, word: string, timeoutMs: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port });
    const timer = setTimeout(
      () => socket.destroy(new Error(`silent for ${timeoutMs} ms`)),
      timeoutMs,
    );
    let text = '';
    socket.setEncoding('utf8');
    socket.on('connect', () => socket.write(word));
    socket.on('data', (chunk: string) => (text += chunk));
    socket.on('error', reject);
    socket.on('close', () => {
      clearTimeout(timer);
      resolve(text);
    });
  });
}
