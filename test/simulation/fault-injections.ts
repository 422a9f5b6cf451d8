/** How each family of faults is done to a cluster, and how it is undone. */
import { unreachable } from '../../src/model/assert.js';
import type { Cluster, SetBack } from './cluster.js';
import type { FaultFamily } from './fault-profile.js';
import type { Prng } from './prng.js';
import type { SimDisk } from './sim-disk.js';
import type { Direction } from './sim-network.js';

export interface FaultLimits {
  /** A clock's rate stays within 1 ± this. */
  readonly driftMax: number;
  /** Whether this member may go down while those are; without it, any may. */
  mayGoDown?(name: string, down: readonly string[]): boolean;
  /** Whether the coordination service may lose what it has learnt since; without it, it may. */
  maySetBack?(): boolean;
  /** Whether the disk of this member may become what a backup holds, or empty; without it, any may. */
  mayLoseDisk?(name: string, backup: DiskImage | undefined): boolean;
  /** Lets a record on the disk of this member rot, if one may; without it, none may. */
  rot?(name: string): Injected | undefined;
}

/** What was done, and how to end it. Undoing twice, or after something else undid it, is nothing. */
export interface Injected {
  readonly detail: string;
  readonly undo: () => void;
}

/** What {@link SimDisk.restore} takes. */
export type DiskImage = ReturnType<SimDisk['image']>;

/** How much slower a slow link or disk is. */
const SLOWNESS = { least: 5, most: 200 };

export class FaultInjections {
  readonly #cluster: Cluster;
  readonly #limits: FaultLimits;
  readonly #prng: Prng;

  constructor(cluster: Cluster, limits: FaultLimits, prng: Prng) {
    this.#cluster = cluster;
    this.#limits = limits;
    this.#prng = prng;
  }

