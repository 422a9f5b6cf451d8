/** Whole runs of a toy cluster under faults: a seed decides everything, and every fault happens. */
import { describe, expect, it } from 'vitest';
import {
  drawProfile,
  FAULT_FAMILIES,
  FAULT_SCRIPTS,
  type FaultFamily,
  type FaultProfile,
} from '../simulation/fault-profile.js';
import { Nemesis } from '../simulation/nemesis.js';
import { Prng } from '../simulation/prng.js';
import { Simulation } from '../simulation/simulation.js';
import { Trace } from '../simulation/trace.js';
import { ToyCluster, toyLimits } from '../support/toy-cluster.js';

const SEEDS = 200;
const BOUNDS = { gapMs: { least: 10, most: 200 }, lengthMs: { least: 5, most: 100 } };
/** Shorter than the real ones, as the runs are. */
const SETTINGS = { connectMs: 30, patienceMs: { dialed: 70, served: 150 } };
const FAULTS_MS = 120;
const END_MS = 220;
const EVENTS_MAX = 50_000;

interface Run {
  readonly profile?: FaultProfile;
  readonly linesMax?: number;
}

async function runSeed(seed: number, { profile, linesMax = 0 }: Run = {}) {
  const trace = new Trace(linesMax);
  const simulation = new Simulation(seed, trace);
  const { prng } = simulation;
  const cluster = new ToyCluster(simulation, 3, SETTINGS);
  const nemesis = new Nemesis(simulation, cluster, {
    profile: profile ?? drawProfile(prng, BOUNDS),
    limits: toyLimits(prng.fork('limits')),
  });
  nemesis.start();
  const faulty = await simulation.run({ untilMs: FAULTS_MS, eventsMax: EVENTS_MAX });
  cluster.assertDurable();
  nemesis.heal();
  const sent = cluster.sent;
  const healed = await simulation.run({ untilMs: END_MS, eventsMax: EVENTS_MAX });
  cluster.assertDurable();
  expect([faulty.reason, healed.reason]).toEqual(['time', 'time']);
  return { hash: trace.hash, trace, cluster, nemesis, sentHealed: cluster.sent - sent };
}

describe('a seed', () => {
  it(`gives the same trace twice, and no two of ${SEEDS} give the same`, async () => {
    const hashes = new Set<number>();
    const counts = new Map<string, number>();
    for (let seed = 0; seed < SEEDS; seed++) {
      const { hash, nemesis, sentHealed } = await runSeed(seed);
      expect((await runSeed(seed)).hash, `seed ${seed}`).toBe(hash);
      hashes.add(hash);
      for (const [name, count] of nemesis.counts) counts.set(name, (counts.get(name) ?? 0) + count);
      expect(sentHealed, `seed ${seed} recovers`).toBeGreaterThan(10);
    }
    expect(hashes.size).toBe(SEEDS);
    // All but rot, which this toy does not survive, and those of what it does not have.
    const isOfToy = (family: FaultFamily) =>
      !/^(?:rot|stop|coordination.*|session.*)$/.test(family);
    const scripts = FAULT_SCRIPTS.filter((script) => script !== 'grantor-restart');
    const expected = [...FAULT_FAMILIES.filter(isOfToy), ...scripts];
    expect([...counts.keys()].sort()).toEqual(expected.sort());
  });

  it('gives the same trace whether its lines are kept or not', async () => {
    const { hash, trace } = await runSeed(3, { linesMax: 1_000 });
    expect((await runSeed(3)).hash).toBe(hash);
    expect(trace.lines.length).toBeGreaterThan(10);
    expect(trace.lines.some((line) => line.includes('nemesis heals'))).toBe(true);
  });
});

