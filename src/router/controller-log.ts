/** What the controller noticed, in the words an operator reads. */
import type { ControllerEvent } from '../control/controller-io.js';
import { nameShards } from '../control/shard-names.js';
import { unreachable } from '../model/assert.js';
import type { MemberId, ShardId } from '../model/ids.js';
import { shardZnode } from '../model/znodes.js';
import type { Log } from '../ports/log.js';

type ShardOutdated = Extract<ControllerEvent, { readonly type: 'shard-outdated' }>;

export function sayEvents(events: readonly ControllerEvent[], log: Log): void {
  for (const event of events) say(event, log);
  sayStranded(events, log);
}

function say(event: ControllerEvent, log: Log): void {
  switch (event.type) {
    case 'replica-lost':
      return log.error(
        `shard ${event.shard}: ${event.node} came back with another data directory, or an ` +
          'older copy of it; its data is on the old one. Start the node with its old directory. ' +
          "If that is gone, 'portolan recover --accept-loss' serves what others have of the shard",
      );
    case 'last-copy-damaged':
      return log.error(
        `shard ${event.shard}: the replica of ${event.node} is damaged, and no other in-sync ` +
          'replica can take its place: it is kept, and what is readable of it is served, unless ' +
          'another one in sync contradicts it. Bring the others back before it is restarted. If ' +
          "they are gone for good: 'portolan recover --accept-loss' serves a sound older copy " +
          'instead, if there is one; this node has to be ended for that',
        { problem: event.problem },
      );
    case 'no-successor':
      return; // Said of all such shards at once.
    case 'shard-missing':
      return log.error(
        `shard ${event.shard}: its znode ${shardZnode(event.shard)} is missing, and is not ` +
          "made anew: nodes may hold its data. 'portolan recover' asks them, and writes it",
      );
    case 'no-epoch-left':
      return log.error(
        `shard ${event.shard}: no higher epoch is left, so nothing of it is changed any more. ` +
          'Nobody counted up to that: look at its znode, and what its nodes have promised',
      );
    case 'shard-garbled':
      return; // Said in detail when it was read.
    case 'shard-outdated':
      return log.error(
        `shard ${event.shard}: ZooKeeper was set back: ${shardZnode(event.shard)} knows ` +
          `${whatIsOutdated(event)}. It is left as it is, and whoever serves the shard serves ` +
          "on: 'portolan recover' settles what it should be",
      );
    case 'shard-restored':
      return log.info(`shard ${event.shard}: its znode is well again`);
    default:
      return unreachable(event);
  }
}

function whatIsOutdated({ epoch, promised }: ShardOutdated): string {
  if (promised > epoch) return `epoch ${epoch}, and a replica has promised ${promised}`;
  return 'it as one that is being created, and it has served';
}

/** One line per node that died, however many shards it served. */
function sayStranded(events: readonly ControllerEvent[], log: Log): void {
  const shards = new Map<MemberId, ShardId[]>();
  for (const event of events) {
    if (event.type !== 'no-successor') continue;
    shards.set(event.primary, [...(shards.get(event.primary) ?? []), event.shard]);
  }
  for (const [primary, stranded] of shards) {
    const what = `${nameShards(stranded)}: primary ${primary} is away`;
    const gone = "if it is gone for good, see 'portolan recover --accept-loss'";
    log.warn(`${what}, and no other in-sync replica can take over; ${gone}`);
  }
}
