/**
 * KV calls to one router or node: bytes in, bytes out, over channels of our own.
 *
 * A call is sent only on a connection that stands. So "there was no connection" is a definite
 * answer here (`sent: false`), which the library's own UNAVAILABLE is not.
 */
import * as grpc from '@grpc/grpc-js';
import type { CallKind } from '../model/calls.js';
import type { ErrorDetail } from '../wire/error-detail.js';
import { connectChannel, isReady, openChannel } from './channel.js';
import { asIs, CLUSTER, HEALTH, KV } from './definitions.js';
import { detailOf } from './error-detail.js';
import type { StatusResponse__Output } from './generated/portolan/v1/StatusResponse.js';

/** How one attempt ended. */
export type Attempt<T> =
  | { readonly type: 'ok'; readonly response: T }
  /** Nothing was sent: there is no connection. */
  | { readonly type: 'not-sent'; readonly problem: string }
  /** A definite refusal: not applied. */
  | { readonly type: 'refused'; readonly detail: ErrorDetail; readonly message: string }
  /** No promise about the outcome. */
  | {
      readonly type: 'unknown';
      readonly status: GrpcStatus;
      readonly message: string;
      /** Whether the connection still stood after the call had failed. */
      readonly connected: boolean;
    };

/** Those that mean something to a caller; all others are `other`. */
export type GrpcStatus = 'deadline-exceeded' | 'unavailable' | 'cancelled' | 'other';

export interface AttemptOptions {
  /** From now, connecting included. */
  readonly timeoutMs: number;
  /** How long connecting may take, if that is needed. */
  readonly connectTimeoutMs: number;
  /** Gives up early; the attempt ends as unknown with status `cancelled`. */
  readonly signal?: AbortSignal | undefined;
}

interface Method<T> {
  readonly path: string;
  readonly serialize: (message: object) => Buffer;
  readonly deserialize: (bytes: Buffer) => T;
}

const KV_PATHS: Record<CallKind, string> = {
  get: KV.Get.path,
  put: KV.Put.path,
  delete: KV.Delete.path,
};

const STATUS: Method<StatusResponse__Output> = {
  path: CLUSTER.Status.path,
  serialize: CLUSTER.Status.requestSerialize,
  deserialize: CLUSTER.Status.responseDeserialize,
};

const CHECK: Method<{ status: string }> = {
  path: HEALTH.Check.path,
  serialize: HEALTH.Check.requestSerialize,
  deserialize: HEALTH.Check.responseDeserialize,
};

/** All that a client says to one address. Never throws; channels are opened when first needed. */
export class RouterChannels {
  readonly address: string;
  readonly #channels: (grpc.Client | undefined)[];
  readonly #calls = new Set<{ cancel(): void }>();
  #next = 0;
  #closed = false;

  /** Several channels spread the CPU cost of one connection; one is enough for most. */
  constructor(address: string, channels = 1) {
    this.address = address;
    this.#channels = Array.from({ length: channels }, () => undefined);
  }

  kv(kind: CallKind, request: Buffer, options: AttemptOptions): Promise<Attempt<Buffer>> {
    const method = { path: KV_PATHS[kind], serialize: asIs as never, deserialize: asIs };
    return this.#attempt<Buffer>(method, request, options);
  }

  status(options: AttemptOptions): Promise<Attempt<StatusResponse__Output>> {
    return this.#attempt(STATUS, {}, options);
  }

  /** Whether the process says that it serves. */
  async serves(options: AttemptOptions): Promise<boolean> {
    const answer = await this.#attempt(CHECK, { service: 'readiness' }, options);
    return answer.type === 'ok' && answer.response.status === 'SERVING';
  }

  /** Throws away every connection, so that the next call makes new ones. Calls under way end. */
  reset(): void {
    for (let slot = 0; slot < this.#channels.length; slot++) this.#discard(slot);
  }

  /** Calls under way end as unknown. */
  close(): void {
    this.#closed = true;
    for (const call of this.#calls) call.cancel();
    this.reset();
  }

  async #attempt<T>(
    method: Method<T>,
    message: object,
    { timeoutMs, connectTimeoutMs, signal }: AttemptOptions,
  ): Promise<Attempt<T>> {
    const deadline = Date.now() + timeoutMs;
    if (this.#closed) return { type: 'not-sent', problem: 'the client is closed' };
    const slot = this.#next++ % this.#channels.length;
    const client = (this.#channels[slot] ??= openChannel(this.address));
    if (!isReady(client)) {
      const problem = await connected(client, connectTimeoutMs, signal);
      if (signal?.aborted === true) return { type: 'not-sent', problem: 'cancelled' };
      // Another call may have thrown this channel away already.
      if (problem !== undefined && this.#channels[slot] === client) this.#discard(slot);
      if (problem !== undefined) return { type: 'not-sent', problem };
    }
    try {
      return await this.#send(client, method, { message, deadline, signal });
    } catch (error) {
      // The channel was closed between the two: the library throws before it sends anything.
      return { type: 'not-sent', problem: String(error) };
    }
  }

  #send<T>(
    client: grpc.Client,
    { path, serialize, deserialize }: Method<T>,
    what: { message: object; deadline: number; signal: AbortSignal | undefined },
  ): Promise<Attempt<T>> {
    const { message, deadline, signal } = what;
    return new Promise((resolve) => {
      const call = client.makeUnaryRequest<object, T>(
        path,
        serialize,
        deserialize,
        message,
        new grpc.Metadata(),
        { deadline },
        (error, response) => {
          this.#calls.delete(call);
          signal?.removeEventListener('abort', cancel);
          resolve(error === null ? { type: 'ok', response: response as T } : failed(client, error));
        },
      );
      const cancel = () => call.cancel();
      this.#calls.add(call);
      signal?.addEventListener('abort', cancel, { once: true });
    });
  }

  #discard(slot: number): void {
    this.#channels[slot]?.close();
    this.#channels[slot] = undefined;
  }
}

/** Undefined once the connection stands, otherwise why it does not. */
function connected(
  client: grpc.Client,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    const give = (problem: string | undefined) => {
      signal?.removeEventListener('abort', abort);
      resolve(problem);
    };
    const abort = () => give('cancelled');
    signal?.addEventListener('abort', abort);
    connectChannel(client, timeoutMs, give);
  });
}

function failed(client: grpc.Client, error: grpc.ServiceError): Attempt<never> {
  const detail = detailOf(error);
  const message = error.details;
  if (detail?.outcome === 'not-applied') return { type: 'refused', detail, message };
  return {
    type: 'unknown',
    status: STATUS_NAMES.get(error.code) ?? 'other',
    message,
    connected: stands(client),
  };
}

function stands(client: grpc.Client): boolean {
  try {
    return isReady(client);
  } catch {
    return false; // The channel was closed meanwhile.
  }
}

const STATUS_NAMES = new Map<grpc.status, GrpcStatus>([
  [grpc.status.DEADLINE_EXCEEDED, 'deadline-exceeded'],
  [grpc.status.UNAVAILABLE, 'unavailable'],
  [grpc.status.CANCELLED, 'cancelled'],
]);
