/** What a router counts; the admin port reads it. Plain numbers, no library. */
import type { Why } from '../control/draft.js';
import { CallMetrics } from '../model/call-metrics.js';

export class RouterCounters {
  readonly calls = new CallMetrics();
  /** Requests sent to a node again. */
  retries = 0;
  /** Calls held at this moment, and bytes of their requests. */
  heldCalls = 0;
  heldBytes = 0;
  /** Of the calls held: those that wait for the map or for a pause to pass. */
  waitingCalls = 0;
  isLeading = false;
  /** How often this router began to lead. */
  leaderships = 0;
  /** Changes of shards that it made as leader, by reason. */
  readonly changes = new Map<Why, number>();

  countChanges(reasons: readonly Why[]): void {
    for (const why of reasons) this.changes.set(why, (this.changes.get(why) ?? 0) + 1);
  }
}
