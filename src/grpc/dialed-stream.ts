/**
 * One stream to another member over a connection of its own: connects first, then opens the call.
 *
 * `drain` comes once when the connection stands. What was written before is sent then, so a caller
 * that does not care may write at once; one that must know whether something left this process
 * writes nothing before the first `drain`.
 */
import * as grpc from '@grpc/grpc-js';
import type { Outgoing, StreamEvents } from '../ports/network.js';
import { connectChannel, openChannel } from './channel.js';
import { openStream, type ReportFailure } from './streams.js';

/** A connection that is not there by then never will be (grpc-node #2785). */
const CONNECT_MS = 2_000;

export interface Codec<In, Out> {
  readonly path: string;
  readonly serialize: (message: Out) => Buffer;
  readonly deserialize: (bytes: Buffer) => In;
}

export interface StreamOwner<In> {
  readonly events: StreamEvents<In>;
  readonly failed: ReportFailure;
}

export class DialedStream<In, Out> implements Outgoing<Out> {
  readonly #codec: Codec<In, Out>;
  readonly #owner: StreamOwner<In>;
  readonly #client: grpc.Client;
  /** Written before the connection stood. */
  #early: Out[] = [];
  #call: grpc.ClientDuplexStream<Out, In> | undefined;
  #outgoing: Outgoing<Out> | undefined;
  #ended = false;
  #over = false;

  constructor(address: string, codec: Codec<In, Out>, owner: StreamOwner<In>) {
    this.#codec = codec;
    this.#owner = owner;
    this.#client = openChannel(address);
    connectChannel(this.#client, CONNECT_MS, (problem) => {
      if (this.#over) return;
      if (problem === undefined && !this.#ended) this.#open();
      else this.#close(problem ?? 'ended');
    });
  }

  write(message: Out): boolean {
    if (this.#outgoing !== undefined) return this.#outgoing.write(message);
    if (!this.#ended) this.#early.push(message);
    return false;
  }

  end(): void {
    this.#ended = true;
    this.#outgoing?.end();
  }

  /** Ends both directions at once; `closed` follows. */
  cut(): void {
    if (this.#call !== undefined) return this.#call.cancel();
    setImmediate(() => this.#close('cut'));
  }

  #open(): void {
    const { path, serialize, deserialize } = this.#codec;
    const { events, failed } = this.#owner;
    const call = this.#client.makeBidiStreamRequest(
      path,
      serialize,
      deserialize,
      new grpc.Metadata(),
    );
    this.#call = call;
    this.#outgoing = openStream<In, Out>(
      call,
      {
        message: (message) => events.message(message),
        drain: () => events.drain(),
        closed: (reason) => this.#close(reason),
      },
      failed,
    );
    for (const message of this.#early) this.#outgoing.write(message);
    this.#early = [];
    events.drain();
  }

  #close(reason: string): void {
    if (this.#over) return;
    this.#over = true;
    this.#early = [];
    this.#client.close();
    this.#owner.events.closed(reason);
  }
}
