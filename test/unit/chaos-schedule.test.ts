/** What `npm run chaos` does is decided by the seed, and is what it says it is. */
import { describe, expect, it } from 'vitest';
import { Keys } from '../chaos/keys.js';
import { parseOptions } from '../chaos/options.js';
import { FAMILIES, type Fault, KINDS, scheduleOf } from '../chaos/schedule.js';
import { decodeValue, encodeValue } from '../chaos/values.js';
import { Prng } from '../simulation/prng.js';

const SHAPE = { routers: 3, storage: 3, zooKeeper: 3, storms: 5 };
const SEEDS = 500;

/** Faults at the moment at which most are there. */
function together(faults: readonly Fault[]): readonly Fault[] {
  const moments = faults.map(({ fromMs }) => {
    return faults.filter((fault) => fault.fromMs <= fromMs && fromMs < fault.toMs);
  });
  return moments.reduce((most, each) => (each.length > most.length ? each : most));
}

describe('schedules', () => {
  it('the same seed is the same list of faults, another seed another', () => {
    const of = (seed: number) => scheduleOf({ ...SHAPE, seed, families: FAMILIES });
    expect(of(7)).toEqual(of(7));
    expect(of(7).storms).not.toEqual(of(8).storms);
  });

  it('in each storm three faults or more of two families or more overlap', () => {
    for (let seed = 0; seed < SEEDS; seed++) {
      for (const { faults } of scheduleOf({ ...SHAPE, seed, families: FAMILIES }).storms) {
        const most = together(faults);
        expect(most.length).toBeGreaterThanOrEqual(3);
        expect(new Set(most.map(({ family }) => family)).size).toBeGreaterThanOrEqual(2);
        for (const { fromMs, toMs } of faults) expect(toMs).toBeGreaterThan(fromMs);
      }
    }
  });

  it('every kind of fault comes up, and none of a family that was left out', () => {
    const kindsOf = (families: (typeof FAMILIES)[number][]) => {
      const seeds = Array.from({ length: SEEDS }, (_, seed) => seed);
      const storms = seeds.flatMap((seed) => scheduleOf({ ...SHAPE, seed, families }).storms);
      return new Set(storms.flatMap(({ faults }) => faults.map(({ kind }) => kind)));
    };
    expect([...kindsOf([...FAMILIES])].sort()).toEqual(
      [...new Set(Object.values(KINDS).flat())].sort(),
    );
    expect([...kindsOf(['kill', 'stop'])].sort()).toEqual([...KINDS.kill, ...KINDS.stop].sort());
  });

  it.each([
    [1, ['z1']],
    [3, ['z1', 'z2', 'z3']],
  ])('of %i ZooKeeper servers each is killed and paused', (zooKeeper, servers) => {
    const { storms } = scheduleOf({
      ...SHAPE,
      zooKeeper,
      storms: SEEDS,
      seed: 1,
      families: FAMILIES,
    });
    const faults = storms.flatMap((storm) => storm.faults);
    for (const kind of ['kill-zookeeper', 'pause-zookeeper']) {
      const targets = faults.filter((fault) => fault.kind === kind).map(({ target }) => target);
      expect([...new Set(targets)].sort()).toEqual(servers);
    }
  });
});

describe('the load', () => {
  it('a key is given up after some writes of unknown outcome, a hot one after some time too', () => {
    const keys = new Keys(Prng.of(1), 0);
    const uses = new Map<string, number>();
    for (let n = 0; n < 20_000; n++) {
      const key = keys.next(n);
      uses.set(key, (uses.get(key) ?? 0) + 1);
      keys.lost(key);
    }
    expect(Math.max(...uses.values())).toBeLessThanOrEqual(12);

    const untouched = new Keys(Prng.of(2), 0);
    const early = Array.from({ length: 500 }, () => untouched.next(0));
    const late = new Set(Array.from({ length: 500 }, () => untouched.next(60_000)));
    const hot = early.filter((key) => key.startsWith('hot'));
    expect(hot.length).toBeGreaterThan(100);
    expect(hot.some((key) => late.has(key))).toBe(false);
  });

  it('a value tells its name, and whether it arrived whole', () => {
    for (let n = 0; n < 100; n++) {
      const name = `key-1/${n}`;
      const value = encodeValue(name);
      expect(decodeValue(value)).toBe(name);
      expect(decodeValue(value.subarray(0, -1))).not.toBe(name);
      expect(decodeValue(Buffer.concat([value, Buffer.from('.')]))).not.toBe(name);
    }
  });
});

describe('npm run chaos', () => {
  it('runs five minutes, or as many schedules or minutes as it is told', () => {
    expect(parseOptions([])).toMatchObject({ minutes: 5, schedules: Infinity, zooKeeper: 1 });
    expect(parseOptions(['--schedules', '2'])).toMatchObject({ minutes: undefined, schedules: 2 });
    expect(parseOptions(['--minutes', '3', '--seed', '9'])).toMatchObject({ minutes: 3, seed: 9 });
    const { faults, zooKeeper } = parseOptions(['--faults', 'pause,kill', '--zookeeper', '3']);
    expect([faults, zooKeeper]).toEqual([['kill', 'pause'], 3]);
  });
});
