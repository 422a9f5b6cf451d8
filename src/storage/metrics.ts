/** What a storage node counts: plain numbers for whoever exposes them. All but gauges only grow. */
import { CallMetrics } from '../model/call-metrics.js';

export class StorageMetrics {
  readonly calls = new CallMetrics();
  /** Rounds that wrote something, and the calls that went into them. */
  rounds = 0;
  roundCalls = 0;
  /** Seconds spent waiting for batches to be durable, and the longest one. */
  fsyncSeconds = 0;
  fsyncSecondsMax = 0;
  /** What happened to the replicas of this node, by event. */
  readonly replicaEvents = new Map<string, number>();
  /** Gauges: calls held now, and the bytes of their requests. */
  queuedCalls = 0;
  queuedBytes = 0;
  /** Gauge: bytes free on the file system of the data directory, as last looked. */
  diskFreeBytes = 0;

  countEvent(event: string): void {
    this.replicaEvents.set(event, (this.replicaEvents.get(event) ?? 0) + 1);
  }

  countRound(calls: number, seconds: number): void {
    this.rounds++;
    this.roundCalls += calls;
    this.fsyncSeconds += seconds;
    this.fsyncSecondsMax = Math.max(this.fsyncSecondsMax, seconds);
  }
}
