/** Planted bugs in what a data directory knows of the processes that had it. */
import type { Mutant } from './mutant.js';

export const LIVES_MUTANTS: readonly Mutant[] = [
  {
    id: 'life-unknown-to-its-directory',
    wrong: 'a node registers before its directory has on record that this process had it',
    breaks: ['S19'],
    edits: [
      {
        file: 'src/storage/node.ts',
        from: '    await this.#life.begin();\n',
        to: '    void this.#life.begin();\n',
      },
    ],
    tests: ['test/unit/storage-role.test.ts'],
  },
  {
    id: 'registered-without-ancestry',
    wrong: 'a registration does not say which processes had its directory before',
    breaks: ['L1'],
    edits: [
      {
        file: 'src/storage/main.ts',
        from: 'store: identity.store, process, ancestry };',
        to: 'store: identity.store, process, ancestry: ancestry.slice(0, 0) };',
      },
    ],
    tests: ['test/unit/storage-role.test.ts'],
  },
  {
    id: 'counted-lives-forgotten',
    wrong: 'a life that a configuration counts on is forgotten for later ones that none does',
    breaks: ['L1'],
    edits: [
      {
        file: 'src/storage/store.ts',
        from: 'const idle = early.findIndex(({ isCounted }) => !isCounted);',
        to: 'const idle = -1;',
      },
    ],
    tests: ['test/unit/storage-store.test.ts'],
  },
  {
    id: 'counted-by-nobody',
    wrong: 'a process does not notice that a configuration counts on it',
    breaks: ['L1'],
    edits: [
      {
        file: 'src/storage/own-life.ts',
        from: '    void record((batch) => store.writeCounted(batch));\n',
        to: '',
      },
    ],
    tests: ['test/unit/storage-own-life.test.ts'],
  },
  {
    id: 'life-recovered-before-it-began',
    wrong: 'recover is told of a process that its own directory may never hear of',
    breaks: ['S19'],
    edits: [
      {
        file: 'src/storage/own-life.ts',
        from: 'this.#isOnRecord ? [...store.ancestry, process] : store.ancestry',
        to: '[...store.ancestry, process]',
      },
    ],
    tests: ['test/unit/storage-inspection.test.ts'],
  },
  {
    id: 'latest-life-forgotten',
    wrong: 'a life that its leader counts on, and that has not heard so, is forgotten for the next',
    breaks: ['L1'],
    edits: [
      {
        file: 'src/storage/store.ts',
        from: 'const early = lives.slice(0, -LATEST_KEPT);',
        to: 'const early = lives.slice(0, LATEST_KEPT + lives.length);',
      },
    ],
    tests: ['test/unit/storage-store.test.ts'],
  },
];
