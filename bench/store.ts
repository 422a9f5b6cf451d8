/** What is measured, as the load sees it: a store with keys and values. */
import type { Client } from '../src/client/index.js';

export interface Store {
  /** Resolves when the write is acknowledged. */
  put(key: Buffer, value: Buffer): Promise<void>;
  /** Undefined: the key is absent. */
  get(key: Buffer, timeoutMs?: number): Promise<Uint8Array | undefined>;
  close(): void;
}

/** Through the routers, by unary calls of the published client, as any program does it. */
export function routerStore(client: Client): Store {
  return {
    put: async (key, value) => void (await client.put(key, value)),
    get: async (key, timeoutMs) => {
      const options = timeoutMs === undefined ? {} : { timeoutMs };
      return (await client.get(key, options))?.value;
    },
    close: () => undefined, // The client is closed by whoever connected it.
  };
}
