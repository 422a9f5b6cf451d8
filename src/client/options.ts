/** What callers may set. An option that is not known is an error, never silently ignored. */
import { parseAddress } from '../model/address.js';
import { isCount } from '../model/ids.js';
import { LIMITS } from '../model/limits.js';

export interface ConnectOptions {
  /**
   * Milliseconds a call may take, all its attempts and pauses together; 1 to 60,000, default 5,000.
   * Shorter: failures are told sooner, and a failover is more often seen as one.
   */
  readonly timeoutMs?: number;
  /**
   * Milliseconds after which a get, or a write that may be sent again, is tried at another router;
   * doubles with each attempt. Default 1,000. Shorter: a hung router is left sooner, a slow one is
   * asked twice more often. Without effect if there is only one router.
   */
  readonly attemptTimeoutMs?: number;
  /**
   * Connections to each router, default 1. Four serve about a quarter more calls per second when
   * hundreds are in flight, because the cost per connection is CPU.
   */
  readonly channelsPerRouter?: number;
  /**
   * Whether an unconditional put or delete is sent again when the outcome of an attempt is unknown;
   * default true. See `Client.put` for what that means.
   */
  readonly retryUnknownWrites?: boolean;
}

export interface CallOptions {
  /** As in {@link ConnectOptions}, for this call. */
  readonly timeoutMs?: number;
  /** Gives up when it fires: the call rejects with code ABORTED. */
  readonly signal?: AbortSignal;
}

export interface PutOptions extends CallOptions {
  /** Only if this is the key's version now; 0 = only if the key is absent. */
  readonly ifVersion?: number;
  /** true: only if the key is absent. Not together with `ifVersion`. */
  readonly ifAbsent?: boolean;
}

export interface DeleteOptions extends CallOptions {
  /** Only if this is the key's version now; at least 1. */
  readonly ifVersion?: number;
}

export type Settings = Required<ConnectOptions>;

const CHANNELS_MAX = 64;

type Check = readonly [is: (value: unknown) => boolean, what: string];

const TIMEOUT: Check = [
  (value) => typeof value === 'number' && value > 0 && value <= LIMITS.callMsMax,
  `a number of milliseconds up to ${LIMITS.callMsMax}`,
];
const FLAG: Check = [(value) => typeof value === 'boolean', 'true or false'];
const CALL: Record<keyof CallOptions, Check> = {
  timeoutMs: TIMEOUT,
  signal: [(value) => value instanceof AbortSignal, 'an AbortSignal'],
};
const PUT: Record<keyof PutOptions, Check> = {
  ...CALL,
  ifVersion: [(value) => isCount(value), 'a version'],
  ifAbsent: FLAG,
};
const DELETE: Record<keyof DeleteOptions, Check> = {
  ...CALL,
  // 0 would mean "unconditional" to the server: surely not what was meant.
  ifVersion: [(value) => isCount(value, 1), 'a version of at least 1'],
};
const CONNECT: Record<keyof ConnectOptions, Check> = {
  timeoutMs: TIMEOUT,
  attemptTimeoutMs: TIMEOUT,
  channelsPerRouter: [
    (value) => isCount(value, 1) && value <= CHANNELS_MAX,
    `a count from 1 to ${CHANNELS_MAX}`,
  ],
  retryUnknownWrites: FLAG,
};

/** @throws TypeError for options that are unknown or out of range. */
export function settingsOf(options: ConnectOptions): Settings {
  check(CONNECT, options);
  return {
    timeoutMs: options.timeoutMs ?? LIMITS.callMsDefault,
    attemptTimeoutMs: options.attemptTimeoutMs ?? 1_000,
    channelsPerRouter: options.channelsPerRouter ?? 1,
    retryUnknownWrites: options.retryUnknownWrites ?? true,
  };
}

/** @throws TypeError */
export function checkCallOptions(options: CallOptions): void {
  check(CALL, options);
}

/** @throws TypeError */
export function checkPutOptions(options: PutOptions): void {
  check(PUT, options);
  if (options.ifVersion !== undefined && options.ifAbsent === true) {
    throw new TypeError('ifVersion and ifAbsent exclude each other');
  }
}

/** @throws TypeError */
export function checkDeleteOptions(options: DeleteOptions): void {
  check(DELETE, options);
}

/** The routers named, each once. @throws TypeError unless each is HOST:PORT. */
export function routerAddresses(routers: string | readonly string[]): readonly string[] {
  const named: readonly string[] = typeof routers === 'string' ? routers.split(',') : routers;
  const addresses = [...new Set(named.map((address) => address.trim()))];
  if (addresses.length === 0) throw new TypeError('no router is named');
  for (const address of addresses) {
    if (parseAddress(address) === undefined) {
      throw new TypeError(`router "${address}" is not HOST:PORT`);
    }
  }
  return addresses;
}

function check(checks: Readonly<Record<string, Check>>, options: object): void {
  for (const [name, value] of Object.entries(options)) {
    const known = Object.hasOwn(checks, name) ? checks[name] : undefined;
    if (known === undefined) {
      throw new TypeError(`unknown option "${name}"; known: ${Object.keys(checks).join(', ')}`);
    }
    const [is, what] = known;
    if (value !== undefined && !is(value)) throw new TypeError(`option ${name} must be ${what}`);
  }
}
