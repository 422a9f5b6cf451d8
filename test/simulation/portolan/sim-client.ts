/**
 * A client of the simulated cluster: one operation after the other, each with a deadline, through
 * whichever router it has a stream to, now and then to a storage node directly. It sends nothing
 * twice, so every answer belongs to one attempt.
 */
import type { Cancel } from '../../../src/ports/clock.js';
import { RefusedError } from '../../../src/model/refusals.js';
import {
  answerOf,
  type CallAnswer,
  deleteRequest,
  getRequest,
  putRequest,
} from '../../support/kv-requests.js';
import type { Prng } from '../prng.js';
import type { SimNetwork } from '../sim-network.js';
import { SimProcess } from '../sim-process.js';
import type { Simulation } from '../simulation.js';
import { type Ask, type HistoryRecorder, valueOf } from './history-recorder.js';
import type { KvAnswer, KvMessage } from './kv-stream.js';
import type { LoadPlan } from './plan.js';

export interface ClientOptions {
  readonly name: string;
  readonly network: SimNetwork;
  readonly history: HistoryRecorder;
  readonly load: LoadPlan;
  readonly prng: Prng;
  readonly routers: readonly string[];
  readonly nodes: readonly string[];
}

type Answered = (answer: CallAnswer | undefined) => void;

interface Call {
  readonly id: number;
  readonly ask: Ask;
  /** By the client's clock. */
  readonly deadlineAt: number;
  /** Gets the answer, or undefined if there is none. */
  readonly done: Answered;
  /** It was written to a stream. */
  isSent: boolean;
  cancelDeadline: Cancel;
}

interface Link {
  readonly stream: { write(message: unknown): boolean };
  isConnected: boolean;
  /** Not answered yet. */
  readonly calls: Map<number, Call>;
}

const TIMEOUT_MS = { least: 200, most: 3_000 };
/** The share of operations after which the same client asks for the same key once more. */
const AGAIN_SHARE = 0.3;

export class SimClient {
  readonly #simulation: Simulation;
  readonly #options: ClientOptions;
  readonly #process: SimProcess;
  readonly #links = new Map<string, Link>();
  /** The last version heard of each key. */
  readonly #versions = new Map<string, number>();
  /** After an unknown outcome it goes on as another client. */
  #alias = 1;
  #lastKey = '';
  #isStopped = false;

  constructor(simulation: Simulation, options: ClientOptions) {
    this.#simulation = simulation;
    this.#options = options;
    this.#process = new SimProcess(simulation, { name: options.name });
  }

  start(): void {
    this.#nextSoon();
  }

  /** Asks for nothing more. What it asked for is still answered. */
  stop(): void {
    this.#isStopped = true;
  }

