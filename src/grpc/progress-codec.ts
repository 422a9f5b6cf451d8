/**
 * How far learners are, what is damaged and what is outdated (`internal.proto`, ProgressReport),
 * between the protobuf form and the model's. An entry that does not parse is reported and left out;
 * the others still count.
 */
import { isCount, isEpoch, isMemberId, isUuid } from '../model/ids.js';
import { isShardId } from '../model/limits.js';
import {
  DAMAGED_TOLD_MAX,
  type DamagedNotice,
  LEARNERS_TOLD_MAX,
  type LearnerProgress,
  type LearningBy,
  OUTDATED_TOLD_MAX,
  type ProgressReport,
  type UsedEpoch,
} from '../model/member-messages.js';
import { garbled, type ReportGarbled } from './garbled.js';
import type { DamagedNotice__Output } from './generated/portolan/v1/DamagedNotice.js';
import type { LearnerProgress__Output } from './generated/portolan/v1/LearnerProgress.js';
import type { LearningBy__Output } from './generated/portolan/v1/LearningBy.js';
import type {
  ProgressReport as WireProgressReport,
  ProgressReport__Output,
} from './generated/portolan/v1/ProgressReport.js';
import type { UsedEpoch__Output } from './generated/portolan/v1/UsedEpoch.js';

const TO_WIRE: Readonly<Record<LearningBy, LearningBy__Output>> = {
  nothing: 'LEARNING_BY_NOTHING',
  log: 'LEARNING_BY_LOG',
  snapshot: 'LEARNING_BY_SNAPSHOT',
};

const FROM_WIRE = new Map(
  (Object.keys(TO_WIRE) as LearningBy[]).map((by) => [TO_WIRE[by] as string, by] as const),
);

export function toWireProgress({
  learners,
  damaged,
  outdated,
  used,
}: ProgressReport): WireProgressReport {
  return {
    learners: learners.map((learner) => ({ ...learner, by: TO_WIRE[learner.by] })),
    damaged: [...damaged],
    outdated: [...outdated],
    used: [...used],
  };
}

export function fromWireProgress(
  { learners, damaged, outdated, used }: ProgressReport__Output,
  report: ReportGarbled,
): ProgressReport {
  return {
    type: 'progress',
    learners: learners
      .slice(0, LEARNERS_TOLD_MAX)
      .map((learner) => fromWireLearner(learner, report))
      .filter((learner) => learner !== undefined),
    damaged: damaged
      .slice(0, DAMAGED_TOLD_MAX)
      .map((notice) => fromWireDamaged(notice, report))
      .filter((notice) => notice !== undefined),
    outdated: outdated.slice(0, OUTDATED_TOLD_MAX).filter(isShardId),
    used: used
      .slice(0, OUTDATED_TOLD_MAX)
      .map((one) => fromWireUsed(one, report))
      .filter((one) => one !== undefined),
  };
}

function fromWireUsed(
  { shardUuid, ...rest }: UsedEpoch__Output,
  report: ReportGarbled,
): UsedEpoch | undefined {
  const epoch = Number(rest.epoch);
  if (isUuid(shardUuid) && isEpoch(epoch)) return { shardUuid, epoch };
  return garbled(report, 'an epoch that was used, and does not parse');
}

function fromWireDamaged(
  { shard, node, problem }: DamagedNotice__Output,
  report: ReportGarbled,
): DamagedNotice | undefined {
  if (isShardId(shard) && isMemberId(node)) return { shard, node, problem };
  return garbled(report, 'news of a damaged replica that does not parse');
}

function fromWireLearner(
  { shard, node, ...learner }: LearnerProgress__Output,
  report: ReportGarbled,
): LearnerProgress | undefined {
  const by = FROM_WIRE.get(learner.by);
  const [epoch, done, total, forMs] = [
    learner.epoch,
    learner.done,
    learner.total,
    learner.forMs,
  ].map(Number);
  const areCounts = isEpoch(epoch) && isCount(done) && isCount(total) && isCount(forMs);
  if (!isShardId(shard) || !isMemberId(node) || by === undefined || !areCounts) {
    return garbled(report, 'the progress of a learner that does not parse');
  }
  return { shard, epoch, node, by, done, total, forMs };
}
