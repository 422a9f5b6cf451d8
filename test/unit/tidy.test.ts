/** House rules that no other tool checks: each finding names its file and line. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** The formatter does not break the lines that hold the title of a test: those may go over. */
const COLUMNS_MAX = { src: 100, elsewhere: 120 };
const LINES = { median: 150, p90: 400, max: 600 };
/** Other words for what the glossary of src/README.md calls leaderEpoch, epoch, primary, leader. */
const BANNED_WORDS: ReadonlySet<string> = new Set([
  ...['term', 'terms', 'ballot', 'ballots', 'viewstamp'],
  ...['master', 'masters', 'slave', 'slaves'],
]);

interface SourceFile {
  readonly path: string;
  readonly text: string;
  readonly lines: readonly string[];
}

function filesOf(
  folder: string,
  suffixes: readonly string[],
  generatedToo = false,
): readonly SourceFile[] {
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && suffixes.some((suffix) => entry.name.endsWith(suffix)))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => generatedToo || !path.includes('/generated/'))
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

/** Titles of tests in this file, those of tables of cases and of generated tests included. */
function textsOf(text: string): readonly string[] {
  return text.match(/'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`/g) ?? [];
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

  it(`no line of src is longer than ${COLUMNS_MAX.src} columns`, () => {
    expect(findLines(src, (line) => line.length > COLUMNS_MAX.src)).toEqual([]);
    expect(findLines(all, (line) => line.length > COLUMNS_MAX.elsewhere)).toEqual([]);
  });

  it('files are small', () => {
    const sizes = src.map(({ lines }) => lines.length).sort((a, b) => a - b);
    const at = (share: number) => sizes[Math.floor(sizes.length * share)]!;
    expect(at(0.5)).toBeLessThanOrEqual(LINES.median);
    expect(at(0.9)).toBeLessThanOrEqual(LINES.p90);
    const large = all.filter(({ lines }) => lines.length > LINES.max).map(({ path }) => path);
    expect(large).toEqual([]);
  });

  it('every file begins with what it is for', () => {
    const support = tests.filter(({ path }) => /^test\/(?:support|simulation)\//.test(path));
    const without = [...src, ...support].filter(({ text }) => {
      return !/^(?:#!.*\n)?(?:import [^;]+;\n+|export [^;]+from[^;]+;\n)*\/\*\*/.test(text);
    });
    expect(without.map(({ path }) => path)).toEqual([]);
  });

  it('what is left to do has an issue', () => {
    const open = new RegExp(`\\b(?:${['TODO', 'FIXME', 'XXX'].join('|')})\\b(?!\\(#\\d+\\))`);
    expect(findLines(all, (line) => open.test(line) && !line.includes("'TODO'"))).toEqual([]);
  });

  it('one meaning has one word, in code and in comments', () => {
    const isBanned = (line: string) => {
      const names = line.match(/[A-Za-z_$][\w$]*/g) ?? [];
      return names.flatMap(wordsOf).some((word) => BANNED_WORDS.has(word));
    };
    expect(['const leaderTerm = 1;', '// the old master', 'MASTER_ID'].every(isBanned)).toBe(true);
    expect(["'SIGTERM'", '// determines', 'const remastered'].some(isBanned)).toBe(false);
    expect(findLines(src, isBanned)).toEqual([]);
  });

  it('no test is left out', () => {
    const leftOut =
      /\b(?:it|test|describe|suite)(?:\.\w+)*\.(?:skip|only|todo|skipIf|runIf|fails)\b/;
    expect(leftOut.test(['it', 'skip("x")'].join('.'))).toBe(true);
    expect(leftOut.test(['describe', 'each', 'only(x)'].join('.'))).toBe(true);
    expect(findLines(tests, (line) => leftOut.test(line))).toEqual([]);
    expect(findLines(tests, (line) => /\b(?:xit|xdescribe|fit|fdescribe)\(/.test(line))).toEqual(
      [],
    );
    expect(findLines(tests, (line) => /\bcontext\.skip\(|\bctx\.skip\(/.test(line))).toEqual([]);
  });

  it('every {@link} leads to a name of its own file, imports included', () => {
    const broken = all.flatMap(({ path, text }) => {
      const names = new Set(codeOf(text).match(/[A-Za-z_$#][\w$]*/g));
      const isName = (name: string) => names.has(name) || names.has(`#${name}`);
      return [...text.matchAll(/\{@link ([^}]*)\}/g)]
        .filter(([, target = '']) => !/^[\w$]/.test(target) || !isName(target.split('.')[0]!))
        .filter(([link]) => !link.includes('^')) // The expression above.
        .map(([link]) => `${path}: ${link}`);
    });
    expect(broken).toEqual([]);
  });

  const invariants = new Set([...readme.matchAll(/^\| (S\d+) \|/gm)].map(([, name]) => name!));
  const namedIn = (text: string) => text.match(/\bS\d+\b/g) ?? [];

  it('every invariant that src names is one of src/README.md', () => {
    const unknown = src.flatMap(({ path, text }) => {
      return namedIn(text)
        .filter((name) => !invariants.has(name))
        .map((name) => `${path}: ${name}`);
    });
    expect(unknown).toEqual([]);
  });

  it('every invariant of src/README.md is named where it is kept, and by a title of a test', () => {
    expect(invariants.size).toBeGreaterThan(5);
    const inSrc = new Set(src.flatMap(({ text }) => namedIn(text)));
    // This file is about names, not about invariants.
    const others = tests.filter(({ path }) => path !== 'test/unit/tidy.test.ts');
    const titles = others
      .flatMap(({ text }) => textsOf(text))
      .filter((text) => /^.S\d+ /.test(text));
    const inTitles = new Set(titles.flatMap(namedIn));
    expect({
      notInSrc: [...invariants].filter((name) => !inSrc.has(name)),
      notInTitles: [...invariants].filter((name) => !inTitles.has(name)),
    }).toEqual({ notInSrc: [], notInTitles: [] });
  });

  it('what users read is plain ASCII: only comments hold anything else', () => {
    const isComment = (line: string) => /^\s*(?:\/?\*|\/\/)/.test(line);
    expect(findLines(src, (line) => /[^ -~]/.test(line) && !isComment(line))).toEqual([]);
  });

  it('every dependency is one exact version (N19)', () => {
    const { dependencies, devDependencies } = JSON.parse(
      readFileSync(join(ROOT, 'package.json'), 'utf8'),
    ) as Record<string, Record<string, string>>;
    const versions = Object.entries({ ...dependencies, ...devDependencies });
    expect(versions.length).toBeGreaterThan(10);
    expect(versions.filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([]);
  });

  it('names no folder of the machine it was written or generated on', () => {
    const ours = ['src', 'test', 'bench', 'proto', '.tools'].flatMap((folder) => {
      return filesOf(folder, ['.ts', '.mjs', '.cjs', '.js', '.json', '.proto', '.md'], true);
    });
    const isHere = (line: string) =>
      line.includes(ROOT) || /(?:^|[\s'"`(])\/(?:home|Users)\//.test(line);
    expect(isHere(`// Original file: ${ROOT}proto`)).toBe(true);
    expect(findLines(ours, isHere)).toEqual([]);
  });

  it('every folder of src is in src/README.md', () => {
    const folders = new Set(src.map(({ path }) => path.split('/')[1]!));
    const missing = [...folders].filter((folder) => !readme.includes(`\`${folder}/\``));
    expect(missing).toEqual([]);
  });
});
