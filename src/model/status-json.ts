/**
 * A cluster's status as the contract has it: what `portolan status --json` and the admin port's
 * `/status` print. What is absent is null there. Fields may be added, never renamed.
 */
import type { ClusterStatus } from './status.js';

export function statusJson(status: ClusterStatus): object {
  const candidates = status.candidates.map((candidate) => {
    return { ...candidate, watches: candidate.watches ?? null };
  });
  const nodes = status.nodes.map((node) => ({ ...node, downForMs: node.downForMs ?? null }));
  return { ...status, leader: status.leader ?? null, candidates, nodes };
}
