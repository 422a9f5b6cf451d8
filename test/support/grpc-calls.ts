/** Calls of a client that knows only the protocol: the generated definitions and grpc-js. */
import * as grpc from '@grpc/grpc-js';
import type { MethodDefinition } from '@grpc/proto-loader';
import { type Address, formatAddress } from '../../src/model/address.js';

export interface UnaryResult<T> {
  readonly code: grpc.status;
  readonly details: string;
  readonly trailer: Buffer | undefined;
  readonly response: T | undefined;
}

export class PlainClient {
  readonly #client: grpc.Client;

  constructor(address: Address) {
    this.#client = new grpc.Client(formatAddress(address), grpc.credentials.createInsecure(), {
      'grpc.use_local_subchannel_pool': 1,
      'grpc.enable_http_proxy': 0,
      'grpc.max_send_message_length': -1,
    });
  }

  /** Resolves with the status, whatever it is. */
  unary<In, Out>(
    method: MethodDefinition<In, object, object, Out>,
    request: In,
    timeoutMs?: number,
  ): Promise<UnaryResult<Out>> {
    const options = timeoutMs === undefined ? {} : { deadline: Date.now() + timeoutMs };
    return new Promise((resolve) => {
      this.#client.makeUnaryRequest<In, Out>(
        method.path,
        method.requestSerialize,
        method.responseDeserialize,
        request,
        new grpc.Metadata(),
        options,
        (error, response) => resolve(resultOf(error, response)),
      );
    });
  }

  /** The messages until the stream ends, and how it ended. */
  serverStream<In, Out>(
    method: MethodDefinition<In, object, object, Out>,
    request: In,
    onMessage: (message: Out, cancel: () => void) => void = () => undefined,
  ): Promise<UnaryResult<undefined>> {
    return new Promise((resolve) => {
      const stream = this.#client.makeServerStreamRequest(
        method.path,
        method.requestSerialize,
        method.responseDeserialize,
        request,
        new grpc.Metadata(),
      );
      let failure: grpc.ServiceError | null = null;
      stream.on('data', (message: Out) => onMessage(message, () => stream.cancel()));
      stream.on('error', (error: grpc.ServiceError) => (failure = error));
      stream.on('status', () => resolve(resultOf(failure, undefined)));
    });
  }

  close(): void {
    this.#client.close();
  }
}

function resultOf<T>(error: grpc.ServiceError | null, response: T | undefined): UnaryResult<T> {
  const [trailer] = error?.metadata.get('portolan-error-bin') ?? [];
  return {
    code: error?.code ?? grpc.status.OK,
    details: error?.details ?? '',
    trailer: trailer as Buffer | undefined,
    response,
  };
}
