/**
 * Whether the process that is registered for a node is the replica that a configuration counts on.
 *
 * Pure. Three things tell lives of a node apart: the incarnation (one registration), the process
 * (it registers anew in every ZooKeeper session and has lost nothing), and the ancestry of its data
 * directory (the processes that had it before). KIP-903 is the story of a member that
 * was taken back into the isr by its name alone although its disk was gone. Bug B8 is the same with
 * a disk that was set back: it has the right identity and not the data it acknowledged. It cannot
 * have the process that the configuration counts on in its ancestry, however often it is opened; a
 * number of openings, which is what brokers and databases mostly compare, it would reach.
 *
 * What this cannot see: an image of the disk taken during the very life that the configuration
 * counts on, started after that life. What it may deny: a disk that has had so many lives since
 * that the one counted on is not on record any more (`storage/store.ts`).
 */
import type { MemberId } from '../model/ids.js';
import type { Registration } from '../model/registrations.js';
import type { ReplicaPlace } from '../model/shard-config.js';

/** Nodes that are registered and not suspected, by id. */
export type AliveNodes = ReadonlyMap<MemberId, Registration>;

export type Life =
  /** Alive, in the life the configuration counts on. */
  | 'same'
  /** Alive in another life, with everything it had acknowledged. */
  | 'new'
  /** Alive without its data: another store, or its disk was set back or copied (S19). */
  | 'lost'
  /** Not registered, or suspected. */
  | 'away';

export function lifeOf(place: ReplicaPlace, alive: AliveNodes): Life {
  const node = alive.get(place.node);
  if (node === undefined) return 'away';
  if (node.store !== place.store) return 'lost';
  if (node.process === place.process) {
    return node.incarnation === place.incarnation ? 'same' : 'new';
  }
  return node.ancestry.includes(place.process) ? 'new' : 'lost';
}

/** The replica that a node has, or is to have, in its present life. */
export function placeOf(node: Registration): ReplicaPlace {
  const { id, store, incarnation, process } = node;
  return { node: id, store, incarnation, process };
}
