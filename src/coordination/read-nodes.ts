/** Reading who is registered. What does not parse is named in the log and left out. */
import { type Incarnation, isMemberId } from '../model/ids.js';
import { BadRecordError } from '../model/records.js';
import { decodeNodeRecord, type Registration } from '../model/registrations.js';
import { nodeZnode } from '../model/znodes.js';
import type { CoordinatorSession } from '../ports/coordinator.js';
import type { ErrorLog } from './said-once.js';

/**
 * The registrations of these names; left out: vanished meanwhile, unreadable or not ours.
 * Undefined if ZooKeeper did not answer for one of them: nobody is taken for dead by a lost answer.
 */
export async function readNodes(
  session: CoordinatorSession,
  names: readonly string[],
  log: ErrorLog,
): Promise<readonly Registration[] | undefined> {
  const nodes: Registration[] = [];
  const ids = names.filter(isMemberId);
  const reads = await Promise.all(ids.map((id) => session.read(nodeZnode(id))));
  for (const [index, id] of ids.entries()) {
    const read = reads[index];
    if (read?.status !== 'ok') return undefined;
    if (read.value === undefined) continue;
    const { data, stat } = read.value;
    const record = unlessBad(log, () => decodeNodeRecord(id, data));
    if (record !== undefined) nodes.push({ ...record, incarnation: stat.czxid as Incarnation });
  }
  return nodes;
}

/** The record, or undefined after naming what is wrong with it. */
export function unlessBad<T>(log: ErrorLog, decode: () => T): T | undefined {
  try {
    return decode();
  } catch (error) {
    if (!(error instanceof BadRecordError)) throw error;
    log.error(error.message);
    return undefined;
  }
}
