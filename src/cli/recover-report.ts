/** What `portolan recover` says of a plan, and what there is to be done next. */
import type { PlannedShard, RecoveryPlan } from '../control/recovery-plan.js';
import { nameShards } from '../control/shard-names.js';
import { table } from './output.js';

export function describe({ cluster, leaderEpoch, shards }: RecoveryPlan): string {
  const rows = shards.map(({ shard, source, config, doubt }) => [
    String(shard),
    source,
    config === undefined ? '-' : String(config.epoch),
    config?.primary ?? '-',
    config?.isr.join(',') ?? '-',
    (config?.learners ?? []).join(',') || '-',
    doubt,
  ]);
  const headings = ['shard', 'from', 'epoch', 'primary', 'in sync', 'learning', 'mind'];
  const { clusterUuid, replicas, minIsr, shards: all } = cluster;
  const which = shards.length === all ? `${all} shards` : `${shards.length} of ${all} shards`;
  const shape = `${which}, ${replicas} replicas, min-isr ${minIsr}`;
  const head = `cluster ${clusterUuid}: ${shape}, leaderEpoch above ${leaderEpoch}`;
  return rows.length === 0 ? head : `${head}\n${table(headings, rows)}`;
}

/** What has become of a plan that may be written. `written`: how many shards; undefined: shown. */
export function endOf({ shards }: RecoveryPlan, written: number | undefined): string {
  if (shards.length === 0) return 'ZooKeeper knows every shard as well as the nodes do';
  const planned = shards.filter(({ config }) => config !== undefined).length;
  if (planned === 0) {
    const would = written === undefined ? 'would be' : 'was';
    return `no shard ${would} written: what keeps each from it is said above`;
  }
  if (written === undefined) return 'nothing was written; add --yes';
  const kept = shards.length - written;
  const but = kept === 0 ? '' : `, but for ${kept} of these ${shards.length} shards`;
  const goesOn = `written${but}: the leader goes on from here`;
  const end = written === 0 ? 'no shard was written' : goesOn;
  if (planned === written) return end;
  return (
    `${end}. ${planned - written} had changed in ZooKeeper meanwhile, and stay as they are: do ` +
    'this again to see whether anything is left to do'
  );
}

/**
 * What there is to be done about shards that ZooKeeper knows as well as the nodes do, and that may
 * wait all the same. `needed`: the part of the plan that is not of those.
 */
export function adviceOn(
  { shards }: RecoveryPlan,
  needed: RecoveryPlan,
  { acceptLoss }: { readonly acceptLoss: boolean },
): readonly string[] {
  const described = new Set(needed.shards.map(({ shard }) => shard));
  const waiting = shards.filter(({ waits }) => waits === true);
  if (!acceptLoss) return waiting.length === 0 ? [] : [loseable(waiting)];
  const rest = shards.filter(({ shard }) => !described.has(shard));
  const held = rest.filter(({ waits }) => waits === true);
  const unheard = rest.filter(isUnheard);
  return [...reasonsOf(held), ...(unheard.length === 0 ? [] : [unknownLoss(unheard)])];
}

/** "shard 4", "shards 0-3, 8". */
export function namesOf(planned: readonly PlannedShard[]): string {
  return nameShards(planned.map(({ shard }) => shard));
}

/** Whether no node knows whom ZooKeeper counts on: not at all, or not the latest. */
function isUnheard({ source, abandons }: PlannedShard): boolean {
  return source !== 'configuration' || abandons !== undefined;
}

function loseable(waiting: readonly PlannedShard[]): string {
  return (
    `${namesOf(waiting)}: replicas in sync do not answer with their data, and are waited for. If ` +
    'they are gone for good: --accept-loss shows what there is without them'
  );
}

/** Each reason once, with the shards that have it. */
function reasonsOf(held: readonly PlannedShard[]): readonly string[] {
  const doubts = new Set(held.map(({ doubt }) => doubt));
  return [...doubts].map((doubt) => {
    return `${namesOf(held.filter((one) => one.doubt === doubt))}, not served: ${doubt}`;
  });
}

function unknownLoss(unheard: readonly PlannedShard[]): string {
  return (
    `${namesOf(unheard)}: no node has heard the configuration that ZooKeeper has, so that nobody ` +
    'can tell whether replicas in sync are gone, and none is abandoned. Start the routers and ' +
    "look at 'portolan status'; do this again, without --yes first, if that changes nothing"
  );
}
