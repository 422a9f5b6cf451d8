/**
 * Who leads, by the ZooKeeper election recipe: every candidate holds an ephemeral sequential znode,
 * the lowest number leads, and each watches only the one before it, so that one death wakes one
 * candidate and not the herd (Hunt et al., "ZooKeeper: Wait-free coordination", USENIX ATC 2010,
 * §2.4).
 *
 * Pure. It decides from a list of candidates; it never concludes from "my predecessor is gone" that
 * it leads, because the predecessor may have left while one further ahead lives on. Being lowest is
 * not yet leading: the driver must also take the leaderEpoch (rule Z2).
 */
import { inElectionOrder } from '../model/election-order.js';

/** Where a candidate stands. */
export type Standing =
  /** Its znode is not among the candidates: it must join again. */
  | { readonly role: 'absent' }
  | { readonly role: 'lowest' }
  | { readonly role: 'follower'; readonly watches: string; readonly lowest: string };

/** The standing of the candidate named `own` among all names, in any order. */
export function standingOf(own: string, names: readonly string[]): Standing {
  const order = inElectionOrder(names);
  const position = order.indexOf(own);
  if (position < 0) return { role: 'absent' };
  const watches = order[position - 1];
  const lowest = order[0];
  if (watches === undefined || lowest === undefined) return { role: 'lowest' };
  return { role: 'follower', watches, lowest };
}
