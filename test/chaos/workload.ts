/**
 * The clients: each asks one thing after the other, and writes down what it is told. A client that
 * does not know what became of its request goes on under a new name. Half of them then try the next
 * router; the other half stay with theirs whatever it answers, because a router that is cut off with
 * an old primary is the one through which old values would be read.
 */
import type { ServiceError } from '@grpc/grpc-js';
import type { Gauge } from '../../bench/gauge.js';
import type { Condition, ReadResult, WriteResult } from '../simulation/checkers/history.js';
import type { Prng } from '../simulation/prng.js';
import { type Got, IndependentClient, type Written } from '../support/independent-client.js';
import type { Keys } from './keys.js';
import type { Asked, Recorder } from './recorder.js';
import { decodeValue, encodeValue } from './values.js';

export interface WorkloadDeps {
  readonly routers: readonly { readonly id: string; readonly address: string }[];
  readonly recorder: Recorder;
  readonly gauge: Gauge;
  readonly keys: Keys;
  readonly prng: Prng;
  readonly clients: number;
}

/** Short for those that stay with a router, so that one that does not answer is asked often. */
const DEADLINE_MS = { least: 300, faithful: 1_000, most: 3_000 };
/** Between an answer and the next request: the machine has more to do than to load one cluster. */
const THINK_MS = 10;
/** After an error, so that clients of a router that refuses do not only collect refusals. */
const ERROR_PAUSE_MS = 50;
const CALLS_PER_ROUTER = 300;

export class Workload {
  readonly #deps: WorkloadDeps;
  readonly #clients: Promise<void>[] = [];
  /** Latest version that anybody heard of, per key: what conditions are made of. */
  readonly #versions = new Map<string, number>();
  #isRunning = true;
  #names = 0;
  #values = 0;

  constructor(deps: WorkloadDeps) {
    this.#deps = deps;
  }

  start(): void {
    for (let n = 0; n < this.#deps.clients; n++) this.#clients.push(this.#run(n));
  }

  /** Waits for what is under way. */
  async stop(): Promise<void> {
    this.#isRunning = false;
    await Promise.all(this.#clients);
  }

  #isOver(): boolean {
    return !this.#isRunning;
  }

  async #run(number: number): Promise<void> {
    const { routers, prng: root } = this.#deps;
    const prng = root.fork(`client ${number}`);
    const isFaithful = number % 2 === 0;
    const most = isFaithful ? DEADLINE_MS.faithful : DEADLINE_MS.most;
    const deadlineMs = Math.round(prng.range(DEADLINE_MS.least, most));
    const first = Math.floor(number / 2);
    for (let at = first; !this.#isOver(); at++) {
      const router = routers[(isFaithful ? first : at) % routers.length]!;
      const connection = new IndependentClient(router.address);
      const caller = { client: `client-${++this.#names}`, router: router.id };
      let goesOn = true;
      for (let calls = 0; goesOn && !this.#isOver() && calls < CALLS_PER_ROUTER; calls++) {
        goesOn = await this.#call(connection, caller, { prng, deadlineMs });
        await pause(goesOn ? prng.range(0, THINK_MS) : ERROR_PAUSE_MS);
      }
      connection.close();
    }
  }

  /** False: it does not know what became of it. */
  async #call(
    connection: IndependentClient,
    caller: { readonly client: string; readonly router: string },
    { prng, deadlineMs }: { readonly prng: Prng; readonly deadlineMs: number },
  ): Promise<boolean> {
    const { recorder, gauge, keys } = this.#deps;
    const asked = this.#draw(prng, keys.next(performance.now()));
    const calledMs = performance.now();
    const operation = recorder.open(asked, caller);
    try {
      const observed = await send(connection, asked, deadlineMs);
      operation.ok(observed);
      gauge.success(0, calledMs, performance.now());
      const isGone = asked.kind === 'delete' && 'applied' in observed && observed.applied;
      this.#versions.set(asked.key, isGone ? 0 : observed.version);
      return true;
    } catch (error) {
      const { code, details, metadata } = error as Partial<ServiceError>;
      if (code === undefined || metadata === undefined) throw error;
      gauge.failed++;
      const text = `${code} ${details}`;
      // The contract: only a status with this trailer says that nothing was done.
      if (metadata.get('portolan-error-bin').length > 0) {
        operation.refused(text);
        return true;
      }
      operation.unknown(text);
      gauge.unknown++;
      if (asked.kind !== 'get') keys.lost(asked.key);
      return false;
    }
  }

  #draw(prng: Prng, key: string): Asked {
    const draw = prng.fraction();
    if (draw < 0.35) return { kind: 'get', key };
    // Mostly the version that it has, so that the condition holds now and then.
    const version = this.#versions.get(key) ?? 0;
    const condition: Condition = { ifVersion: prng.chance(0.9) ? version : version + 1 };
    if (draw < 0.44) return { kind: 'delete', key };
    if (draw < 0.5) return { kind: 'delete', key, condition };
    const arg = `${key}/${++this.#values}`;
    if (draw < 0.76) return { kind: 'put', key, arg };
    if (draw < 0.84) return { kind: 'put', key, arg, condition: { ifVersion: 0 } };
    return { kind: 'put', key, arg, condition };
  }
}

async function send(
  connection: IndependentClient,
  asked: Asked,
  deadlineMs: number,
): Promise<ReadResult | WriteResult> {
  const { kind, key } = asked;
  if (kind === 'get') return readResultOf(await connection.get(key, deadlineMs));
  const ifVersion = asked.condition?.ifVersion;
  const condition = ifVersion === undefined ? {} : { ifVersion };
  if (kind === 'delete') return writeResultOf(await connection.delete(key, condition, deadlineMs));
  const putCondition = ifVersion === 0 ? { ifAbsent: true } : condition;
  return writeResultOf(await connection.put(key, encodeValue(asked.arg), putCondition, deadlineMs));
}

export function readResultOf({ found, value, version }: Got): ReadResult {
  return { found, value: found ? decodeValue(value) : undefined, version: Number(version) };
}

function writeResultOf({ applied, version }: Written): WriteResult {
  return { applied, version: Number(version) };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
