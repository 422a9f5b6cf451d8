/**
 * Processes that speak over streams (`ports/network.ts`), and what may happen to these: they are
 * slow, stop, break, or lead to somebody who is dead. Nothing is reordered, repeated or corrupted on
 * one stream, as TCP sees to that.
 *
 * A machine has one name and one process at a time. Links lead from name to name, one for each
 * direction. Both ends of a service must agree on what its messages are: nothing here looks inside.
 *
 * Patience is that of `src/grpc/channel.ts` and `server.ts`: an end that cannot get through to its
 * peer's process and back breaks by itself after `patienceMs`.
 */
import type { StreamEvents, StreamHandler } from '../../src/ports/network.js';
import { type Latency, SimLink } from './sim-link.js';
import { SimPipe } from './sim-pipe.js';
import type { ProcessWatcher, SimProcess } from './sim-process.js';
import { StreamEnd, type StreamSettings } from './sim-stream.js';
import type { Simulation } from './simulation.js';

export interface NetworkSettings extends StreamSettings {
  readonly latency: Latency;
  /** Until an attempt to connect is given up. */
  readonly connectMs: number;
  /** Until a stream without a sign of life breaks, by the end that waits. */
  readonly patienceMs: { readonly dialed: number; readonly served: number };
}

export const NETWORK_SETTINGS: NetworkSettings = {
  latency: { leastMs: 0.1, queueMeanMs: 0.3 },
  connectMs: 2_000,
  patienceMs: { dialed: 7_000, served: 15_000 },
  unreadBytesMax: 64 * 1024,
  copiesMessages: false,
};

/** From one machine to another, by name. */
export interface Direction {
  readonly from: string;
  readonly to: string;
}

export interface Target {
  /** HOST:PORT, as somebody listens there. */
  readonly address: string;
  readonly service: string;
}

export type Services = Readonly<Partial<Record<string, StreamHandler<unknown, unknown>>>>;

interface Listener {
  readonly process: SimProcess;
  readonly services: Services;
}

export class SimNetwork implements ProcessWatcher {
  readonly #simulation: Simulation;
  readonly #settings: NetworkSettings;
  readonly #links = new Map<string, Map<string, SimLink>>();
  readonly #listeners = new Map<string, Listener>();
  /** Of each address the machine that has, or had, it. */
  readonly #machines = new Map<string, string>();
  readonly #processes = new WeakSet<SimProcess>();
  readonly #ends = new Set<StreamEnd>();
  /** Of machines that vanished: the ends that were lost there, of which nobody was told. */
  readonly #lost = new Map<string, StreamEnd[]>();

  constructor(simulation: Simulation, settings: Partial<NetworkSettings> = {}) {
    this.#simulation = simulation;
    this.#settings = { ...NETWORK_SETTINGS, ...settings };
  }

  /** Serves streams at an address, until the process dies. Handlers run in that process. */
  listen(process: SimProcess, address: string, services: Services): void {
    this.#meet(process);
    this.#machines.set(address, process.name);
    this.#listeners.set(address, { process, services });
  }

