/** What clients asked and heard, in true time: the input of the checkers. */
import type { RefusedError } from '../../../src/model/refusals.js';
import type { CallAnswer } from '../../support/kv-requests.js';
import type { Operation } from '../checkers/history.js';
import type { Simulation } from '../simulation.js';

/** What a client asks. */
export type Ask =
  | { readonly kind: 'get'; readonly key: string }
  | { readonly kind: 'put'; readonly key: string; readonly ifVersion: number | undefined }
  | { readonly kind: 'delete'; readonly key: string; readonly ifVersion: number | undefined };

interface OpenOperation {
  readonly id: number;
  readonly client: string;
  readonly ask: Ask;
  readonly callAt: number;
}

export class HistoryRecorder {
  readonly operations: Operation[] = [];
  readonly #simulation: Simulation;
  readonly #open = new Map<number, OpenOperation>();
  #lastId = 0;

  constructor(simulation: Simulation) {
    this.#simulation = simulation;
  }

  /** Operations without an answer so far. */
  get openCount(): number {
    return this.#open.size;
  }

  /** The number of the operation; of a put, what its value is. */
  begin(client: string, ask: Ask): number {
    const id = ++this.#lastId;
    this.#open.set(id, { id, client, ask, callAt: this.#simulation.nowMs });
    this.#trace(id, () => `${client} asks ${ask.kind} ${ask.key} ${conditionText(ask)}`);
    return id;
  }

  answered(id: number, answer: CallAnswer): void {
    const { ask, ...call } = this.#take(id);
    this.#trace(id, () => JSON.stringify(answer));
    const { key } = ask;
    const version = answer.version ?? 0;
    const base = { ...call, key, returnAt: this.#simulation.nowMs, outcome: 'ok' as const };
    if (ask.kind === 'get') {
      const { value } = answer;
      const observed = { found: value !== undefined, value, version };
      this.operations.push({ ...base, kind: 'get', observed });
      return;
    }
    const observed = { applied: answer.applied === true, version };
    const condition = ask.ifVersion === undefined ? undefined : { ifVersion: ask.ifVersion };
    if (ask.kind === 'put') {
      this.operations.push({ ...base, kind: 'put', arg: valueOf(id), condition, observed });
    } else this.operations.push({ ...base, kind: 'delete', condition, observed });
  }

  refused(id: number, { code, outcome }: Pick<RefusedError, 'code' | 'outcome'>): void {
    this.#trace(id, () => code);
    this.#unanswered(this.#take(id), outcome === 'unknown' ? 'unknown' : 'refused');
  }

  /** It never left the client. */
  notSent(id: number): void {
    this.#trace(id, () => 'not sent');
    this.#unanswered(this.#take(id), 'refused');
  }

  /** Nobody knows what became of it. */
  unknown(id: number): void {
    this.#trace(id, () => 'unknown');
    this.#unanswered(this.#take(id), 'unknown');
  }

  #unanswered({ ask, ...call }: OpenOperation, outcome: 'refused' | 'unknown'): void {
    const { key } = ask;
    const base = { ...call, key, returnAt: this.#simulation.nowMs, outcome };
    if (ask.kind === 'get') this.operations.push({ ...base, kind: 'get' });
    else {
      const condition = ask.ifVersion === undefined ? undefined : { ifVersion: ask.ifVersion };
      const write = { ...base, condition };
      if (ask.kind === 'put')
        this.operations.push({ ...write, kind: 'put', arg: valueOf(call.id) });
      else this.operations.push({ ...write, kind: 'delete' });
    }
  }

  #take(id: number): OpenOperation {
    const open = this.#open.get(id);
    if (open === undefined) throw new Error(`operation ${id} was answered twice`);
    this.#open.delete(id);
    return open;
  }

  #trace(id: number, text: () => string): void {
    const { trace, nowMs } = this.#simulation;
    trace.mix(id);
    if (trace.keepsLines) trace.line(`${nowMs.toFixed(3)} ms #${id} ${text()}`);
  }
}

/** Every put writes another value. */
export function valueOf(id: number): string {
  return `v${id}`;
}

function conditionText(ask: Ask): string {
  return ask.kind === 'get' || ask.ifVersion === undefined ? '' : `if ${ask.ifVersion}`;
}
