/** How long a node that is asked to stop waits for others to take its place. */
import type { Clock } from '../ports/clock.js';

/** It waits as long as a shard moves that often. */
const STALLED_MS = 2_000;
/** And no longer than this: Docker, for one, kills after ten seconds. */
const LEAVE_MAX_MS = 8_000;

export interface LeavingNode {
  /** Resolves when others have taken its place; `moved`: in one more shard. */
  leave(moved: () => void): Promise<void>;
}

/** Whether others have taken its place in time. */
export function leaveInTime(node: LeavingNode, clock: Clock): Promise<boolean> {
  return new Promise((resolve) => {
    let isOver = false;
    const end = (isInTime: boolean) => {
      isOver = true;
      cancelAtLast();
      cancelStalled();
      resolve(isInTime);
    };
    const cancelAtLast = clock.after(LEAVE_MAX_MS, () => end(false));
    let cancelStalled = clock.after(STALLED_MS, () => end(false));
    const moved = () => {
      if (isOver) return;
      cancelStalled();
      cancelStalled = clock.after(STALLED_MS, () => end(false));
    };
    void node.leave(moved).then(() => end(true));
  });
}
