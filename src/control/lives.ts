/**
 * Whether the process that is registered for a node is the replica that a configuration counts on.
 *
 * Pure. Three things tell lives of a node apart: the incarnation (one registration), the process
 * (it registers anew in every ZooKeeper session and has lost nothing), and the generation (how
 * often the data directory was opened). KIP-903 is the story of a member that was taken back into
 * the isr by its name alone although its disk was gone. Bug B8 is the same with a disk that was set
 * back: it has the right identity and not the data it acknowledged, and its generation is one that
 * was used before.
 *
 * What this cannot see: an image of the disk taken during the very life that the configuration
 * counts on, started after that life. Its generation is the one the true disk would have had next.
 * Nor one that is opened again before a leader saw it: each opening makes it look younger.
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
  return node.generation > place.generation ? 'new' : 'lost';
}

/** The replica that a node has, or is to have, in its present life. */
export function placeOf(node: Registration): ReplicaPlace {
  const { id, store, incarnation, process, generation } = node;
  return { node: id, store, incarnation, process, generation };
}
