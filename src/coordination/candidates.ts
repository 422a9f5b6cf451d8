/** Reading who stands for election: the names are the order, the records say where they listen. */
import { inElectionOrder } from '../model/election-order.js';
import { BadRecordError } from '../model/records.js';
import { type CandidateRecord, decodeCandidateRecord } from '../model/registrations.js';
import { candidateZnode } from '../model/znodes.js';
import type { CoordinatorSession } from '../ports/coordinator.js';

export interface Candidate {
  /** Name of its znode below `/election`. */
  readonly name: string;
  readonly record: CandidateRecord;
}

/** The candidates of these names in election order; left out: gone, unreadable or not ours. */
export async function readCandidates(
  session: CoordinatorSession,
  names: readonly string[],
): Promise<readonly Candidate[]> {
  const read = await Promise.all(
    inElectionOrder(names).map(async (name) => {
      const znode = await session.read(candidateZnode(name));
      if (znode.status !== 'ok' || znode.value === undefined) return undefined;
      return candidateOf(name, znode.value.data);
    }),
  );
  return read.filter((candidate) => candidate !== undefined);
}

/** Undefined: the znode is not one of ours. */
export function candidateOf(name: string, data: Buffer): Candidate | undefined {
  try {
    return { name, record: decodeCandidateRecord(name, data) };
  } catch (error) {
    if (error instanceof BadRecordError) return undefined;
    throw error;
  }
}
