import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { standingOf } from '../../src/control/election.js';
import { inElectionOrder, sequenceOf } from '../../src/model/election-order.js';

const names = ['d1-c_0000000003', 'a9-c_0000000001', 'zz-c_0000000002'];

describe('election', () => {
  it('the lowest number leads, whatever guid stands before it', () => {
    expect(standingOf('a9-c_0000000001', names)).toEqual({ role: 'lowest' });
  });

  it('each other candidate watches exactly the one before it', () => {
    expect(standingOf('zz-c_0000000002', names)).toEqual({
      role: 'follower',
      watches: 'a9-c_0000000001',
      lowest: 'a9-c_0000000001',
    });
    expect(standingOf('d1-c_0000000003', names)).toEqual({
      role: 'follower',
      watches: 'zz-c_0000000002',
      lowest: 'a9-c_0000000001',
    });
  });

  it('a candidate whose predecessor left does not lead while one further ahead lives', () => {
    const left = names.filter((name) => !name.startsWith('zz'));
    expect(standingOf('d1-c_0000000003', left)).toMatchObject({ watches: 'a9-c_0000000001' });
  });

  it('a candidate whose znode is missing must join again', () => {
    expect(standingOf('b0-c_0000000009', names)).toEqual({ role: 'absent' });
  });

  it('names without a sequence number are ignored', () => {
    expect(inElectionOrder(['junk', 'x-c_12', ...names])).toEqual([
      'a9-c_0000000001',
      'zz-c_0000000002',
      'd1-c_0000000003',
    ]);
    expect(sequenceOf('x-c_0000000042')).toBe(42);
  });

  it('every set of candidates has one lowest, and a chain in which nobody is watched twice', () => {
    const sequences = fc.uniqueArray(fc.integer({ min: 0, max: 2_147_483_647 }), { minLength: 1 });
    fc.assert(
      fc.property(sequences, (numbers) => {
        const all = numbers.map((n, i) => `${i}-c_${String(n).padStart(10, '0')}`);
        const standings = all.map((name) => standingOf(name, all));
        const watched = standings.flatMap((s) => (s.role === 'follower' ? [s.watches] : []));
        expect(standings.filter((s) => s.role === 'lowest')).toHaveLength(1);
        expect(new Set(watched).size).toBe(all.length - 1);
      }),
    );
  });
});