  /** Nobody listens at the address any more, and every stream that was served there ends. */
  unlisten(process: SimProcess, address: string): void {
    if (this.#listeners.get(address)?.process !== process) return;
    this.#listeners.delete(address);
    for (const end of [...this.#ends]) if (end.process === process && !end.isDialed) end.end();
  }

  /**
   * Opens a stream. No event comes before this has returned; `closed` comes also if there never is
   * a connection.
   */
  dial(process: SimProcess, target: Target, events: StreamEvents<unknown>): StreamEnd {
    this.#meet(process);
    const { up, down } = this.#pipes(process, target.address);
    const dialed = this.#end({ process, out: up, isDialed: true });
    dialed.listen(events);
    up.send(0, () => {
      const served = this.#listeners.get(target.address);
      if (served === undefined) {
        if (this.#lost.has(down.link.from)) return; // The machine is gone: silence.
        return down.send(0, () => process.deliver(() => dialed.close('connection refused')));
      }
      const end = this.#end({ process: served.process, out: down, isDialed: false });
      StreamEnd.join(dialed, end);
      // The kernel accepts for a paused process, but the transport's greeting is its own.
      served.process.deliver(() => {
        down.send(0, () =>
          process.deliver(() => dialed.open(() => this.#call(dialed, served, target))),
        );
      });
    });
    const { connectMs } = this.#settings;
    const giveUp = () => {
      if (!dialed.isOpen) dialed.breakOff(`no connection within ${connectMs} ms`);
    };
    this.#simulation.after(connectMs, giveUp, process);
    return dialed;
  }

  /** Asks the kernel behind an address whether anybody listens, as `grpc/tcp-probe.ts` does. */
  probe(
    process: SimProcess,
    target: { readonly address: string; readonly timeoutMs: number },
    done: (result: 'accepted' | 'refused' | 'silent') => void,
  ): void {
    const { up, down } = this.#pipes(process, target.address);
    let isDone = false;
    const answer = (result: 'accepted' | 'refused' | 'silent') => {
      if (!isDone) done(result);
      isDone = true;
    };
    this.#simulation.after(target.timeoutMs, () => answer('silent'), process);
    up.send(0, () => {
      const isThere = this.#listeners.has(target.address);
      if (!isThere && this.#lost.has(down.link.from)) return;
      down.send(0, () => process.deliver(() => answer(isThere ? 'accepted' : 'refused')));
    });
  }

  /** Of a direction, or what it is unless somebody changed it. */
  latencyOf(direction?: Direction): Latency {
    return direction === undefined ? this.#settings.latency : this.#link(direction).latency;
  }

  setLatency(direction: Direction, latency: Latency): void {
    this.#link(direction).latency = latency;
  }

  /**
   * Nothing gets through in this direction until it is healed. What is under way then arrives late;
   * with `breaks` the streams between the two break, of which they hear only as far as they can.
   */
  cut(direction: Direction, { breaks = false } = {}): void {
    if (breaks) this.reset(direction);
    const link = this.#link(direction);
    link.cut();
    this.#watchBlock(link);
  }

  heal(direction: Direction): void {
    this.#link(direction).heal();
  }

  /** Nothing gets through for a while. */
  clog(direction: Direction, forMs: number): void {
    const link = this.#link(direction);
    link.clog(forMs);
    this.#watchBlock(link);
  }

  unclog(direction: Direction): void {
    this.#link(direction).unclog();
  }

  /** Every stream between the two machines breaks. */
  reset({ from, to }: Direction): void {
    for (const end of this.#between(from, to)) end.reset();
  }

  /** Every link is open and as fast as the settings say. */
  healAll(): void {
    for (const links of this.#links.values()) {
      for (const link of links.values()) {
        link.latency = this.#settings.latency;
        link.unclog();
        link.heal();
      }
    }
  }

  killed(process: SimProcess, isSilent: boolean): void {
    for (const [address, listener] of this.#listeners) {
      if (listener.process === process) this.#listeners.delete(address);
    }
    const ends = [...this.#ends].filter((end) => end.process === process);
    if (isSilent) this.#lost.set(process.name, ends);
    for (const end of ends) end.die(isSilent);
    if (isSilent)
      this.#watch(
        () => process.isDead,
        ({ peer }) => peer?.process === process,
      );
  }

  paused(process: SimProcess): void {
    const pause = process.pauseNumber;
    this.#watch(
      () => process.pauseNumber === pause,
      ({ peer }) => peer?.process === process,
    );
  }

  /** The first that is heard of a process: its machine is there again. */
  #meet(process: SimProcess): void {
    if (this.#processes.has(process)) return;
    this.#processes.add(process);
    process.watch(this);
    const lost = this.#lost.get(process.name) ?? [];
    this.#lost.delete(process.name);
    for (const end of lost) end.reappear();
  }

  /** The call on a connection that stands: reaches the handler before any message. */
  #call(dialed: StreamEnd, { process, services }: Listener, { service }: Target): void {
    const served = dialed.peer!;
    dialed.out.send(0, () => {
      process.deliver(() => {
        const handler = services[service];
        if (handler === undefined) return served.breakOff('no such service');
        served.open(() => served.listen(handler(served, dialed.process.name)));
      });
    });
  }

  #watchBlock(link: SimLink): void {
    const block = link.blockNumber;
    const concerned = new Set<StreamEnd>();
    for (const end of this.#between(link.from, link.to)) concerned.add(end).add(end.peer!);
    this.#watch(
      () => link.blockNumber === block,
      (end) => concerned.has(end),
    );
  }

  /** Breaks the ends concerned that have waited for a sign of life for as long as they do. */
  #watch(isSilent: () => boolean, isConcerned: (end: StreamEnd) => boolean): void {
    const { dialed, served } = this.#settings.patienceMs;
    for (const [isDialed, patienceMs] of [
      [true, dialed],
      [false, served],
    ] as const) {
      this.#simulation.after(patienceMs, () => {
        if (!isSilent()) return;
        for (const end of [...this.#ends]) {
          if (end.isDialed === isDialed && isConcerned(end)) end.breakOff('keepalive timed out');
        }
      });
    }
  }

  /** The dialed ends of the streams between two machines. */
  #between(one: string, other: string): StreamEnd[] {
    return [...this.#ends].filter(({ isDialed, process, peer }) => {
      if (!isDialed || peer === undefined) return false;
      const names = [process.name, peer.process.name];
      return names.includes(one) && names.includes(other);
    });
  }

  #end(options: { process: SimProcess; out: SimPipe; isDialed: boolean }): StreamEnd {
    const forget = (over: StreamEnd) => void this.#ends.delete(over);
    const end = new StreamEnd(this.#simulation, { ...options, settings: this.#settings, forget });
    this.#ends.add(end);
    return end;
  }

  #pipes(process: SimProcess, address: string): { up: SimPipe; down: SimPipe } {
    // An address that nobody ever had belongs to a machine of its own, which refuses.
    const to = this.#machines.get(address) ?? address;
    const up = this.#link({ from: process.name, to });
    const down = this.#link({ from: to, to: process.name });
    return { up: new SimPipe(this.#simulation, up), down: new SimPipe(this.#simulation, down) };
  }

  #link({ from, to }: Direction): SimLink {
    let links = this.#links.get(from);
    if (links === undefined) this.#links.set(from, (links = new Map<string, SimLink>()));
    let link = links.get(to);
    if (link === undefined) {
      link = new SimLink(this.#simulation, { from, to }, this.#settings.latency);
      links.set(to, link);
    }
    return link;
  }
}
