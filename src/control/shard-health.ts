/**
 * What is wrong with one shard and what to do about it, in the words an operator reads. Shards in
 * the same situation get the same words, so that they can be named together.
 */
import type { MemberId } from '../model/ids.js';
import type { Registration } from '../model/registrations.js';
import {
  isLaterProcess,
  replicaOn,
  type ReplicaPlace,
  type ShardConfig,
} from '../model/shard-config.js';
import type { ShardMap } from '../model/shard-map.js';
import { lifeOf } from './lives.js';
import { compareNames } from './shard-names.js';

/** Nodes that whoever asks cannot connect to, and why. */
export type Unreachable = ReadonlyMap<MemberId, string>;

/** Why nobody serves a shard; undefined if its primary does. Agrees with `routing/route.ts`. */
export function whyUnserved(
  map: ShardMap,
  config: ShardConfig | undefined,
  unreachable: Unreachable,
): string | undefined {
  if (config === undefined)
    return 'no configuration: not placed yet, or its znode is missing or unreadable';
  const { primary } = config;
  const node = map.nodes.get(primary);
  const place = replicaOn(config, primary);
  if (node === undefined || place === undefined) return whyDown(map, config);
  const loss = lossOf(place, node);
  if (loss !== undefined) return `primary ${primary} came back with ${loss}`;
  if (config.state === 'creating') return 'being created';
  if (isLaterProcess(node, place)) {
    const what = `primary ${primary} restarted and has no new epoch yet`;
    return `${what}; if that lasts, the leader's log says why`;
  }
  const problem = unreachable.get(primary);
  return problem && `primary ${primary} is registered, but cannot be reached: ${problem}`;
}

/** What a shard that is served lacks; undefined if all the replicas it should have are in sync. */
export function whyUnsafe(
  map: ShardMap,
  config: ShardConfig | undefined,
  unreachable: Unreachable,
): string | undefined {
  const { replicas, minIsr } = map.target;
  const inSync = config?.isr.length ?? 0;
  if (config === undefined || inSync >= replicas) return undefined;
  const what = `${inSync} of ${replicas} replicas in sync`;
  const refusing = inSync < minIsr ? `, writes need ${minIsr} and are refused` : '';
  return `${what}${refusing}; ${remedyOf(map, config, unreachable)}`;
}

/** What it means that this node's replica is damaged, and what to do about it. */
export function whatDamageMeans({ primary, isr }: ShardConfig, node: MemberId): string {
  const what = `the replica on ${node} is damaged`;
  if (primary !== node) return `${what}, and about to be replaced by all data of ${primary}`;
  if (isr.length > 1) return `${what}, and about to be replaced by another that is in sync`;
  const kept = 'no other holds everything: what is readable of it is served';
  return `${what}, and ${kept}; put back from a backup what scrub finds missing`;
}

/** Every member of the isr holds every acknowledged write; nobody else may lead (S6, S19). */
function whyDown(map: ShardMap, { primary, isr, learners, replicas }: ShardConfig): string {
  const down = `primary ${primary} is down`;
  const isAlive = (id: MemberId) => map.nodes.has(id);
  const canLead = replicas
    .filter(({ node }) => isr.includes(node))
    .some((place) => {
      return lifeOf(place, map.nodes) === 'same';
    });
  if (canLead) return `${down}; another replica is about to take over`;
  const others = isr.length === 1 ? '' : ', and so is every other replica in sync';
  const behind = learners.filter(isAlive);
  const lacking = behind.length === 0 ? '' : ` (${names(behind)} may lack acknowledged writes)`;
  return `${down}${others}; start ${names(isr, 'or')} again with its data directory${lacking}`;
}

/** What a node came back with that is not the data it had, and what to do; undefined: it has it. */
function lossOf(place: ReplicaPlace, node: Registration): string | undefined {
  // A registration that is older than the configuration tells nothing.
  if (node.incarnation <= place.incarnation) return undefined;
  if (node.store !== place.store) return 'another data directory; start it with its old one';
  const isLost = lifeOf(place, new Map([[node.id, node]])) === 'lost';
  return isLost ? 'an older copy of its data directory; start it with the newest' : undefined;
}

/** What keeps the others out of sync, and what to do about it. */
function remedyOf(map: ShardMap, config: ShardConfig, unreachable: Unreachable): string {
  const { nodes, target } = map;
  const members = config.replicas.map(({ node }) => node);
  const away = members.filter((id) => !nodes.has(id));
  const behind = config.learners.filter((id) => nodes.has(id));
  const mute = behind.filter((id) => unreachable.has(id));
  const learning = behind.filter((id) => !unreachable.has(id));
  const missing = target.replicas - members.length;
  const parts: string[] = [];
  if (away.length > 0) parts.push(`start ${names(away)} again`);
  for (const id of mute) parts.push(`${id} cannot be reached: ${unreachable.get(id)}`);
  if (learning.length > 0) {
    parts.push(`${names(learning)} ${learning.length === 1 ? 'is' : 'are'} catching up`);
  }
  if (missing > 0 && nodes.size > members.length) parts.push('another is about to be added');
  else if (missing > 0) parts.push(`start ${missing} more storage node${missing === 1 ? '' : 's'}`);
  return parts.join('; ');
}

function names(ids: readonly MemberId[], conjunction = 'and'): string {
  const sorted = [...ids].sort(compareNames);
  const last = sorted.pop();
  return sorted.length === 0 ? `${last}` : `${sorted.join(', ')} ${conjunction} ${last}`;
}
