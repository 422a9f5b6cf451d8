/**
 * Notices the death of a process within milliseconds: holds a `Health.Watch` stream to it, and when
 * that breaks asks its port. The kernel closes a dead process's sockets at once, so its connection
 * breaks and new ones are refused; a process that only hangs keeps both (D3).
 *
 * A connection that broke proves nothing by itself (a network may cut it); a port that refuses does
 * (`tcp-probe.ts`). Anything else leads to a new stream, later and later, for as long as it takes:
 * a process that was cut off, or hung, may die as any other.
 *
 * A guess that is wrong costs at most an unneeded change of the map: epochs and the leaderEpoch
 * fence whoever was taken for dead (D2).
 */
import * as grpc from '@grpc/grpc-js';
import { connectChannel, openChannel } from './channel.js';
import { HEALTH } from './definitions.js';
import { probeTcp } from './tcp-probe.js';

/** How long an attempt to connect may take. */
const CONNECT_MS = 1_000;
/**
 * Between two attempts to watch a process that does not answer: doubles. Short at first, because a
 * dying process's connections may be closed a moment before its listener.
 */
const AGAIN_MS = { first: 10, last: 1_000 };

export class ProcessWatch {
  readonly #address: string;
  readonly #gone: () => void;
  #client: grpc.Client | undefined;
  #timer: NodeJS.Timeout | undefined;
  #againMs = AGAIN_MS.first;
  #over = false;

  constructor(address: string, gone: () => void) {
    this.#address = address;
    this.#gone = gone;
    this.#watch();
  }

  stop(): void {
    this.#over = true;
    clearTimeout(this.#timer);
    this.#client?.close();
    this.#client = undefined;
  }

  #watch(): void {
    const client = openChannel(this.#address);
    this.#client = client;
    connectChannel(client, CONNECT_MS, (problem) => {
      if (this.#over || this.#client !== client) return;
      if (problem !== undefined) return this.#inquire();
      this.#follow(client);
    });
  }

  #follow(client: grpc.Client): void {
    const { path, requestSerialize, responseDeserialize } = HEALTH.Watch;
    const stream = client.makeServerStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      { service: 'liveness' },
      new grpc.Metadata(),
    );
    stream.on('data', () => (this.#againMs = AGAIN_MS.first));
    stream.on('error', () => undefined);
    stream.on('status', () => {
      if (!this.#over && this.#client === client) this.#inquire();
    });
  }

  /** The stream broke, or there was none. */
  #inquire(): void {
    this.#client?.close();
    this.#client = undefined;
    void probeTcp(this.#address).then((result) => {
      if (this.#over) return;
      if (result === 'refused') {
        this.stop();
        return this.#gone();
      }
      this.#timer = setTimeout(() => this.#watch(), this.#againMs);
      this.#againMs = Math.min(AGAIN_MS.last, this.#againMs * 2);
    });
  }
}
