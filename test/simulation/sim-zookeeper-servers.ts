/**
 * The servers of the simulated ensemble: which of them are there, and which one leads. At most a
 * minority is away, so what is committed goes on; who returns has caught up before it serves.
 */
import { assert } from '../../src/model/assert.js';
import type { Result, Transaction } from '../../src/znode-tree/requests.js';
import type { SimServer } from './sim-zookeeper-server.js';

/** A server that died refuses connections; of a machine that is gone nobody hears anything. */
export type Absence = 'refusing' | 'silent';

interface Slot {
  server: SimServer;
  absence: Absence | undefined;
}

export interface AppliedAt {
  readonly server: SimServer;
  readonly applied: (result: Result) => void;
}

export class SimServers {
  readonly #slots: readonly Slot[];
  readonly #make: () => SimServer;
  readonly #random: () => number;
  /** Undefined: one of those that are there; it has made no difference yet which. */
  #leader: Slot | undefined;

  /** @param make A server that has everything committed so far. */
  constructor(count: number, make: () => SimServer, random: () => number) {
    this.#make = make;
    this.#random = random;
    this.#slots = Array.from({ length: count }, () => ({ server: make(), absence: undefined }));
  }

  /** All begin anew, those that are away when they return; another one may lead. */
  begin(): void {
    for (const slot of this.#slots) slot.server = this.#make();
    this.#leader = undefined;
  }

  /** Nothing more is applied anywhere. */
  stop(): void {
    for (const { server } of this.#slots) server.stop();
  }

  append(transaction: Transaction, at?: AppliedAt): void {
    for (const { server, absence } of this.#slots) {
      if (absence !== undefined) continue;
      server.append(transaction, server === at?.server ? at.applied : undefined);
    }
  }

  serves(server: SimServer): boolean {
    return this.#slots.some((slot) => slot.server === server && slot.absence === undefined);
  }

  /** One that a client tries, there or not. */
  any(): Readonly<Slot> {
    return this.#pick(this.#slots);
  }

  /** One goes away, whichever; undefined: no other may. */
  lose(absence: Absence): { readonly slot: Slot; readonly wasLeader: boolean } | undefined {
    const present = this.#slots.filter((slot) => slot.absence === undefined);
    if (2 * (present.length - 1) <= this.#slots.length) return undefined;
    this.#leader ??= this.#pick(present);
    const slot = this.#pick(present);
    slot.absence = absence;
    slot.server.stop();
    return { slot, wasLeader: slot === this.#leader };
  }

  /** It is there again, if it was away. */
  bringBack(slot: Slot): void {
    if (slot.absence === undefined) return;
    slot.absence = undefined;
    slot.server = this.#make();
  }

  #pick(slots: readonly Slot[]): Slot {
    const slot = slots[Math.floor(this.#random() * slots.length)];
    assert(slot !== undefined, 'there are servers');
    return slot;
  }
}
