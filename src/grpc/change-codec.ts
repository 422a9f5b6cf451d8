/**
 * What storage nodes ask of the leader and tell it of shards (`internal.proto`, ChangeRequest and
 * the messages behind it), between the protobuf form and the model's. Checked here: one that does
 * not parse is reported and left out as a whole, because half a request is another request.
 */
import { type Incarnation, isCount, isEpoch, isMemberId, isUuid } from '../model/ids.js';
import { isShardId } from '../model/limits.js';
import type {
  ChangeRequest,
  HandOverFailed,
  MembershipChange,
  SteppedDown,
} from '../model/member-messages.js';
import { garbled, type ReportGarbled } from './garbled.js';
import type {
  ChangeRequest as WireChangeRequest,
  ChangeRequest__Output,
} from './generated/portolan/v1/ChangeRequest.js';
import type { HandOverFailed__Output } from './generated/portolan/v1/HandOverFailed.js';
import type {
  SteppedDown as WireSteppedDown,
  SteppedDown__Output,
} from './generated/portolan/v1/SteppedDown.js';

export function toWireChangeRequest(request: ChangeRequest): WireChangeRequest {
  const { change, ...about } = request;
  switch (change.type) {
    case 'shrink':
      return { ...about, shrink: { node: change.node } };
    case 'expand': {
      const { node, store, incarnation } = change;
      return { ...about, expand: { node, store, incarnation } };
    }
    case 'withdraw':
      return { ...about, withdraw: { node: change.node } };
    case 'replace':
      return { ...about, replace: { node: change.node } };
    case 'set-back':
      return { ...about, setBack: { nonce: change.nonce, inSync: [...change.inSync] } };
    case 'epoch-used':
      return { ...about, epochUsed: { promised: change.promised } };
  }
}

/** Undefined if it does not parse, or asks for something that this version does not know. */
export function fromWireChangeRequest(
  request: ChangeRequest__Output,
  report: ReportGarbled,
): ChangeRequest | undefined {
  if (request.change === undefined) return undefined;
  const { shard, shardUuid, basedOn } = request;
  const epoch = Number(request.epoch);
  const change = fromWireChange(request);
  const isAboutShard = isShardId(shard) && isUuid(shardUuid) && isEpoch(epoch);
  if (!isAboutShard || !isCount(basedOn) || change === undefined) {
    return garbled(report, 'a request of a primary that does not parse');
  }
  return { shard, shardUuid, epoch, basedOn, change };
}

function fromWireChange({
  shrink,
  expand,
  withdraw,
  replace,
  setBack,
  epochUsed,
}: ChangeRequest__Output): MembershipChange | undefined {
  if (shrink) return isMemberId(shrink.node) ? { type: 'shrink', node: shrink.node } : undefined;
  if (withdraw) {
    return isMemberId(withdraw.node) ? { type: 'withdraw', node: withdraw.node } : undefined;
  }
  if (replace) {
    return isMemberId(replace.node) ? { type: 'replace', node: replace.node } : undefined;
  }
  if (setBack) {
    const { nonce, inSync } = setBack;
    return inSync.every(isMemberId) ? { type: 'set-back', nonce, inSync } : undefined;
  }
  if (expand) {
    const { node, store } = expand;
    const incarnation = Number(expand.incarnation);
    if (!isMemberId(node) || !isUuid(store) || !isCount(incarnation)) return undefined;
    return { type: 'expand', node, store, incarnation: incarnation as Incarnation };
  }
  const promised = Number(epochUsed?.promised);
  // There has to be one above it.
  if (!isEpoch(promised) || !isEpoch(promised + 1)) return undefined;
  return { type: 'epoch-used', promised };
}

export function toWireSteppedDown(message: SteppedDown): WireSteppedDown {
  const { shard, shardUuid, epoch, to } = message;
  return { shard, shardUuid, epoch, to: to ?? '' };
}

export function fromWireSteppedDown(
  message: SteppedDown__Output,
  report: ReportGarbled,
): SteppedDown | undefined {
  const { shard, shardUuid } = message;
  const epoch = Number(message.epoch);
  const to = message.to === '' ? undefined : message.to;
  const isAboutShard = isShardId(shard) && isUuid(shardUuid) && isEpoch(epoch);
  if (!isAboutShard || !(to === undefined || isMemberId(to))) {
    return garbled(report, 'a word of a primary that stepped down, which does not parse');
  }
  return { type: 'stepped-down', shard, shardUuid, epoch, to };
}

export function fromWireHandOverFailed(
  message: HandOverFailed__Output,
  report: ReportGarbled,
): HandOverFailed | undefined {
  const { shard, why } = message;
  const epoch = Number(message.epoch);
  if (!isShardId(shard) || !isEpoch(epoch)) {
    return garbled(report, 'a word of a hand-over that failed, which does not parse');
  }
  return { type: 'hand-over-failed', shard, epoch, why };
}
