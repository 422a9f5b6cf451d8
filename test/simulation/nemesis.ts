/**
 * Does harm to a cluster as a {@link FaultProfile} says, and heals everything in the end, so that a
 * run has two phases: one in which nothing wrong may happen whatever is broken, and one in which
 * nothing is broken and everything must recover.
 *
 * Each family goes its own way: waits, injects, undoes after a while. Faults of different families
 * overlap, and the undoing of one may undo a part of another: that is a schedule like any other.
 */
import { unreachable } from '../../src/model/assert.js';
import type { Cluster, CoordinationFaults, SetBack } from './cluster.js';
import { FaultInjections, type FaultLimits, type Injected } from './fault-injections.js';
import type { FaultFamily, FaultProfile, FaultRate, FaultScript } from './fault-profile.js';
import type { Prng } from './prng.js';
import type { Simulation } from './simulation.js';

export interface NemesisOptions {
  readonly profile: FaultProfile;
  readonly limits: FaultLimits;
}

/** A pause in a script goes past every patience now and then: lease, session, keepalive. */
const SCRIPT_PAUSE_STEPS = 5;
/** Until a member that came back is counted on again: only then may another one lose its disk. */
const DISK_LOSS_GAP_MS = 1_000;
/** How often a set-back goes back to nothing. */
const WIPE_SHARE = 0.2;
/** And how often of the others to when the cluster was being formed. */
const BEGINNING_SHARE = 0.2;
/** How long the holder of a lease is cut off: about as long as leases last. */
const CUT_OFF_MS = { least: 200, most: 2_000 };

export class Nemesis {
  readonly #simulation: Simulation;
  readonly #cluster: Cluster;
  readonly #profile: FaultProfile;
  readonly #injections: FaultInjections;
  readonly #prng: Prng;
  readonly #active = new Set<Injected>();
  #isOver = false;
  /** How often each fault was injected: a run without any proves nothing. */
  readonly counts = new Map<FaultFamily | FaultScript, number>();

  constructor(simulation: Simulation, cluster: Cluster, { profile, limits }: NemesisOptions) {
    this.#simulation = simulation;
    this.#cluster = cluster;
    this.#profile = profile;
    this.#prng = simulation.prng.fork('nemesis');
    this.#injections = new FaultInjections(cluster, limits, this.#prng.fork('injections'));
  }

  /** Begins the phase of faults. */
  start(): void {
    const { rates, script } = this.#profile;
    for (const [family, rate] of Object.entries(rates)) {
      this.#repeat(family as FaultFamily, rate, this.#prng.fork(family));
    }
    if (script !== undefined) this.#after(script.stepMeanMs, () => this.#run(script.name));
  }

