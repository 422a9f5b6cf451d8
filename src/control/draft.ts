/** The configuration a rule wants a shard to have next, and why. */
import type { Epoch } from '../model/ids.js';
import type { ShardConfig } from '../model/shard-config.js';

/** What the rules decide of a configuration; the controller and its driver add the rest. */
export type ShardDraft = Omit<ShardConfig, 'nonce' | 'shardUuid' | 'leaderEpoch'>;

/** Which rule of `controller.ts` it was, in words for the log. */
export type Why =
  | 'create'
  | 'activate'
  | 'place-anew'
  | 'new-life'
  | 'epoch-used'
  | 'set-back'
  | 'fail-over'
  | 'damaged'
  | 'shrink'
  | 'expand'
  | 'withdraw'
  | 'members-came-back'
  | 'hand-over'
  | 'add-learner'
  | 'replace-learner'
  | 'forget';

export interface Decision {
  readonly why: Why;
  readonly draft: ShardDraft;
}

/** One that nobody has used: of a shard with a higher promise nothing is decided (S1). */
export function nextEpoch({ epoch }: ShardConfig): Epoch {
  return (epoch + 1) as Epoch;
}

/** A stored configuration with what a rule changes of it. */
export function revised(config: ShardConfig, why: Why, change: Partial<ShardDraft>): Decision {
  const { shard, slots, state, epoch, primary, isr, learners, replicas, leaseReleased, pending } =
    config;
  const members = { primary, isr, learners, replicas };
  return {
    why,
    draft: { shard, slots, state, epoch, ...members, leaseReleased, pending, ...change },
  };
}
