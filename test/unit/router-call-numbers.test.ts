/** Numbers of open calls against the obvious model: a map, and a list of numbers not to be used. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CallNumbers } from '../../src/router/call-numbers.js';

interface Call {
  readonly name: number;
}

it('whatever comes and goes: an answer ends the call that was sent, and no other', () => {
  const steps = fc.array(fc.tuple(fc.constantFrom('add', 'forget', 'end', 'endAll'), fc.nat(20)), {
    maxLength: 200,
  });
  fc.assert(
    fc.property(steps, (run) => {
      const numbers = new CallNumbers<Call>();
      const open = new Map<number, Call>();
      const forgotten = new Set<number>();
      for (const [name, [step, pick]] of run.entries()) {
        const number = [...open.keys(), ...forgotten][pick] ?? pick;
        if (step === 'add') {
          const call = { name };
          const given = numbers.add(call);
          expect(open.has(given) || forgotten.has(given)).toBe(false);
          open.set(given, call);
        } else if (step === 'forget' && open.has(number)) {
          numbers.forget(number);
          open.delete(number);
          forgotten.add(number);
        } else if (step === 'end') {
          expect(numbers.end(number)).toBe(open.get(number));
          open.delete(number);
          forgotten.delete(number);
        } else if (step === 'endAll') {
          expect(new Set(numbers.endAll())).toEqual(new Set(open.values()));
          open.clear();
          forgotten.clear();
        }
        expect(numbers.size).toBe(open.size);
      }
    }),
  );
});

describe('numbers', () => {
  it('that nobody gave away, or that were answered, mean nothing', () => {
    const numbers = new CallNumbers<Call>();
    const call = { name: 1 };
    const number = numbers.add(call);
    expect(numbers.end(number + 1)).toBeUndefined();
    expect(numbers.end(number)).toBe(call);
    expect(numbers.end(number)).toBeUndefined();
  });

  it('S21 a second answer, or one to a call that was forgotten, is none to the call after it', () => {
    const numbers = new CallNumbers<Call>();
    const first = numbers.add({ name: 1 });
    numbers.end(first);
    const second = numbers.add({ name: 2 });
    expect(numbers.end(first)).toBeUndefined();
    numbers.forget(second);
    const third = numbers.add({ name: 3 });
    expect(numbers.end(second)).toBeUndefined();
    expect(numbers.end(second)).toBeUndefined();
    expect(numbers.end(third)).toEqual({ name: 3 });
  });

  it('of calls that were forgotten are not given away, however often others are', () => {
    const numbers = new CallNumbers<Call>();
    const forgotten = numbers.add({ name: 0 });
    numbers.forget(forgotten);
    for (let name = 1; name < 20_000; name++) {
      const number = numbers.add({ name });
      expect(number).not.toBe(forgotten);
      numbers.end(number);
    }
    expect(numbers.end(forgotten)).toBeUndefined();
  });

  it('fit into 31 bits, however often they are used', () => {
    const numbers = new CallNumbers<Call>();
    const given = new Set<number>();
    for (let name = 0; name < 10_000; name++) {
      const number = numbers.add({ name });
      given.add(number);
      expect(numbers.end(number)).toEqual({ name });
    }
    expect(Math.min(...given)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...given)).toBeLessThan(2 ** 31);
    expect(given.size).toBe(8_192);
  });
});
