/**
 * What is done to a cluster and when, from a seed alone: the same seed is the same list of faults.
 *
 * A schedule is a row of storms. In each, three faults or more of two families or more are there at
 * the same moment, and shorter ones come and go around them. Which families a seed has is drawn
 * too (swarm testing: Groce and others, ISSTA 2012): a run with every fault at once hides what
 * needs one of them to be absent.
 */
import { Prng } from '../simulation/prng.js';

export const FAMILIES = ['kill', 'pause', 'stop', 'network', 'disk'] as const;
export type Family = (typeof FAMILIES)[number];

/** By family. Targets are drawn with the kind; `leader` is whoever leads when the fault begins. */
export const KINDS = {
  kill: ['kill-storage', 'kill-router', 'kill-leader', 'kill-zookeeper', 'kill-all-storage'],
  pause: ['pause-storage', 'pause-router', 'pause-leader', 'pause-zookeeper'],
  stop: ['stop-storage', 'stop-router'],
  network: [
    ...(['split', 'stall', 'stall-requests', 'stall-replies', 'black-hole'] as const),
    ...(['reset', 'refuse', 'mute', 'delay', 'cut-off-zookeeper'] as const),
  ],
  disk: ['disk-full', 'disk-sync', 'disk-sync-once', 'disk-write', 'disk-read'],
} as const satisfies Record<Family, readonly string[]>;
export type Kind = (typeof KINDS)[Family][number];

export interface Fault {
  readonly kind: Kind;
  readonly family: Family;
  /** A member, some joined by `+`, a ZooKeeper server (`z1`), `leader`, or `all` storage nodes. */
  readonly target: string;
  /** Milliseconds since the storm began. */
  readonly fromMs: number;
  readonly toMs: number;
}

export interface Storm {
  readonly faults: readonly Fault[];
  /**
   * What follows: as long as it takes until all is well and some load without faults, or only so
   * many milliseconds, and the next storm meets what this one left.
   */
  readonly then: 'untilWell' | number;
}

export interface Shape {
  readonly routers: number;
  readonly storage: number;
  /** Servers of ZooKeeper. */
  readonly zooKeeper: number;
}

export interface Schedule {
  readonly seed: number;
  readonly storms: readonly Storm[];
}

export interface ScheduleOptions extends Shape {
  readonly seed: number;
  readonly storms: number;
  readonly families: readonly Family[];
}

/** Of a storage node that no flag changes (src/storage/replica-settings.ts). */
const LEASE_MS = 600;
/** How long a fault lasts that others are to overlap with. */
const LONG_MS = { least: 1_500, most: 6_000 };
/** From a tenth of a lease to five. */
const SHORT_MS = { least: LEASE_MS / 10, most: LEASE_MS * 5 };
/** The long ones begin within so many milliseconds, and all of them last longer. */
const TOGETHER_MS = 1_000;
const GAP_MS = { least: 300, most: 4_000 };
const FAMILY_SHARE = 0.7;
const WELL_SHARE = 0.6;
/** Of the faults of the network: the one that finds most. */
const SPLIT_SHARE = 0.3;

export function scheduleOf(options: ScheduleOptions): Schedule {
  const prng = Prng.of(options.seed).fork('chaos');
  const families = drawFamilies(prng, options.families);
  const storms = Array.from({ length: options.storms }, (): Storm => {
    const faults = drawStorm(prng, families, options);
    return { faults, then: prng.chance(WELL_SHARE) ? 'untilWell' : between(prng, GAP_MS) };
  });
  return { seed: options.seed, storms };
}

/** At least two of those allowed, as far as there are two. */
function drawFamilies(prng: Prng, allowed: readonly Family[]): readonly Family[] {
  const order = prng.shuffled(allowed);
  return order.filter((_, index) => prng.chance(FAMILY_SHARE) || index < 2);
}

function drawStorm(prng: Prng, families: readonly Family[], shape: Shape): readonly Fault[] {
  const faults: Fault[] = [];
  const long = 3 + prng.int(3);
  // The first two are of different families; of the others chance decides.
  const order = prng.shuffled(families);
  for (let n = 0; n < long; n++) {
    const family = order[n] ?? prng.pick(families);
    const fromMs = Math.round(prng.range(0, TOGETHER_MS));
    const fault = drawFault(prng, family, shape);
    faults.push({ ...fault, fromMs, toMs: fromMs + between(prng, LONG_MS) });
  }
  const endMs = Math.max(...faults.map(({ toMs }) => toMs));
  for (let n = prng.int(5); n > 0; n--) {
    const fault = drawFault(prng, prng.pick(families), shape);
    const fromMs = Math.round(prng.range(0, endMs));
    faults.push({ ...fault, fromMs, toMs: fromMs + between(prng, SHORT_MS) });
  }
  return faults.sort((left, right) => left.fromMs - right.fromMs);
}

function drawFault(
  prng: Prng,
  family: Family,
  shape: Shape,
): Pick<Fault, 'kind' | 'family' | 'target'> {
  const isSplit = family === 'network' && prng.chance(SPLIT_SHARE);
  const kind = isSplit ? 'split' : prng.pick<Kind>(KINDS[family]);
  const storage = `s${1 + prng.int(shape.storage)}`;
  const router = `r${1 + prng.int(shape.routers)}`;
  return { kind, family, target: targetOf(kind, { storage, router, prng, shape }) };
}

function targetOf(
  kind: Kind,
  from: { storage: string; router: string; prng: Prng; shape: Shape },
): string {
  const { storage, router, prng, shape } = from;
  if (kind === 'kill-all-storage') return 'all';
  // A primary, and a router that goes on asking it: what it then may answer is what leases are for.
  if (kind === 'split') return `${storage}+${router}`;
  if (kind === 'kill-zookeeper' || kind === 'pause-zookeeper') {
    return `z${1 + prng.int(shape.zooKeeper)}`;
  }
  if (kind.endsWith('-leader')) return 'leader';
  if (kind.endsWith('-storage') || kind.startsWith('disk-')) return storage;
  if (kind.endsWith('-router')) return router;
  return prng.chance(0.75) ? storage : router;
}

/** Each order of magnitude as likely as another; whole milliseconds. */
function between(prng: Prng, { least, most }: { least: number; most: number }): number {
  return Math.round(least * (most / least) ** prng.fraction());
}

export function describeFault({ kind, target, fromMs, toMs }: Fault): string {
  return `${kind} ${target} +${fromMs} ms for ${toMs - fromMs} ms`;
}
