/**
 * A store that speaks to the storage nodes itself, over their framed streams, as a smart client
 * will: the key's shard and its primary are found here, and calls of one tick share a frame.
 *
 * The routers are asked only for the map, at the beginning and when a node refuses by it. A call
 * that was certainly not applied is made again until its deadline; one with an unknown outcome is
 * an error.
 */
import { type Client, OutcomeUnknownError } from '../src/client/index.js';
import { GrpcDialer } from '../src/grpc/dialer.js';
import type { CallKind } from '../src/model/calls.js';
import type { Epoch, MemberId, ShardId } from '../src/model/ids.js';
import { slotOf } from '../src/model/slot.js';
import { type LinkDeps, type LinkResult, NodeLink } from '../src/router/node-link.js';
import { systemClock } from '../src/system/clock.js';
import { systemRandom } from '../src/system/random.js';
import { decodeGetResponse, encodeKeyRequest, encodePutRequest } from '../src/wire/kv-requests.js';
import type { Store } from './store.js';

const PAUSE_MS = 20;

interface Route {
  readonly shard: ShardId;
  readonly epoch: Epoch;
  readonly link: NodeLink;
}

export class DirectStore implements Store {
  readonly #client: Client;
  readonly #timeoutMs: number;
  readonly #dialer = new GrpcDialer({ failed: rethrow, garbled: rethrow });
  readonly #links = new Map<string, NodeLink>();
  /** By slot. */
  #routes: readonly (Route | undefined)[] = [];
  #refreshing: Promise<void> | undefined;

  private constructor(client: Client, timeoutMs: number) {
    this.#client = client;
    this.#timeoutMs = timeoutMs;
  }

  /** With the map of a healthy cluster, as its routers tell it. */
  static async open(client: Client, timeoutMs: number): Promise<DirectStore> {
    const store = new DirectStore(client, timeoutMs);
    await store.#refresh();
    return store;
  }

  async put(key: string, value: Buffer): Promise<void> {
    const bytes = Buffer.from(key);
    await this.#call('put', bytes, encodePutRequest(bytes, value), this.#timeoutMs);
  }

  async get(key: string, timeoutMs = this.#timeoutMs): Promise<Uint8Array | undefined> {
    const bytes = Buffer.from(key);
    const response = await this.#call('get', bytes, encodeKeyRequest(bytes), timeoutMs);
    return decodeGetResponse(response)?.value;
  }

  close(): void {
    for (const link of this.#links.values()) link.retire();
    this.#dialer.close();
  }

  async #call(kind: CallKind, key: Buffer, payload: Buffer, timeoutMs: number): Promise<Buffer> {
    const slot = slotOf(key);
    const deadline = systemClock.now() + timeoutMs;
    for (;;) {
      const route = this.#routes[slot];
      const result = route && (await send(route, { kind, payload, deadline }));
      if (result?.type === 'answered' && result.response.status === 'ok') {
        return result.response.payload;
      }
      if (result !== undefined) mustBeNotApplied(result);
      if (systemClock.now() > deadline) throw new Error('not done by the deadline');
      await (this.#refreshing ??= this.#refreshSoon());
    }
  }

  async #refreshSoon(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    await this.#refresh().catch(() => undefined); // The next call asks again.
    this.#refreshing = undefined;
  }

  async #refresh(): Promise<void> {
    const { nodes, shards } = await this.#client.status();
    const addresses = new Map(nodes.map(({ id, address }) => [id, address]));
    const routes: (Route | undefined)[] = [];
    for (const { id, slots, epoch, primary } of shards) {
      const address = addresses.get(primary) ?? '';
      if (address === '') continue;
      const link = this.#linkTo(primary, address);
      const route = { shard: id as ShardId, epoch: epoch as Epoch, link };
      for (let slot = slots[0]; slot <= slots[1]; slot++) routes[slot] = route;
    }
    this.#routes = routes;
  }

  #linkTo(node: string, address: string): NodeLink {
    let link = this.#links.get(address);
    if (link === undefined) {
      link = new NodeLink(this.#linkDeps(), { node: node as MemberId, address });
      this.#links.set(address, link);
    }
    return link;
  }

  #linkDeps(): LinkDeps {
    const log = { debug: ignore, info: ignore, warn: ignore, error: ignore };
    const dialer = this.#dialer;
    return { clock: systemClock, random: systemRandom, log, dialer, defer: setImmediate };
  }
}

interface Request {
  readonly kind: CallKind;
  readonly payload: Buffer;
  readonly deadline: number;
}

function send({ shard, epoch, link }: Route, request: Request): Promise<LinkResult> {
  return new Promise((done) => link.send({ ...request, shard, epoch, done }));
}

/** @throws OutcomeUnknownError unless the call was certainly not applied. */
function mustBeNotApplied(result: LinkResult): void {
  if (result.type === 'not-sent') return;
  if (result.type === 'answered' && result.response.status === 'refused') return;
  throw new OutcomeUnknownError('the stream broke, or the node says so', 1);
}

function rethrow(problem: unknown): never {
  throw problem instanceof Error ? problem : new Error(String(problem));
}

function ignore(): undefined {
  return undefined;
}