  /** Asks for one key until a read is answered. */
  readFinally(key: string, found: (answer: CallAnswer) => void): void {
    const ask = { kind: 'get', key } as const;
    this.#perform(ask, (answer) => {
      if (answer === undefined) this.#process.clock.after(100, () => this.readFinally(key, found));
      else found(answer);
    });
  }

  #nextSoon(): void {
    const { prng, load } = this.#options;
    this.#simulation.after(
      prng.exponential(load.thinkMs),
      () => {
        if (this.#isStopped) return;
        this.#perform(this.#draw(), () => this.#nextSoon());
      },
      this.#process,
    );
  }

  #draw(): Ask {
    const { prng, load } = this.#options;
    const isAgain = this.#lastKey !== '' && prng.chance(AGAIN_SHARE);
    const key = isAgain ? this.#lastKey : `k${prng.int(load.keys)}`;
    this.#lastKey = key;
    if (prng.chance(load.gets)) return { kind: 'get', key };
    const isConditional = prng.chance(load.conditions);
    const known = this.#versions.get(key) ?? 0;
    if (prng.chance(load.deletes)) {
      return { kind: 'delete', key, ifVersion: isConditional && known > 0 ? known : undefined };
    }
    return { kind: 'put', key, ifVersion: isConditional ? known : undefined };
  }

  #perform(ask: Ask, done: Answered): void {
    const { prng, history, routers, nodes, load, name } = this.#options;
    const { clock } = this.#process;
    const isDirect = prng.chance(load.direct);
    const link = this.#linkTo(prng.pick(isDirect ? nodes : routers));
    const timeoutMs = prng.range(TIMEOUT_MS.least, TIMEOUT_MS.most);
    const id = history.begin(`${name}.${this.#alias}`, ask);
    const deadlineAt = clock.now() + timeoutMs;
    const cancelDeadline = clock.after(timeoutMs, () => this.#giveUp(link, call));
    const call: Call = { id, ask, deadlineAt, done, isSent: false, cancelDeadline };
    link.calls.set(id, call);
    if (link.isConnected) this.#send(link, call);
  }

  #giveUp(link: Link, call: Call): void {
    const { id } = call;
    link.calls.delete(id);
    if (call.isSent) link.stream.write({ type: 'cancel', call: id } satisfies KvMessage);
    this.#end(call, undefined);
  }

  #linkTo(address: string): Link {
    const known = this.#links.get(address);
    if (known !== undefined) return known;
    const { network } = this.#options;
    const calls = new Map<number, Call>();
    const stream = network.dial(
      this.#process,
      { address, service: 'kv' },
      {
        message: (message) => this.#onAnswer(link, message as KvAnswer),
        drain: () => this.#onWritable(link),
        closed: () => {
          this.#links.delete(address);
          const lost = [...calls.values()];
          calls.clear();
          for (const call of lost) this.#end(call, undefined);
        },
      },
    );
    const link: Link = { stream, isConnected: false, calls };
    this.#links.set(address, link);
    return link;
  }

  /** Also whenever it takes more again: then nothing waits. */
  #onWritable(link: Link): void {
    link.isConnected = true;
    for (const call of link.calls.values()) if (!call.isSent) this.#send(link, call);
  }

  #send(link: Link, call: Call): void {
    const { ask, id } = call;
    call.isSent = true;
    const { kind } = ask;
    const timeoutMs = call.deadlineAt - this.#process.clock.now();
    const request = this.#requestOf(ask, id);
    link.stream.write({ type: 'call', call: id, kind, request, timeoutMs } satisfies KvMessage);
  }

  #onAnswer(link: Link, { call: id, result }: KvAnswer): void {
    const call = link.calls.get(id);
    if (call === undefined) return; // Its deadline has passed.
    link.calls.delete(id);
    this.#end(call, result);
  }

  #end(call: Call, result: KvAnswer['result'] | undefined): void {
    const { history } = this.#options;
    const { id, ask } = call;
    call.cancelDeadline();
    let answer: CallAnswer | undefined;
    if (result instanceof RefusedError) {
      history.refused(id, result);
      if (result.outcome === 'unknown') this.#alias++;
    } else if (result !== undefined) {
      answer = this.#answerOf(ask.kind, result);
      this.#versions.set(ask.key, answer.version ?? 0);
      history.answered(id, answer);
    } else if (call.isSent) {
      history.unknown(id);
      this.#alias++;
    } else history.notSent(id);
    call.done(answer);
  }

  #requestOf(ask: Ask, id: number): Buffer {
    if (ask.kind === 'get') return getRequest(ask.key);
    if (ask.kind === 'delete') return deleteRequest(ask.key, ask.ifVersion ?? 0);
    return putRequest(ask.key, this.#padded(valueOf(id)), ask.ifVersion);
  }

  /** The answer as the history has it: with the value that was meant, if all of it is there. */
  #answerOf(kind: Ask['kind'], response: Buffer): CallAnswer {
    const answer = answerOf(kind, response);
    const { value } = answer;
    if (value === undefined) return answer;
    const meant = value.replace(/\.+$/, '');
    return { ...answer, value: value === this.#padded(meant) ? meant : `garbled ${meant}` };
  }

  #padded(value: string): string {
    return value.padEnd(this.#options.load.valueBytes, '.');
  }
}
