/**
 * The client of a Portolan cluster: any router serves any key, so it knows several and uses those
 * that work. A failure rejects the call it belongs to; there is no `error` event and no output.
 */
import type { RouterChannels } from '../grpc/kv-client.js';
import type { CallKind } from '../model/calls.js';
import { LIMITS } from '../model/limits.js';
import { Attempts, type CallPlan } from './attempts.js';
import type { ClusterStatus } from '../model/status.js';
import { clusterStatusOf } from './cluster-status.js';
import { PortolanError } from './errors.js';
import {
  decodeGetResponse,
  decodeWriteResponse,
  encodeDelete,
  encodeGet,
  encodePut,
  type FoundValue,
  type WriteResult,
} from './messages.js';
import {
  type CallOptions,
  checkCallOptions,
  checkDeleteOptions,
  checkPutOptions,
  type ConnectOptions,
  type DeleteOptions,
  type PutOptions,
  routerAddresses,
  type Settings,
  settingsOf,
} from './options.js';
import { RetryBudget } from './retry-budget.js';
import { RouterPool } from './router-pool.js';

/** Text stands for its UTF-8 bytes. */
export type Bytes = string | Uint8Array;

/**
 * A client of the cluster that these routers serve: `HOST:PORT`, several separated by commas or in
 * a list. Connections are made when they are needed, so this neither waits nor fails for them.
 *
 * @throws TypeError for an address or an option that is not valid.
 */
export function connect(routers: string | readonly string[], options: ConnectOptions = {}): Client {
  return new Client(routers, options);
}

/** Every method rejects with {@link PortolanError}, or TypeError for options that are not valid. */
export class Client implements AsyncDisposable {
  readonly #settings: Settings;
  readonly #pool: RouterPool;
  readonly #budget = new RetryBudget();
  readonly #underWay = new Set<Promise<unknown>>();
  #closing: Promise<void> | undefined;

  constructor(routers: string | readonly string[], options: ConnectOptions = {}) {
    this.#settings = settingsOf(options);
    this.#pool = new RouterPool(routerAddresses(routers), this.#settings.channelsPerRouter);
  }

  /** The value and version of a key, undefined if it is absent. Linearizable. */
  async get(key: Bytes, options: CallOptions = {}): Promise<FoundValue | undefined> {
    checkCallOptions(options);
    const request = encodeGet(checkedKey(key));
    const plan = { kind: 'read', repeatable: true } as const;
    return decodeGetResponse(await this.#kv('get', request, { ...plan, ...options }));
  }

  /**
   * Stores a value, if its condition holds; applied = durable. The version is that of this write;
   * if the condition did not hold, the current one, 0 = absent.
   *
   * With a condition it is sent at most once: if the outcome is then unknown it rejects with
   * `OutcomeUnknownError`. Without one it is sent again in that case, so it may be applied
   * twice, the second time at any moment until its deadline. Whatever was written to the key
   * between the two, by somebody else or by this client, is then overwritten. Whoever cannot bear
   * that uses a condition, or `retryUnknownWrites: false`.
   */
  async put(key: Bytes, value: Bytes, options: PutOptions = {}): Promise<WriteResult> {
    checkPutOptions(options);
    const { ifVersion, ifAbsent, ...call } = options;
    const condition = ifAbsent === true ? 0 : ifVersion;
    const request = encodePut(checkedKey(key), checkedValue(value), condition);
    const plan = this.#writePlan(condition);
    return decodeWriteResponse(await this.#kv('put', request, { ...plan, ...call }));
  }

  /**
   * Removes a key, if its condition holds. The version is the one that was removed, 0 = there was
   * none; if the condition did not hold, the current one.
   *
   * Sent again like {@link put}: a repeated one may say 0 although its first attempt removed the
   * key, and may remove what somebody else wrote between the two.
   */
  async delete(key: Bytes, options: DeleteOptions = {}): Promise<WriteResult> {
    checkDeleteOptions(options);
    const { ifVersion, ...call } = options;
    const request = encodeDelete(checkedKey(key), ifVersion);
    const plan = this.#writePlan(ifVersion);
    return decodeWriteResponse(await this.#kv('delete', request, { ...plan, ...call }));
  }

  /** Leader, candidates, nodes and shards, as the router that answers knows them. */
  async status(options: CallOptions = {}): Promise<ClusterStatus> {
    checkCallOptions(options);
    const response = await this.#run({
      kind: 'read',
      repeatable: true,
      send: (router, attempt) => router.status(attempt),
      ...options,
    });
    return clusterStatusOf(response);
  }

  /** Takes no further calls, waits for those under way (each has its deadline), disconnects. */
  close(): Promise<void> {
    this.#closing ??= Promise.allSettled([...this.#underWay]).then(() => this.#pool.close());
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #writePlan(condition: number | undefined): { kind: 'write'; repeatable: boolean } {
    const repeatable = condition === undefined && this.#settings.retryUnknownWrites;
    return { kind: 'write', repeatable };
  }

  #kv(
    kind: CallKind,
    request: Buffer,
    plan: Pick<CallPlan<Buffer>, 'kind' | 'repeatable'> & CallOptions,
  ): Promise<Buffer> {
    return this.#run({
      ...plan,
      send: (router: RouterChannels, attempt) => router.kv(kind, request, attempt),
    });
  }

  async #run<T>(plan: Pick<CallPlan<T>, 'kind' | 'repeatable' | 'send'> & CallOptions): Promise<T> {
    if (this.#closing !== undefined) {
      const facts = { outcome: 'not-applied', attempts: 0 } as const;
      throw new PortolanError('CLOSED', 'the client is closed', facts);
    }
    const { attemptTimeoutMs } = this.#settings;
    const timeoutMs = plan.timeoutMs ?? this.#settings.timeoutMs;
    const whole = { ...plan, timeoutMs, attemptTimeoutMs, signal: plan.signal };
    const call = new Attempts<T>(whole, this.#pool, this.#budget).run();
    this.#underWay.add(call);
    try {
      return await call;
    } finally {
      this.#underWay.delete(call);
    }
  }
}

function checkedKey(key: Bytes): Uint8Array {
  const bytes = bytesOf(key);
  const { keyBytesMin, keyBytesMax } = LIMITS;
  if (bytes.length >= keyBytesMin && bytes.length <= keyBytesMax) return bytes;
  throw invalid(`the key has ${bytes.length} bytes, allowed are ${keyBytesMin} to ${keyBytesMax}`);
}

function checkedValue(value: Bytes): Uint8Array {
  const bytes = bytesOf(value);
  if (bytes.length <= LIMITS.valueBytesMax) return bytes;
  throw invalid(`the value has ${bytes.length} bytes, the limit is ${LIMITS.valueBytesMax}`);
}

function bytesOf(bytes: Bytes): Uint8Array {
  if (typeof bytes === 'string') return Buffer.from(bytes);
  if (bytes instanceof Uint8Array) return bytes;
  throw new TypeError('keys and values are text or Uint8Array');
}

/** As a server would say it, without asking one. */
function invalid(message: string): PortolanError {
  return new PortolanError('INVALID_REQUEST', message, { outcome: 'not-applied', attempts: 0 });
}
