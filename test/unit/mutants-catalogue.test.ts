/** The planted bugs of `test/mutants` still fit the sources, and their table is that of the results. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { CATALOGUE } from '../mutants/catalogue.js';
import { filesOf, type Mutant, mutated } from '../mutants/mutant.js';
import { medianOf, readmeOf, readReadme, readResults } from '../mutants/results.js';
import { shuffled, startsOf } from '../mutants/sample.js';

const pathOf = (file: string) => fileURLToPath(new URL(`../../${file}`, import.meta.url));
const textOf = (file: string) => readFileSync(pathOf(file), 'utf8');
const MUTANTS_LEAST = 36;
/** As the plan of the tests has it. */
const SEEDS_MAX = 20_000;

function problemsOf(mutant: Mutant): readonly string[] {
  return filesOf(mutant).flatMap((file) => {
    try {
      const { diagnostics = [] } = ts.transpileModule(mutated(textOf(file), file, mutant), {
        reportDiagnostics: true,
        compilerOptions: { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.ESNext },
      });
      return diagnostics.map(({ messageText }) =>
        ts.flattenDiagnosticMessageText(messageText, ' '),
      );
    } catch (error) {
      return [(error as Error).message];
    }
  });
}

describe('the catalogue of planted bugs', () => {
  it('every one changes a place of the sources that is there exactly once, into TypeScript', () => {
    const problems = CATALOGUE.map((mutant) => [mutant.id, ...problemsOf(mutant)]);
    expect(problems.filter(([, ...found]) => found.length > 0)).toEqual([]);
    expect(CATALOGUE.every(({ edits }) => edits.every(({ from, to }) => from !== to))).toBe(true);
    expect(CATALOGUE.every(({ edits }) => edits.length > 0)).toBe(true);
  });

  it('each has a name, promises of src/README.md that it breaks, and tests that are there', () => {
    const promises = new Set(textOf('src/README.md').match(/^\| [SL]\d+ (?=\|)/gm));
    expect(new Set(CATALOGUE.map(({ id }) => id)).size).toBe(CATALOGUE.length);
    for (const { id, breaks, tests } of CATALOGUE) {
      const unknown = breaks.filter((name) => !promises.has(`| ${name} `));
      const missing = tests.filter((file) => !existsSync(pathOf(file)));
      expect({ id, unknown, missing }).toEqual({ id, unknown: [], missing: [] });
      expect(breaks.length * tests.length, id).toBeGreaterThan(0);
    }
  });

  it('what no place in the file fits is an error, and so is what fits two', () => {
    const { edits, ...rest } = CATALOGUE[0]!;
    const { file, from } = edits[0]!;
    const mutant = { ...rest, edits: [{ file, from, to: '' }] };
    expect(() => mutated('nothing', file, mutant)).toThrow('found 0 times');
    expect(() => mutated(`${from}${from}`, file, mutant)).toThrow('found 2 times');
    expect(mutated(`a ${from} b`, file, mutant)).toBe('a  b');
  });
});

describe('the results', () => {
  const results = readResults();

  it('hold planted bugs, each caught, none after more seeds than the plan allows', () => {
    const known = CATALOGUE.map(({ id }) => id).filter((id) => results[id] !== undefined);
    expect(known.length).toBeGreaterThanOrEqual(MUTANTS_LEAST);
    expect(Object.keys(results)).toEqual(known);
    const missed = Object.values(results).filter(({ by }) => by === 'nobody');
    expect(missed.map(({ id }) => id)).toEqual([]);
    const slow = Object.values(results).filter(({ seeds }) => seeds.some((n) => n > SEEDS_MAX));
    expect(slow.map(({ id }) => id)).toEqual([]);
  });

  it('are what the README shows', () => {
    expect(readReadme()).toBe(readmeOf(readReadme(), results));
  });

  it('medians are of an ordered list', () => {
    expect(medianOf([30, 4, 5])).toBe(5);
  });

  it('samples and starts follow from their seed', () => {
    expect(shuffled([1, 2, 3, 4, 5, 6], 7)).toEqual(shuffled([1, 2, 3, 4, 5, 6], 7));
    expect([...shuffled([1, 2, 3], 8)].sort()).toEqual([1, 2, 3]);
    expect(startsOf(7, 5)).toEqual(startsOf(7, 5));
    expect(new Set(startsOf(7, 5)).size).toBe(5);
    expect(startsOf(7, 5)).not.toEqual(startsOf(8, 5));
  });
});
