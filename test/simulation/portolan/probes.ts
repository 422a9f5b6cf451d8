/**
 * Situations that a run has to get into now and then, or it tests less than it seems to: each is
 * counted ("sometimes" assertions, as Antithesis and FoundationDB have them). Where they come from:
 * the words of the log, the changes of the shard map, what nodes count, and looks at replicas.
 */
import type { LogFields } from '../../../src/ports/log.js';

const SEEN = [
  // The shard map, as map-watch.ts sees it.
  'primary handed over',
  'primary failed over',
  'primary got a new epoch',
  'isr shrunk',
  'isr expanded',
  'isr of one',
  'learner added',
  'shard changed by another leader',
  // Replicas, as safety-watch.ts sees them.
  'lease expired at a serving primary',
  'primary of an old epoch still there',
  'successor waits while the one before holds a lease',
  'node ended by a read that failed',
  'node ended by a write that failed',
  // Rot, as rot-watch.ts sees it.
  'rotten state set aside',
  'rotten log set aside',
  'rotten data set aside',
  'damaged replica learnt again',
  'last copy repaired by its operator',
  // ZooKeeper that was set back, as operator.ts sees it.
  'cluster recovered by its operator',
  'shard recovered by its operator',
  // ZooKeeper, as it counts itself.
  'client refused by a ZooKeeper server that knew less',
  'leader of ZooKeeper lost',
  'write of a deposed leader refused by its fence',
  // Answers of clients.
  'write with an unknown outcome',
  'condition that did not hold',
] as const;

/** By the refusals that nodes count. */
const REFUSED = {
  STALE_EPOCH: 'stale epoch refused',
  NOT_PRIMARY: 'asked somebody who is not primary',
  NODE_BEHIND: 'node behind the caller',
  PRIMARY_LOST: 'write under way when the primary changed',
  DISK_FULL: 'put refused for a full disk',
} as const;

type Said = readonly [name: string, message: RegExp, field?: readonly [name: string, is: string]];

/** By what members say. */
const SAID: readonly Said[] = [
  ['caught up from the log', /^peer-follows$/],
  ['learned by snapshot', /^peer-needs-install$/],
  ['divergent suffix truncated', /^truncated$/],
  ['primary overtaken by a later epoch', /^overtaken$/],
  ['directory opened after a clean stop', /left clean$/],
  ['unclean restart of a process', /unclean stop$/, ['lastStop', 'process-crash']],
  ['unclean restart of a system', /unclean stop$/, ['lastStop', 'system-crash']],
  ['leader elected', /^following leader /],
  ['map write without a clear answer', /shard map: not written/],
  ['node suspected', /is suspected: /],
  ['node heard again', /is heard again$/],
  ['hand-over refused', /does not hand over$/],
  ['disk full noticed', /the disk is full/],
  ['primary away without a successor', /no other in-sync replica/],
  ['leader turned away', /turned a leader away/],
  ['sleep of a system noticed', /this system slept/],
  ['long pause of a process noticed', /did not run for a while/],
  ['damage found by a reader', /a replica is damaged: it has to be learnt anew/],
  ['damage found by an opening', /a replica is damaged and not used/],
  ['ZooKeeper found to be set back', /: ZooKeeper was set back: /],
  ['shard set back within its epoch', /^shard map: .*set-back/],
  ['last copy damaged', /is damaged, and no other in-sync replica/],
];

export type SeenProbe = (typeof SEEN)[number];

export const PROBES: readonly string[] = [
  ...SEEN,
  ...Object.values(REFUSED),
  ...SAID.map(([name]) => name),
];

/**
 * Counted, but nobody waits for it: last copies that are damaged are mostly not the last for long,
 * others catch up from their logs.
 */
const RARE: readonly string[] = ['last copy repaired by its operator'];

/** Situations of which none came up, although each should have. */
export function missingOf(counts: Readonly<Partial<Record<string, number>>>): readonly string[] {
  return PROBES.filter((name) => (counts[name] ?? 0) === 0 && !RARE.includes(name));
}

export class Probes {
  readonly counts = new Map<string, number>();

  hit(probe: SeenProbe, times = 1): void {
    if (times > 0) this.#count(probe, times);
  }

  /** A node refused so many calls for this reason. */
  refused(code: string, times: number): void {
    const probe = (REFUSED as Readonly<Partial<Record<string, string>>>)[code];
    if (probe !== undefined && times > 0) this.#count(probe, times);
  }

  readonly said = (_who: string, message: string, fields: LogFields): void => {
    for (const [name, pattern, field] of SAID) {
      if (!pattern.test(message)) continue;
      if (field === undefined || fields[field[0]] === field[1]) this.#count(name, 1);
    }
  };

  #count(name: string, times: number): void {
    this.counts.set(name, (this.counts.get(name) ?? 0) + times);
  }
}
