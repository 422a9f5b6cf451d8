/**
 * The planted bugs: those that are known to have been made in systems like this one, as far as what
 * they break exists here. What the tests make of each is in `README.md`.
 */
import { CONTROL_MUTANTS } from './control.js';
import { COORDINATION_MUTANTS, ROUTER_MUTANTS } from './coordination.js';
import { LEASE_MUTANTS } from './lease.js';
import { LIVES_MUTANTS } from './lives.js';
import type { Mutant } from './mutant.js';
import { PEERS_MUTANTS } from './peers.js';
import { PRIMARY_MUTANTS } from './primary.js';
import { RECOVERY_MUTANTS } from './recovery.js';
import { REPLICA_MUTANTS } from './replica.js';
import { SET_BACK_MUTANTS } from './set-back.js';
import { STORAGE_MUTANTS } from './storage.js';
import { TRUST_MUTANTS } from './trust.js';

export interface Area {
  readonly title: string;
  readonly mutants: readonly Mutant[];
}

export const AREAS: readonly Area[] = [
  { title: 'Leases', mutants: LEASE_MUTANTS },
  { title: 'A primary', mutants: PRIMARY_MUTANTS },
  { title: 'A primary and the other replicas', mutants: PEERS_MUTANTS },
  { title: 'A replica in any role', mutants: REPLICA_MUTANTS },
  { title: "The leader's decisions", mutants: CONTROL_MUTANTS },
  { title: 'A recovery', mutants: RECOVERY_MUTANTS },
  { title: 'A ZooKeeper that was set back', mutants: SET_BACK_MUTANTS },
  { title: 'When a leader trusts ZooKeeper', mutants: TRUST_MUTANTS },
  { title: 'ZooKeeper', mutants: COORDINATION_MUTANTS },
  { title: 'Routers', mutants: ROUTER_MUTANTS },
  { title: 'Disks and installs', mutants: STORAGE_MUTANTS },
  { title: 'The lives of a data directory', mutants: LIVES_MUTANTS },
];

export const CATALOGUE: readonly Mutant[] = AREAS.flatMap(({ mutants }) => mutants);
