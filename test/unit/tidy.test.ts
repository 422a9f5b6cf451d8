/** House rules that no other tool checks: each finding names its file and line. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** The formatter keeps code within 100; it does not break comments and texts, which may go over. */
const COLUMNS_MAX = { code: 100, withText: 120 };
const LINES = { median: 150, p90: 400, max: 600 };
/** Other words for what the glossary of src/README.md calls leaderEpoch, primary, leader, store. */
const BANNED_WORDS: ReadonlySet<string> = new Set(['ballot', 'master', 'slave', 'viewstamp']);

interface SourceFile {
  readonly path: string;
  readonly text: string;
  readonly lines: readonly string[];
}

function filesOf(folder: string, suffixes: readonly string[]): readonly SourceFile[] {
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && suffixes.some((suffix) => entry.name.endsWith(suffix)))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !/\/(?:generated|node_modules)\//.test(path))
    .map((path) => {
      const text = readFileSync(path, 'utf8');
      return { path: relative(ROOT, path), text, lines: text.trimEnd().split('\n') };
    });
}

const src = filesOf('src', ['.ts']);
const tests = filesOf('test', ['.ts']);
const all = [
  ...src,
  ...tests,
  ...['bench', '.tools', 'proto'].flatMap((folder) => {
    return filesOf(folder, ['.ts', '.mjs', '.cjs', '.js', '.proto']);
  }),
];
const readme = readFileSync(join(ROOT, 'src/README.md'), 'utf8');

function findLines(
  files: readonly SourceFile[],
  isBad: (line: string) => boolean,
): readonly string[] {
  return files.flatMap(({ path, lines }) => {
    return lines.flatMap((line, index) => {
      return isBad(line) ? [`${path}:${index + 1}: ${line.trim().slice(0, 80)}`] : [];
    });
  });
}

/** Code without its comments and its texts. */
function codeOf(text: string): string {
  return text
    .replaceAll(/\/\*[^]*?\*\//g, '')
    .replaceAll(/\/\/.*$/gm, '')
    .replaceAll(/'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`/g, "''");
}

/** More for a line that begins or goes on as a comment, or that has a text to show for it. */
function limitOf(line: string): number {
  const isComment = /^\s*(?:\/?\*|\/\/)/.test(line) || line.includes(' // ');
  return isComment || /['`].{20,}['`]/.test(line) ? COLUMNS_MAX.withText : COLUMNS_MAX.code;
}

/** `leaderEpochMax` is leader, epoch and max. */
function wordsOf(identifier: string): readonly string[] {
  return identifier
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/);
}

describe('tidy', () => {
  it('sees the code', () => {
    expect(src.length).toBeGreaterThan(80);
    expect(tests.length).toBeGreaterThan(20);
  });

  it(`no line of code is longer than ${COLUMNS_MAX.code} columns`, () => {
    const code = all.filter(({ path }) => path.endsWith('.ts'));
    expect(findLines(code, (line) => line.length > limitOf(line))).toEqual([]);
  });

  it('files are small', () => {
    const sizes = src.map(({ lines }) => lines.length).sort((a, b) => a - b);
    const at = (share: number) => sizes[Math.floor(sizes.length * share)]!;
    expect(at(0.5)).toBeLessThanOrEqual(LINES.median);
    expect(at(0.9)).toBeLessThanOrEqual(LINES.p90);
    const large = src.filter(({ lines }) => lines.length > LINES.max).map(({ path }) => path);
    expect(large).toEqual([]);
  });

  it('every file begins with what it is for', () => {
    const support = tests.filter(({ path }) => path.startsWith('test/support/'));
    const without = [...src, ...support].filter(({ text }) => {
      return !/^(?:#!.*\n)?(?:import [^;]+;\n+|export [^;]+from[^;]+;\n)*\/\*\*/.test(text);
    });
    expect(without.map(({ path }) => path)).toEqual([]);
  });

  it('what is left to do has an issue', () => {
    const open = new RegExp(`\\b(?:${['TODO', 'FIXME', 'XXX'].join('|')})\\b(?!\\(#\\d+\\))`);
    expect(findLines(all, (line) => open.test(line) && !line.includes("'TODO'"))).toEqual([]);
  });

  it('one meaning has one word', () => {
    const found = src.flatMap(({ path, text }) => {
      const identifiers = new Set(codeOf(text).match(/[A-Za-z_$][\w$]*/g));
      return [...identifiers]
        .filter((identifier) => wordsOf(identifier).some((word) => BANNED_WORDS.has(word)))
        .map((identifier) => `${path}: ${identifier}`);
    });
    expect(found).toEqual([]);
  });

  it('every {@link} leads somewhere', () => {
    const code = all.map(({ text }) => codeOf(text)).join('\n');
    const names = new Set(code.match(/[A-Za-z_$][\w$]*/g));
    const broken = all.flatMap(({ path, text }) => {
      return [...text.matchAll(/\{@link ([\w$.#]+)\}/g)]
        .filter(([, target = '']) => !target.split(/[.#]/).every((name) => names.has(name)))
        .map(([link]) => `${path}: ${link}`);
    });
    expect(broken).toEqual([]);
  });

  it('every invariant of src/README.md is named where it is kept, and by a test', () => {
    const invariants = [...readme.matchAll(/^\| (S\d+) \|/gm)].map(([, name]) => name!);
    expect(invariants.length).toBeGreaterThan(5);
    const untraced = invariants.flatMap((name) => {
      const mentions = new RegExp(`\\b${name}\\b`);
      const isNamed = (files: readonly SourceFile[]) => {
        return files.some(({ text }) => mentions.test(text));
      };
      return [
        ...(isNamed(src) ? [] : [`${name}: not in src`]),
        ...(isNamed(tests) ? [] : [`${name}: not in test`]),
      ];
    });
    expect(untraced).toEqual([]);
  });

  it('every folder of src is in src/README.md', () => {
    const folders = new Set(src.map(({ path }) => path.split('/')[1]!));
    const missing = [...folders].filter((folder) => !readme.includes(`\`${folder}/\``));
    expect(missing).toEqual([]);
  });
});