  /** Ends every fault, and starts whoever is dead. Nothing is broken from then on. */
  heal(): void {
    this.#isOver = true;
    this.#simulation.note('nemesis', 'heals');
    for (const injected of this.#active) injected.undo();
    this.#active.clear();
    const { network, members } = this.#cluster;
    network.healAll();
    for (const { name } of members) {
      const disk = this.#cluster.diskOf(name);
      if (disk !== undefined) {
        disk.writeFault = undefined;
        disk.readFault = undefined;
        disk.slowness = 1;
      }
      const process = this.#cluster.processOf(name);
      if (process.isDead) this.#cluster.start(name);
      else process.resume();
    }
  }

  #repeat(family: FaultFamily, rate: FaultRate, prng: Prng): void {
    this.#after(prng.exponential(rate.gapMeanMs), () => {
      const lengthMs = prng.exponential(rate.lengthMeanMs);
      this.#hold(family, lengthMs, this.#injections.inject(family, lengthMs));
      this.#repeat(family, rate, prng);
    });
  }

  /** Undoes what was injected, after a while. */
  #hold(name: FaultFamily | FaultScript, lengthMs: number, injected: Injected | undefined): void {
    if (injected === undefined) return;
    this.counts.set(name, (this.counts.get(name) ?? 0) + 1);
    this.#simulation.note(name, `${injected.detail}, ${lengthMs.toFixed(0)} ms`);
    this.#active.add(injected);
    this.#after(lengthMs, () => {
      if (!this.#active.delete(injected)) return;
      this.#simulation.note(`end of ${name}`, injected.detail);
      injected.undo();
    });
  }

  /** One pass of a script; the next follows it. */
  #run(script: FaultScript): void {
    const names = this.#prng.shuffled(this.#cluster.members.map(({ name }) => name));
    switch (script) {
      case 'swizzle-clog':
        return this.#swizzle(names);
      case 'pause-and-resume':
        return this.#pauseOne(names[0]!);
      case 'rolling-restart':
        return this.#roll(names);
      case 'disk-loss':
        return this.#loseDisk(names);
      case 'grantor-restart':
        return this.#restartGrantors();
      case 'coordination-set-back':
        return this.#setBack(names);
      default:
        return unreachable(script);
    }
  }

  /** Clogs some members one after the other, and frees them in another order (FoundationDB). */
  #swizzle(names: readonly string[]): void {
    const some = names.slice(0, 1 + this.#prng.int(names.length));
    const stepMs = this.#stepMs();
    const passMs = stepMs * some.length;
    const ends = this.#prng.shuffled(some.map((_, index) => passMs + stepMs * (index + 1)));
    some.forEach((name, index) => {
      this.#after(stepMs * index, () => {
        const lengthMs = ends[index]! - stepMs * index;
        this.#hold('swizzle-clog', lengthMs, this.#injections.clog(name, lengthMs));
      });
    });
    this.#after(2 * passMs + stepMs, () => this.#run('swizzle-clog'));
  }

  #pauseOne(name: string): void {
    const lengthMs = this.#stepMs() * this.#prng.range(0, SCRIPT_PAUSE_STEPS);
    this.#hold('pause-and-resume', lengthMs, this.#injections.pause(name, 'pause'));
    this.#after(lengthMs + this.#stepMs(), () => this.#run('pause-and-resume'));
  }

  /** One after the other, each back before the next goes. */
  #roll(names: readonly string[]): void {
    const [name, ...others] = names;
    if (name === undefined) return this.#run('rolling-restart');
    const lengthMs = this.#stepMs();
    this.#hold('rolling-restart', lengthMs, this.#injections.kill(name, false));
    this.#after(lengthMs + this.#stepMs(), () => this.#roll(others));
  }

  /** A member loses its disk, or gets a backup of it, taken before it was last started. */
  #loseDisk(names: readonly string[]): void {
    const name = names.find((each) => this.#cluster.diskOf(each) !== undefined);
    if (name === undefined) return;
    const stepMs = this.#stepMs();
    const backup = this.#prng.chance(0.5) ? this.#cluster.diskOf(name)?.image() : undefined;
    if (backup !== undefined) {
      this.#hold('disk-loss', stepMs, this.#injections.kill(name, false));
    }
    this.#after(2 * stepMs + DISK_LOSS_GAP_MS, () => {
      this.#hold('disk-loss', stepMs, this.#injections.loseDisk(name, backup));
      this.#after(stepMs + DISK_LOSS_GAP_MS, () => this.#run('disk-loss'));
    });
  }

  /**
   * Grantors of a lease die and come straight back, while its holder still counts on them and hears
   * of nobody that takes its place. Then its session ends, and one of them is to take it.
   */
  #restartGrantors(): void {
    const leases = this.#cluster.leases?.() ?? [];
    const cutOffMs = this.#prng.range(CUT_OFF_MS.least, CUT_OFF_MS.most);
    this.#after(cutOffMs + this.#stepMs(), () => this.#run('grantor-restart'));
    if (leases.length === 0) return;
    const { holder, grantors, overseers } = this.#prng.pick(leases);
    const hold = (lengthMs: number, injected: Injected | undefined) =>
      this.#hold('grantor-restart', lengthMs, injected);
    hold(cutOffMs, this.#injections.cutOff(holder, overseers));
    const some = this.#prng.shuffled(grantors).slice(0, 1 + this.#prng.int(grantors.length));
    for (const grantor of some) hold(0, this.#injections.kill(grantor, false));
    this.#after(this.#prng.range(0, cutOffMs), () => {
      hold(0, this.#injections.expireSession(holder));
    });
  }

  /**
   * Members die and come back, of which a backup of the coordination service tells nothing: then it
   * is set back to that, or has lost everything.
   */
  #setBack(names: readonly string[]): void {
    const { coordination } = this.#cluster;
    if (coordination === undefined) return;
    const backUp = this.#atBeginning(coordination) ?? coordination.backUp();
    const setBack = this.#prng.chance(WIPE_SHARE) ? coordination.wipe : backUp;
    const some = names.slice(0, 1 + this.#prng.int(names.length));
    some.forEach((name, index) => {
      this.#after(this.#stepMs() * index, () => {
        this.#hold('rolling-restart', this.#stepMs(), this.#injections.kill(name, false));
      });
    });
    this.#after(this.#stepMs() * some.length, () => this.#setBackOnce(setBack));
  }

  #atBeginning(coordination: CoordinationFaults): SetBack | undefined {
    const beginnings = coordination.beginnings();
    const prng = this.#prng.fork('beginning');
    if (beginnings.length === 0 || !prng.chance(BEGINNING_SHARE)) return undefined;
    return prng.pick(beginnings);
  }

  /** As soon as it may be. */
  #setBackOnce(setBack: SetBack): void {
    const injected = this.#injections.setBack(setBack);
    this.#hold('coordination-set-back', this.#stepMs(), injected);
    this.#after(this.#stepMs(), () => {
      if (injected === undefined) this.#setBackOnce(setBack);
      else this.#run('coordination-set-back');
    });
  }

  #stepMs(): number {
    return this.#prng.exponential(this.#profile.script?.stepMeanMs ?? 0);
  }

  #after(delayMs: number, task: () => void): void {
    this.#simulation.after(delayMs, () => {
      if (!this.#isOver) task();
    });
  }
}