describe('the nemesis', () => {
  const only = (family: (typeof FAULT_FAMILIES)[number]): FaultProfile => ({
    rates: { [family]: { gapMeanMs: 20, lengthMeanMs: 20 } },
    script: undefined,
  });

  it('lets rot what may, and nothing where nobody says so', async () => {
    const profile = only('rot');
    for (let seed = 0; seed < 10; seed++) {
      const { nemesis } = await runSeed(seed, { profile });
      expect(nemesis.counts.get('rot')).toBeUndefined();
    }
    const simulation = new Simulation(1);
    const cluster = new ToyCluster(simulation, 3, SETTINGS);
    const asked = { n0: 0, n1: 0, n2: 0 };
    let undone = 0;
    const rot = (name: string) => {
      asked[name as keyof typeof asked]++;
      if (name !== 'n1') return undefined;
      return { detail: name, undo: () => void undone++ };
    };
    const nemesis = new Nemesis(simulation, cluster, { profile, limits: { driftMax: 0, rot } });
    nemesis.start();
    await simulation.run({ untilMs: 1_000, eventsMax: EVENTS_MAX });
    nemesis.heal();
    expect(Math.min(...Object.values(asked))).toBeGreaterThan(5);
    expect([nemesis.counts.get('rot'), undone]).toEqual([asked.n1, asked.n1]);
  });

  it('takes nobody down who may not go', async () => {
    const simulation = new Simulation(1);
    const cluster = new ToyCluster(simulation, 3, SETTINGS);
    const nemesis = new Nemesis(simulation, cluster, {
      profile: only('kill'),
      limits: { driftMax: 0, mayGoDown: (_, down) => down.length === 0 },
    });
    const dead: number[] = [];
    const look = () => {
      dead.push(cluster.members.filter(({ name }) => cluster.processOf(name).isDead).length);
      simulation.after(1, look);
    };
    look();
    nemesis.start();
    await simulation.run({ untilMs: 500, eventsMax: EVENTS_MAX });
    expect(Math.max(...dead)).toBe(1);
  });

  it('leaves nothing broken behind', async () => {
    for (let seed = 0; seed < 20; seed++) {
      const { cluster } = await runSeed(seed);
      for (const { name } of cluster.members) {
        const { isDead, isPaused, clock } = cluster.processOf(name);
        const { writeFault, slowness, readFault } = cluster.diskOf(name);
        expect({ isDead, isPaused, rate: clock.rate, writeFault, slowness, readFault }).toEqual({
          ...{ isDead: false, isPaused: false, rate: 1 },
          ...{ writeFault: undefined, slowness: 1, readFault: undefined },
        });
      }
    }
  });
});

describe('a fault profile', () => {
  const profiles = Array.from({ length: 2_000 }, (_, seed) => drawProfile(Prng.of(seed), BOUNDS));

  it('sets the coordination service back in one seed of thirty, beside what hides nobody', () => {
    const setBack = profiles.filter(({ script }) => script?.name === 'coordination-set-back');
    expect(setBack.length).toBeGreaterThan(40);
    expect(setBack.length).toBeLessThan(80);
    const beside = new Set(setBack.flatMap(({ rates }) => Object.keys(rates)));
    expect([...beside].sort()).toEqual([
      ...['coordination-break', 'drift', 'reset', 'session-expiry', 'slow-disk'],
    ]);
  });

  it('is a script for one seed in ten, and otherwise half of the families, each at its own rate', () => {
    const others = profiles.filter(({ script }) => script?.name !== 'coordination-set-back');
    const scripted = others.filter(({ script }) => script !== undefined);
    expect(scripted.length).toBeGreaterThan(150);
    expect(scripted.length).toBeLessThan(250);
    const isAlone = ({ rates }: FaultProfile) => Object.keys(rates).length === 0;
    const isLoss = ({ script }: FaultProfile) => script?.name === 'disk-loss';
    expect(scripted.filter((profile) => !isLoss(profile)).every(isAlone)).toBe(true);
    const losses = scripted.filter(isLoss);
    expect(losses.some(isAlone)).toBe(true);
    expect(losses.every(isAlone), 'some beside other faults').toBe(false);
    for (const family of FAULT_FAMILIES) {
      const share = others.filter(({ rates }) => family in rates).length / others.length;
      expect(share).toBeGreaterThan(0.4);
      expect(share).toBeLessThan(0.5);
    }
    const gaps = others.flatMap(({ rates }) => Object.values(rates).map((rate) => rate.gapMeanMs));
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(BOUNDS.gapMs.least);
    expect(Math.max(...gaps)).toBeLessThan(BOUNDS.gapMs.most);
  });
});
