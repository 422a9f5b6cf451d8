/**
 * How long writes of a shard waited while it was handed over, as its members' logs have it: from
 * the moment at which its primary takes no more of them until its successor serves, or until the
 * primary gives up and goes on. The members run on one machine, so their clocks are one.
 */

export interface WritePause {
  readonly shard: number;
  readonly tookMs: number;
  /** The primary went on instead of a successor. */
  readonly isGivenUp: boolean;
}

/** The lines of a log that matter here. */
interface Line {
  readonly time: string;
  readonly msg: string;
  readonly shard: number;
  readonly epoch: number;
}

const MATTERS = /"msg":"(?:hand-over-begun|hand-over-given-up|serving)"/;

export class WritePauses {
  /** By shard: when its primary stopped taking writes, and in which epoch. */
  readonly #begun = new Map<number, Line>();
  #ended: WritePause[] = [];

  /** A line of the log of any member, as JSON. */
  hear(text: string): void {
    if (!MATTERS.test(text)) return;
    const line = JSON.parse(text) as Line;
    if (line.msg === 'hand-over-begun') this.#begun.set(line.shard, line);
    else this.#end(line);
  }

  /** Those that ended since this was asked last. */
  take(): readonly WritePause[] {
    const ended = this.#ended;
    this.#ended = [];
    return ended;
  }

  #end({ time, msg, shard, epoch }: Line): void {
    const begun = this.#begun.get(shard);
    const isGivenUp = msg === 'hand-over-given-up';
    // The lines of two processes may come in any order: its own beginning to serve ends no pause.
    if (begun === undefined || epoch < begun.epoch + (isGivenUp ? 0 : 1)) return;
    this.#begun.delete(shard);
    this.#ended.push({ shard, tookMs: Date.parse(time) - Date.parse(begun.time), isGivenUp });
  }
}