  /** Undefined: not possible as things are. `lengthMs`: until it is undone. */
  inject(family: FaultFamily, lengthMs: number): Injected | undefined {
    switch (family) {
      case 'kill':
        return this.#kill(false);
      case 'power-cut':
        return this.#kill(true);
      case 'pause':
      case 'suspend':
        return this.#pause(family);
      case 'isolate':
        return this.#isolate();
      case 'one-way':
        return this.#oneWay();
      case 'split':
        return this.#split();
      case 'clog':
        return this.#clog(lengthMs);
      case 'reset':
        return this.#reset();
      case 'slow-link':
        return this.#slowLink();
      case 'write-fault':
        return this.#failWrites();
      case 'slow-disk':
        return this.#slowDisk();
      case 'rot':
        return this.#limits.rot?.(this.#anyone());
      case 'drift':
        return this.#drift();
      case 'stop':
        return this.#stop();
      case 'coordination-outage':
        return this.#coordinationOutage();
      case 'coordination-cut':
        return this.#coordinationCut();
      case 'coordination-break':
        return this.#coordinationBreak();
      case 'session-expiry':
        return this.expireSession(this.#anyone());
      case 'low-space':
        return this.#fillDisk();
      case 'read-fault':
        return this.#failReads();
      case 'coordination-server-loss':
        return this.#loseCoordinationServer();
      case 'coordination-candidate-loss':
        return this.#removeCandidate();
      default:
        return unreachable(family);
    }
  }

  kill(name: string, isSilent: boolean): Injected | undefined {
    const down = this.#names().filter((other) => this.#cluster.processOf(other).isDead);
    if (down.includes(name) || this.#limits.mayGoDown?.(name, down) === false) return undefined;
    this.#cluster.kill(name, { isSilent });
    return { detail: name, undo: () => this.#startIfDead(name) };
  }

  pause(name: string, how: 'pause' | 'suspend'): Injected | undefined {
    const process = this.#cluster.processOf(name);
    if (process.isDead || process.isPaused) return undefined;
    process[how]();
    return { detail: name, undo: () => process.resume() };
  }

  /** Every link from and to it. */
  clog(name: string, forMs: number): Injected {
    const { network } = this.#cluster;
    const directions = this.#around(name);
    for (const direction of directions) network.clog(direction, forMs);
    const undo = () => directions.forEach((direction) => network.unclog(direction));
    return { detail: name, undo };
  }

  /** Nothing gets through between a member and others, nor between it and the coordination. */
  cutOff(name: string, others: readonly string[]): Injected {
    const between = this.#around(name).filter(({ from, to }) => {
      return others.includes(from) || others.includes(to);
    });
    const { network, coordination } = this.#cluster;
    for (const direction of between) network.cut(direction);
    const reach = coordination?.cut(name);
    const undo = () => {
      for (const direction of between) network.heal(direction);
      reach?.();
    };
    return { detail: `${name} from ${others.join(' ')}`, undo };
  }

  /** The coordination service goes down, and comes back with the data that it had once. */
  setBack(setBack: SetBack): Injected | undefined {
    if (this.#limits.maySetBack?.() === false) return undefined;
    return { detail: '', undo: setBack() };
  }

  /** The session of this member is over. */
  expireSession(name: string): Injected | undefined {
    if (this.#cluster.coordination?.expire(name) !== true) return undefined;
    return { detail: name, undo: () => undefined };
  }

  /**
   * By a slip of an operator, or because its successor takes it for dead. Whoever takes its place is
   * cut off, so that nobody tells those who follow it; and a member dies, so that there is something
   * to decide for the one as for the other.
   */
  #removeCandidate(): Injected | undefined {
    const { members, coordination } = this.#cluster;
    const candidate = this.#prng
      .shuffled(members)
      .find(({ name }) => coordination?.removeCandidate(name) === true);
    if (candidate === undefined) return undefined;
    const rivals = members.filter((other) => other.role === candidate.role && other !== candidate);
    const cut = this.#cut(
      rivals.flatMap(({ name }) => this.#around(name)),
      `${candidate.name}, others cut off`,
    );
    const killed = this.kill(this.#anyone(), false);
    return {
      detail: `${cut.detail}, killed ${killed?.detail ?? 'nobody'}`,
      undo: () => {
        cut.undo();
        killed?.undo();
      },
    };
  }

  /**
   * The member comes back without its disk: with an empty one, or with one of before.
   */
  loseDisk(name: string, backup: DiskImage | undefined): Injected | undefined {
    if (this.#limits.mayLoseDisk?.(name, backup) === false) return undefined;
    this.#replaceDisk(name, backup);
    const detail = `${name} ${backup === undefined ? 'emptied' : 'set back'}`;
    return { detail, undo: () => this.#startIfDead(name) };
  }

  #kill(isSilent: boolean): Injected | undefined {
    return this.kill(this.#anyone(), isSilent);
  }

  #pause(how: 'pause' | 'suspend'): Injected | undefined {
    return this.pause(this.#anyone(), how);
  }

  #isolate(): Injected {
    const name = this.#anyone();
    return this.#cut(this.#around(name), `all of ${name}`);
  }

  #oneWay(): Injected | undefined {
    const pair = this.#pair();
    return pair && this.#cut([pair], `${pair.from} to ${pair.to}`);
  }

  #split(): Injected {
    const names = this.#prng.shuffled(this.#names());
    const side = names.slice(0, 1 + this.#prng.int(Math.max(1, names.length - 1)));
    const directions = side.flatMap((name) => {
      return this.#around(name).filter(
        ({ from, to }) => !(side.includes(from) && side.includes(to)),
      );
    });
    return this.#cut(directions, side.join(' '));
  }

  #cut(directions: readonly Direction[], what: string): Injected {
    const { network } = this.#cluster;
    const breaks = this.#prng.chance(0.5);
    for (const direction of directions) network.cut(direction, { breaks });
    const undo = () => directions.forEach((direction) => network.heal(direction));
    return { detail: `${what}${breaks ? ', streams break' : ''}`, undo };
  }

  #clog(lengthMs: number): Injected {
    return this.clog(this.#anyone(), lengthMs);
  }

  #reset(): Injected | undefined {
    const pair = this.#pair();
    if (pair === undefined) return undefined;
    this.#cluster.network.reset(pair);
    return { detail: `${pair.from} and ${pair.to}`, undo: () => undefined };
  }

