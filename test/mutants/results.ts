/** What was found when the table was made: `results.json`, and the README.md that is made of it. */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { AREAS, CATALOGUE } from './catalogue.js';
import type { Finding } from './detect.js';

const RESULTS = fileURLToPath(new URL('results.json', import.meta.url));
const README = fileURLToPath(new URL('README.md', import.meta.url));
const BEGIN = '<!-- The rest is written by: npm run mutants -- --table -->';

export type Results = Readonly<Record<string, Finding>>;

export function readResults(): Results {
  return JSON.parse(readFileSync(RESULTS, 'utf8')) as Results;
}

export function readReadme(): string {
  return readFileSync(README, 'utf8');
}

/** In the order of the catalogue; findings of mutants that are there no more are dropped. */
export function writeResults(findings: readonly Finding[]): void {
  const all = { ...readResults() };
  for (const finding of findings) all[finding.id] = finding;
  const known = CATALOGUE.flatMap(({ id }) => (all[id] === undefined ? [] : [[id, all[id]]]));
  // Counts on one line, as the formatter has them.
  const text = JSON.stringify(Object.fromEntries(known), null, 2);
  writeFileSync(RESULTS, `${text.replaceAll(/\[\s+(\d[\d,\s]*?)\s+\]/g, oneLine)}\n`);
  writeFileSync(README, readmeOf(readReadme(), readResults()));
}

function oneLine(list: string): string {
  return list.replaceAll(/\s+/g, ' ').replace('[ ', '[').replace(' ]', ']');
}

/** The README with the tables of these results. */
export function readmeOf(before: string, results: Results): string {
  const [head = ''] = before.split(BEGIN);
  const lines = [head.trimEnd(), '', BEGIN, '', ...summary(results)];
  for (const { title, mutants } of AREAS) {
    lines.push(
      '',
      `### ${title}`,
      '',
      '| mutant | what is wrong | breaks | found by | median | least to most |',
    );
    lines.push('|---|---|---|---|---|---|');
    for (const { id, wrong, breaks } of mutants) {
      const [by, median, range] = columnsOf(results[id]);
      lines.push(
        `| ${id} | ${wrong.replaceAll('|', '\\|')} | ${breaks.join(', ')} | ${by} | ${median} | ${range} |`,
      );
    }
  }
  return `${lines.join('\n')}\n`;
}

export function medianOf(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((left, right) => left - right);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}

function summary(results: Results): readonly string[] {
  const found = Object.values(results);
  const bySeeds = found.filter(({ by }) => by === 'seeds');
  const byTests = found.filter(({ by }) => by === 'tests');
  const medians = bySeeds.map(({ seeds }) => medianOf(seeds));
  return [
    `${CATALOGUE.length} mutants, ${found.length} of them run: ${bySeeds.length} found by seeds, ` +
      `${byTests.length} by named tests, ${found.length - bySeeds.length - byTests.length} by nothing.`,
    `The median of the medians is ${medianOf(medians)} seeds, the highest ${Math.max(...medians)}; ` +
      `no start needed more than ${Math.max(...bySeeds.flatMap(({ seeds }) => seeds))}.`,
  ];
}

function columnsOf(finding: Finding | undefined): readonly [string, string, string] {
  if (finding === undefined) return ['(not run yet)', '', ''];
  if (finding.by === 'nobody') return ['nothing', '', ''];
  const { by, seeds, problem, failed, inVain } = finding;
  if (by === 'seeds') {
    const check = /\b[SL]\d+\b/.exec(problem)?.[0] ?? problem.split(/[:{]/)[0] ?? '';
    const range = `${Math.min(...seeds)} to ${Math.max(...seeds)}`;
    return [`seeds: ${check}`, `${medianOf(seeds)}`, range];
  }
  const files = [...new Set(failed.map(({ file }) => file.replace(/^test\//, '')))];
  const where = files.map((file) => {
    const count = failed.filter((test) => test.file.endsWith(file)).length;
    return `\`${file}\` (${count})`;
  });
  if (inVain === 0) return [where.join(', '), '', ''];
  const some = seeds.length === 0 ? 'none' : `${seeds.length} of the starts`;
  return [where.join(', '), `${some} in ${inVain}`, ''];
}
