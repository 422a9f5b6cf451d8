/** A gRPC client as any user could write it: plain grpc-js, its own definition of the API. */
import { fileURLToPath } from 'node:url';
import * as grpc from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

const PROTO = fileURLToPath(new URL('independent.proto', import.meta.url));

export interface Got {
  readonly found: boolean;
  readonly value: Buffer;
  readonly version: string;
}

export interface Written {
  readonly applied: boolean;
  readonly version: string;
}

type Method = (
  request: object,
  options: { deadline: number },
  callback: (error: grpc.ServiceError | null, response: never) => void,
) => void;

export class IndependentClient {
  readonly #address: string;
  #stub: grpc.Client & Record<string, Method>;

  constructor(address: string) {
    this.#address = address;
    this.#stub = stubOf(address);
  }

  /** After its router was started again: the old channel may pause before it connects, and fail. */
  reconnect(): void {
    this.#stub.close();
    this.#stub = stubOf(this.#address);
  }

  get(key: string, timeoutMs = 5_000): Promise<Got> {
    return this.#call('Get', { key: Buffer.from(key) }, timeoutMs);
  }

  put(key: string, value: string | Buffer, more: object = {}, timeoutMs = 5_000): Promise<Written> {
    const request = { key: Buffer.from(key), value: Buffer.from(value), ...more };
    return this.#call('Put', request, timeoutMs);
  }

  delete(key: string, more: object = {}, timeoutMs = 5_000): Promise<Written> {
    return this.#call('Delete', { key: Buffer.from(key), ...more }, timeoutMs);
  }

  close(): void {
    this.#stub.close();
  }

  #call<T>(method: string, request: object, timeoutMs: number): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#stub[method]!.call(
        this.#stub,
        request,
        { deadline: Date.now() + timeoutMs },
        (error, response) => (error === null ? resolve(response as T) : reject(error)),
      );
    });
  }
}

interface Loaded {
  readonly portolan: {
    readonly v1: { readonly KV: new (...args: unknown[]) => grpc.Client & Record<string, Method> };
  };
}

let loaded: Loaded | undefined;

function stubOf(address: string): grpc.Client & Record<string, Method> {
  loaded ??= grpc.loadPackageDefinition(
    loadSync(PROTO, { longs: String, defaults: true, oneofs: true }),
  ) as unknown as Loaded;
  // Without sharing: the library would hand out the channel that pauses again.
  const options = { 'grpc.use_local_subchannel_pool': 1 };
  return new loaded.portolan.v1.KV(address, grpc.credentials.createInsecure(), options);
}

/** Runs `task` for every index below `count`, so many at a time. */
export async function forEachIndex(
  count: number,
  atOnce: number,
  task: (index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const work = async (): Promise<void> => {
    for (let index = next++; index < count; index = next++) await task(index);
  };
  await Promise.all(Array.from({ length: atOnce }, work));
}