  #slowLink(): Injected | undefined {
    const pair = this.#pair();
    if (pair === undefined) return undefined;
    const { network } = this.#cluster;
    // Not of what the link has now: twice slow would be slow for minutes.
    const latency = network.latencyOf();
    const slowness = this.#slowness();
    network.setLatency(pair, {
      leastMs: latency.leastMs * slowness,
      queueMeanMs: latency.queueMeanMs * slowness,
    });
    return {
      detail: `${pair.from} to ${pair.to}`,
      undo: () => network.setLatency(pair, network.latencyOf()),
    };
  }

  #failWrites(): Injected | undefined {
    const { name, disk } = this.#anyDisk() ?? {};
    if (disk === undefined) return undefined;
    const fault = this.#prng.pick(['full', 'once', 'broken'] as const);
    disk.writeFault = fault;
    return {
      detail: `${name} ${fault}`,
      undo: () => {
        disk.writeFault = undefined;
        // A node that cannot write ends itself; somebody starts it again.
        this.#startIfDead(name!);
      },
    };
  }

  #failReads(): Injected | undefined {
    const { name, disk } = this.#anyDisk() ?? {};
    if (name === undefined || disk === undefined) return undefined;
    const fault = this.#prng.pick(['once', 'broken'] as const);
    disk.readFault = fault;
    return {
      detail: `${name} ${fault}`,
      undo: () => {
        disk.readFault = undefined;
        this.#startIfDead(name);
      },
    };
  }

  /** Hardly anything is free, but what is written still fits. */
  #fillDisk(): Injected | undefined {
    const { name, disk } = this.#anyDisk() ?? {};
    if (disk === undefined) return undefined;
    const { freeBytes } = disk;
    disk.freeBytes = 1;
    return {
      detail: `${name}`,
      undo: () => {
        disk.freeBytes = Math.max(disk.freeBytes, freeBytes);
      },
    };
  }

  #slowDisk(): Injected | undefined {
    const { name, disk } = this.#anyDisk() ?? {};
    if (disk === undefined) return undefined;
    disk.slowness = this.#slowness();
    return {
      detail: `${name}`,
      undo: () => {
        disk.slowness = 1;
      },
    };
  }

  #drift(): Injected | undefined {
    const name = this.#anyone();
    const { clock, isDead } = this.#cluster.processOf(name);
    if (isDead) return undefined;
    const { driftMax } = this.#limits;
    clock.rate = 1 + this.#prng.range(-driftMax, driftMax);
    return {
      detail: `${name} ${clock.rate.toFixed(4)}`,
      undo: () => {
        clock.rate = 1;
      },
    };
  }

  #stop(): Injected | undefined {
    const name = this.#anyone();
    const process = this.#cluster.processOf(name);
    if (this.#cluster.stop === undefined || process.isDead || process.isPaused) return undefined;
    this.#cluster.stop(name);
    return { detail: name, undo: () => this.#startIfDead(name) };
  }

  #coordinationOutage(): Injected | undefined {
    const undo = this.#cluster.coordination?.outage();
    return undo && { detail: '', undo };
  }

  #coordinationCut(): Injected | undefined {
    const name = this.#anyone();
    const undo = this.#cluster.coordination?.cut(name);
    return undo && { detail: name, undo };
  }

  #coordinationBreak(): Injected | undefined {
    const { coordination } = this.#cluster;
    if (coordination === undefined) return undefined;
    coordination.breakConnections();
    return { detail: '', undo: () => undefined };
  }

  #loseCoordinationServer(): Injected | undefined {
    const absence = this.#prng.pick(['refusing', 'silent'] as const);
    const undo = this.#cluster.coordination?.loseServer(absence);
    return undo && { detail: absence, undo };
  }

  /** Kills the member if it lives, and leaves it another disk. */
  #replaceDisk(name: string, image: DiskImage | undefined): void {
    if (!this.#cluster.processOf(name).isDead) this.#cluster.kill(name, { isSilent: false });
    this.#cluster.diskOf(name)?.restore(image);
  }

  #startIfDead(name: string): void {
    if (this.#cluster.processOf(name).isDead) this.#cluster.start(name);
  }

  #names(): string[] {
    return this.#cluster.members.map(({ name }) => name);
  }

  #anyone(): string {
    return this.#prng.pick(this.#names());
  }

  #anyDisk(): { name: string; disk: SimDisk } | undefined {
    const name = this.#anyone();
    const disk = this.#cluster.diskOf(name);
    return disk && { name, disk };
  }

  #pair(): Direction | undefined {
    const [from, to] = this.#prng.shuffled(this.#names());
    return from === undefined || to === undefined ? undefined : { from, to };
  }

  #around(name: string): Direction[] {
    return this.#names()
      .filter((other) => other !== name)
      .flatMap((other) => [
        { from: name, to: other },
        { from: other, to: name },
      ]);
  }

  #slowness(): number {
    return SLOWNESS.least * (SLOWNESS.most / SLOWNESS.least) ** this.#prng.fraction();
  }
}
