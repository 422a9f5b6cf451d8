/**
 * What a replica group committed, as its own entries tell it, and whether everything that clients
 * were told agrees with it: one list of writes, in which every answer and every read has a place.
 */
import { decodeDataRecord } from '../../src/replication/data-record.js';
import {
  type Chain,
  type Entry,
  NO_CHAIN,
  opsOf,
  type Position,
} from '../../src/replication/entry.js';
import type { Seq } from '../../src/model/ids.js';
import type { Answer } from '../../src/replication/outbox.js';

export function must(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(what);
}

/** A call that is open. Every value is written once, so a value names the call. */
export interface OpenCall {
  readonly key: string;
  /** Undefined = a delete. */
  readonly value: string | undefined;
  readonly ifVersion: number | undefined;
  /** The state of the key is at least this recent: somebody was told. */
  readonly floor: Seq;
}

/** What a key became; version 0 = deleted, or never there. */
interface KeyState {
  readonly seq: Seq;
  readonly version: Seq;
  readonly value: string | undefined;
}

const NEVER: KeyState = { seq: 0 as Seq, version: 0 as Seq, value: undefined };

export class GroupHistory {
  /** Everything that was ever sealed, committed or not. */
  readonly #sealed = new Map<Chain, Entry>();
  readonly #chains = new Map<Seq, Chain>([[0 as Seq, NO_CHAIN]]);
  readonly #keys = new Map<string, KeyState[]>();
  readonly #floors = new Map<string, Seq>();
  readonly #refused = new Set<string>();
  /** End of what is known to be committed. */
  last: Pick<Position, 'seq' | 'chain'> = { seq: 0 as Seq, chain: NO_CHAIN };

  seal(entries: readonly Entry[]): void {
    for (const entry of entries) this.#sealed.set(entry.chain, entry);
  }

  /** Somebody knows everything up to there to be committed. */
  committed({ seq, chain }: Position): void {
    if (seq <= this.last.seq) {
      const known = this.#chains.get(seq);
      must(known === chain, `S8 two committed logs up to ${seq}`);
      return;
    }
    const news: Entry[] = [];
    for (let at = chain; at !== this.last.chain; ) {
      const entry = this.#sealed.get(at);
      must(entry !== undefined, `S4 what was committed at ${seq} is not there any more`);
      must(entry.seq > this.last.seq, `S8 a committed log without ${this.last.seq}`);
      must(entry.seq < (news.at(-1)?.first ?? Infinity), `S8 a chain that leads nowhere`);
      news.push(entry);
      at = entry.previous;
    }
    for (const entry of news.reverse()) this.#take(entry);
  }

  chainAt(seq: Seq): Chain | undefined {
    return this.#chains.get(seq);
  }

  floorOf(key: string): Seq {
    return this.#floors.get(key) ?? NEVER.seq;
  }

  /** The value of a key when everything up to `seq` is applied. */
  stateAt(key: string, seq: Seq): KeyState {
    return this.#keys.get(key)?.findLast((state) => state.seq <= seq) ?? NEVER;
  }

  /** A read at a primary that knows everything up to `commitSeq` to be committed. */
  wasRead(key: string, found: { value: string; seq: Seq } | 'absent', commitSeq: Seq): void {
    const state = this.stateAt(key, commitSeq);
    const value = found === 'absent' ? undefined : found.value;
    must(value === state.value, `S9 ${key} was read as ${value}, not ${state.value}`);
    must(state.seq >= this.floorOf(key), `S13 a stale read of ${key} as of ${state.seq}`);
    this.#see(key, state.seq);
  }

  answered(call: OpenCall, answer: Answer): void {
    if (answer.type === 'unknown') return;
    if (answer.type === 'refused') return this.#neverApplied(call);
    const { key } = call;
    const { applied, version } = answer;
    const states = [NEVER, ...(this.#keys.get(key) ?? [])];
    const isPut = applied && call.value !== undefined;
    if (isPut || (applied && version > 0)) {
      // A put answers its own version, a delete the one that it removed.
      const at = isPut
        ? states.findIndex((state) => state.version === version)
        : states.findIndex((state, index) => {
            return state.version === 0 && states[index - 1]?.version === version;
          });
      const [was, is] = [states[at - 1], states[at]];
      must(was !== undefined && is !== undefined, `S5 ${key}@${version} is not committed`);
      must(is.value === call.value, `S8 ${key}@${version} is somebody else's`);
      must(is.seq > call.floor, `S22 ${key}@${version} goes back`);
      const holds = call.ifVersion === undefined || call.ifVersion === was.version;
      must(holds, `S12 ${key}@${version} replaced ${was.version}, not ${call.ifVersion}`);
      return this.#see(key, is.seq);
    }
    // Nothing changed: the version must be one that the key had since the call was made.
    const from = states.findLastIndex((state) => state.seq <= call.floor);
    const seen = states.slice(from).find((state) => state.version === version);
    must(seen !== undefined, `S12 ${key} never had version ${version} in time`);
    if (applied) must(call.value === undefined && version === 0, `${key} was not deleted`);
    else {
      must(call.ifVersion !== version, `S12 the condition on ${key} held`);
      this.#neverApplied(call);
    }
    this.#see(key, seen.seq);
  }

  #neverApplied({ key, value }: OpenCall): void {
    if (value === undefined) return;
    this.#refused.add(value);
    const isThere = this.#keys.get(key)?.some((state) => state.value === value) ?? false;
    must(!isThere, `S21 a write that is committed was refused`);
  }

  #see(key: string, seq: Seq): void {
    if (seq > this.floorOf(key)) this.#floors.set(key, seq);
  }

  #take(entry: Entry): void {
    for (const op of opsOf(entry)) {
      if (op.type === 'barrier') continue;
      const key = op.key.toString();
      const value = op.type === 'put' ? decodeDataRecord(op.key, op.record).value : undefined;
      const text = value?.toString();
      must(text === undefined || !this.#refused.has(text), 'S21 a refused write is committed');
      const version = op.type === 'put' ? op.seq : (0 as Seq);
      const states = this.#keys.get(key);
      const state = { seq: op.seq, version, value: text };
      if (states === undefined) this.#keys.set(key, [state]);
      else states.push(state);
    }
    this.#chains.set(entry.seq, entry.chain);
    this.last = { seq: entry.seq, chain: entry.chain };
  }
}
