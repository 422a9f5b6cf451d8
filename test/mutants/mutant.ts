/** A planted bug: the smallest change of `src` that breaks a promise. Nothing in `src` knows of it. */

export interface Edit {
  /** From the root of the repository. */
  readonly file: string;
  /** Occurs exactly once in it. */
  readonly from: string;
  readonly to: string;
}

export interface Mutant {
  readonly id: string;
  /** One sentence. */
  readonly wrong: string;
  /** Invariants of src/README.md that it breaks. */
  readonly breaks: readonly string[];
  readonly edits: readonly Edit[];
  /** Files of tests that must notice it if no seed does. */
  readonly tests: readonly string[];
}

/** The text of a file with the edits of a mutant. @throws Error if the catalogue is outdated. */
export function mutated(text: string, file: string, { id, edits }: Mutant): string {
  let now = text;
  for (const { from, to } of edits.filter((edit) => edit.file === file)) {
    const times = now.split(from).length - 1;
    if (times !== 1) throw new Error(`mutant ${id}: found ${times} times in ${file}: ${from}`);
    now = now.replace(from, () => to);
  }
  return now;
}

export function filesOf({ edits }: Mutant): readonly string[] {
  return [...new Set(edits.map(({ file }) => file))];
}

/** Whether replica groups that a seed moves run this code: replicas with the leader's rules. */
export function isInGroups(mutant: Mutant): boolean {
  return filesOf(mutant).some((file) => /^src\/(?:replication|control|model)\//.test(file));
}
