/** What becomes of the part of a peer's message that does not parse: it is named and left out. */

/** Told about each part of a message that does not parse. */
export type ReportGarbled = (problem: string) => void;

/** Reports it; the result stands for what could not be read. */
export function garbled(report: ReportGarbled, problem: string): undefined {
  report(problem);
  return undefined;
}
