/**
 * Which faults a seed has, and how often: swarm testing. A run with every fault at once hides what
 * needs one of them to be absent, so each family is left out of half the seeds (Groce and others,
 * "Swarm testing", ISSTA 2012; as in TigerBeetle's VOPR and FoundationDB). One seed in ten has a
 * script instead: an order of faults that chance would hardly find.
 */
import type { Prng } from './prng.js';

export const FAULT_FAMILIES = [
  'kill',
  'power-cut',
  'pause',
  'suspend',
  'isolate',
  'one-way',
  'split',
  'clog',
  'reset',
  'slow-link',
  'write-fault',
  'slow-disk',
  'rot',
  'drift',
  'stop',
  'coordination-outage',
  'coordination-cut',
  'coordination-break',
  'session-expiry',
  'low-space',
  'read-fault',
  'coordination-server-loss',
  'coordination-candidate-loss',
] as const;
export type FaultFamily = (typeof FAULT_FAMILIES)[number];

export const FAULT_SCRIPTS = [
  'swizzle-clog',
  'pause-and-resume',
  'rolling-restart',
  'disk-loss',
  'grantor-restart',
] as const;
export type FaultScript = (typeof FAULT_SCRIPTS)[number] | 'coordination-set-back';

/**
 * Beside a set-back, in half of its seeds each: what keeps nobody from hearing in time who knows
 * more than the coordination service does.
 */
const BESIDE_SET_BACK = [
  'reset',
  'session-expiry',
  'coordination-break',
  'slow-disk',
  'drift',
] as const satisfies readonly FaultFamily[];

/** Both in milliseconds of true time; each fault draws its own around them. */
export interface FaultRate {
  readonly gapMeanMs: number;
  readonly lengthMeanMs: number;
}

export interface FaultProfile {
  readonly rates: Readonly<Partial<Record<FaultFamily, FaultRate>>>;
  /** The script, and the pace of its steps. */
  readonly script: { readonly name: FaultScript; readonly stepMeanMs: number } | undefined;
}

export interface FaultBounds {
  readonly gapMs: { readonly least: number; readonly most: number };
  readonly lengthMs: { readonly least: number; readonly most: number };
}

const FAMILY_SHARE = 0.5;
const SCRIPT_SHARE = 0.1;
const SET_BACK_SHARE = 0.03;
/** Several members are to die before it, and to come back. */
const SET_BACK_STEP_MS = { least: 50, most: 800 };

export function drawProfile(root: Prng, { gapMs, lengthMs }: FaultBounds): FaultProfile {
  const setBack = root.fork('set back');
  if (setBack.chance(SET_BACK_SHARE)) {
    const script = {
      name: 'coordination-set-back',
      stepMeanMs: between(setBack, SET_BACK_STEP_MS),
    } as const;
    return { rates: drawRates(setBack, BESIDE_SET_BACK, { gapMs, lengthMs }), script };
  }
  const prng = root.fork('fault profile');
  if (prng.chance(SCRIPT_SHARE)) {
    const script = { name: prng.pick(FAULT_SCRIPTS), stepMeanMs: between(prng, lengthMs) };
    // What a disk has lost is mostly found by those that die and come back meanwhile.
    const isBeside = script.name === 'disk-loss' && prng.chance(0.5);
    const families = isBeside ? FAULT_FAMILIES : [];
    return { rates: drawRates(prng, families, { gapMs, lengthMs }), script };
  }
  return { rates: drawRates(prng, FAULT_FAMILIES, { gapMs, lengthMs }), script: undefined };
}

function drawRates(
  prng: Prng,
  families: readonly FaultFamily[],
  { gapMs, lengthMs }: FaultBounds,
): FaultProfile['rates'] {
  const rates: Partial<Record<FaultFamily, FaultRate>> = {};
  for (const family of families) {
    // Drawn for all, so that one that is in or not leaves the others as they were.
    const isIn = prng.chance(FAMILY_SHARE);
    const rate = { gapMeanMs: between(prng, gapMs), lengthMeanMs: between(prng, lengthMs) };
    if (isIn) rates[family] = rate;
  }
  return rates;
}

/** Each order of magnitude as likely as another. */
function between(prng: Prng, { least, most }: { least: number; most: number }): number {
  return least * (most / least) ** prng.fraction();
}
