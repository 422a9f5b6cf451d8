/**
 * A store that speaks to the storage nodes itself, over their framed streams, as a smart client
 * will: the key's shard and its primary are found here, and calls of one tick share a frame.
 *
 * The routers are asked only for the map, at the beginning and when a node refuses by it. A call
 * that was certainly not applied is made again until its deadline; one with an unknown outcome is
 * an error.
 */
import { type Client, OutcomeUnknownError } from '../src/client/index.js';
import { decodeGetResponse, encodeGet, encodePut } from '../src/client/messages.js';
import { GrpcDialer } from '../src/grpc/dialer.js';
import type { CallKind } from '../src/model/calls.js';
import type { Epoch, MemberId, ShardId } from '../src/model/ids.js';
import { slotOf } from '../src/model/slot.js';
import type { LinkResult } from '../src/router/link-call.js';
import { type LinkDeps, NodeLink } from '../src/router/node-link.js';
import { systemClock } from '../src/system/clock.js';
import { systemRandom } from '../src/system/random.js';
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

  put(key: Buffer, value: Buffer): Promise<void> {
    const payload = encodePut(key, value, undefined);
    const deadline = systemClock.now() + this.#timeoutMs;
    return this.#call(slotOf(key), { kind: 'put', payload, deadline }, () => undefined);
  }

  get(key: Buffer, timeoutMs = this.#timeoutMs): Promise<Uint8Array | undefined> {
    const payload = encodeGet(key);
    const deadline = systemClock.now() + timeoutMs;
    return this.#call(slotOf(key), { kind: 'get', payload, deadline }, valueIn);
  }

  close(): void {
    for (const link of this.#links.values()) link.retire();
    this.#dialer.close();
  }

  /** The first attempt, which is nearly always the last, makes do with one promise. */
  #call<T>(slot: number, request: Request, decode: (response: Buffer) => T): Promise<T> {
    const route = this.#routes[slot];
    if (route === undefined) return this.#retry(slot, request).then(decode);
    return new Promise((resolve, reject) => {
      send(route, request, (result) => {
        if (result.type === 'answered' && result.response.status === 'ok') {
          try {
            resolve(decode(result.response.payload));
          } catch (error) {
            reject(asError(error));
          }
        } else if (isNotApplied(result)) {
          this.#retry(slot, request).then(decode).then(resolve, reject);
        } else reject(unknownOutcome());
      });
    });
  }

  async #retry(slot: number, request: Request): Promise<Buffer> {
    while (systemClock.now() < request.deadline) {
      await (this.#refreshing ??= this.#refreshSoon());
      const route = this.#routes[slot];
      if (route === undefined) continue;
      const result = await new Promise<LinkResult>((done) => send(route, request, done));
      if (result.type === 'answered' && result.response.status === 'ok') {
        return result.response.payload;
      }
      if (!isNotApplied(result)) throw unknownOutcome();
    }
    throw new Error('not done by the deadline');
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

function send(
  { shard, epoch, link }: Route,
  { kind, payload, deadline }: Request,
  done: (result: LinkResult) => void,
): void {
  link.send({ kind, shard, epoch, payload, deadline, done });
}

function valueIn(response: Buffer): Uint8Array | undefined {
  return decodeGetResponse(response)?.value;
}

function isNotApplied(result: LinkResult): boolean {
  if (result.type === 'not-sent') return true;
  return result.type === 'answered' && result.response.status === 'refused';
}

function unknownOutcome(): OutcomeUnknownError {
  return new OutcomeUnknownError('the stream broke, or the node says so', 1);
}

function rethrow(problem: unknown): never {
  throw asError(problem);
}

function asError(problem: unknown): Error {
  return problem instanceof Error ? problem : new Error(String(problem));
}

function ignore(): undefined {
  return undefined;
}
