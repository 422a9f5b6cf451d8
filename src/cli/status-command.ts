/** `portolan status`: who leads, who watches whom, which nodes live and what they hold. */
import { Command } from 'commander';
import type { ClusterStatus, LearningStatus } from '../client/index.js';
import { nameShards } from '../control/shard-names.js';
import type { ShardId } from '../model/ids.js';
import { statusJson } from '../model/status-json.js';
import { type ClientFlags, withClient } from './client-call.js';
import { EXIT } from './exit.js';
import { jsonFlag, knownClusterFlag, routersFlag, timeoutFlag, zkFlag } from './flags.js';
import { print, table } from './output.js';

export function statusCommand(): Command {
  const command = new Command('status')
    .description('Show the cluster. Exit status 5 if something is wrong with it.')
    .addOption(routersFlag())
    .addOption(zkFlag())
    .addOption(knownClusterFlag())
    .addOption(timeoutFlag().default(5_000))
    .addOption(jsonFlag())
    .addHelpText('after', '\nExamples:\n  portolan status\n  portolan status --json | jq .leader');
  return command.action(async () => {
    const flags = command.opts<ClientFlags>();
    const status = await withClient(flags, (client) => client.status());
    print(flags.json ? JSON.stringify(statusJson(status)) : describeStatus(status));
    if (!status.healthy) process.exitCode = EXIT.unhealthy;
  });
}

export function describeStatus(status: ClusterStatus): string {
  const { cluster, healthy, leader } = status;
  const health = healthy ? 'healthy' : 'NOT HEALTHY';
  const sections = [
    `cluster ${cluster}: ${health} (asked router ${status.answeredBy})`,
    ...status.problems.map((problem) => `  ! ${problem}`),
    leader === undefined
      ? 'leader: none'
      : `leader: ${leader.id}, leaderEpoch ${leader.leaderEpoch}, ${leader.znode}`,
    `\nrouters, in election order\n${routerTable(status)}`,
    `\nstorage nodes\n${nodeTable(status)}`,
    `\n${shardSummary(status)}`,
    ...learningTable(status),
  ];
  return sections.join('\n');
}

function routerTable({ candidates, leader }: ClusterStatus): string {
  const idOf = new Map(candidates.map(({ znode, id }) => [znode, id]));
  return table(
    ['id', 'role', 'znode', 'watches', 'address', 'admin'],
    candidates.map(({ id, znode, watches, address, admin }) => [
      id,
      leader?.znode.endsWith(znode) === true ? 'leader' : 'follower',
      znode.slice(-12),
      watches === undefined ? '-' : `${idOf.get(watches) ?? '?'} (${watches.slice(-12)})`,
      address,
      admin,
    ]),
  );
}

function nodeTable({ nodes }: ClusterStatus): string {
  return table(
    ['id', 'state', 'shards', 'primaries', 'address', 'host', 'zone'],
    nodes.map(({ id, state, shards, primaries, address, host, zone, downForMs }) => {
      return [
        id,
        downForMs === undefined ? state : `${state} ${duration(downForMs)}`,
        String(shards),
        String(primaries),
        address || '-',
        host || '-',
        zone || '-',
      ];
    }),
  );
}

function shardSummary({ shards }: ClusterStatus): string {
  const served = shards.filter((shard) => shard.served);
  const whole = shards.filter(({ learners }) => learners.length === 0);
  const counts = `${shards.length} placed, ${served.length} served`;
  if (whole.length === shards.length) return `shards: ${counts}`;
  return `shards: ${counts}, ${shards.length - whole.length} with replicas out of sync`;
}

/** Rows of learners that are under way, at most. */
const LEARNING_ROWS = 12;

function learningTable({ shards }: ClusterStatus): readonly string[] {
  const all = shards.flatMap(({ id, learning }) => learning.map((learner) => ({ id, ...learner })));
  if (all.length === 0) return [];
  const underWay = all.filter(({ by }) => by !== 'nothing');
  const shown = underWay.slice(0, LEARNING_ROWS).map(({ id, node, forMs, ...learner }) => {
    return [`shard ${id}`, node, progressOf({ ...learner, forMs }), duration(forMs)];
  });
  const rest = underWay.length - shown.length;
  // Nobody reads the same line for each of a thousand shards.
  const mute = new Map<string, typeof all>();
  for (const one of all.filter(({ by }) => by === 'nothing')) {
    mute.set(one.node, [...(mute.get(one.node) ?? []), one]);
  }
  const silent = [...mute].map(([node, of]) => {
    const longest = Math.max(...of.map(({ forMs }) => forMs));
    const which = nameShards(of.map(({ id }) => id as ShardId));
    return [which, node, 'nothing: its node does not answer', duration(longest)];
  });
  return [
    '\nreplicas out of sync',
    table(['of', 'on', 'gets', 'since'], [...shown, ...silent]),
    ...(rest === 0 ? [] : [`  and ${rest} more that are catching up`]),
  ];
}

function progressOf({ by, done, total, forMs }: Omit<LearningStatus, 'node'>): string {
  if (by === 'nothing') return 'nothing: its node does not answer';
  if (by === 'log') return `the log: ${done} of ${total} entries`;
  const perSecond = forMs === 0 ? '' : `, ${bytes((done * 1_000) / forMs)}/s`;
  const of = total === 0 ? '' : ` of ${bytes(total)}`;
  return `all data: ${bytes(done)}${of}${perSecond}`;
}

function bytes(count: number): string {
  const mebibytes = count / 1024 / 1024;
  return mebibytes < 1 ? `${Math.ceil(count / 1024)} KiB` : `${mebibytes.toFixed(1)} MiB`;
}

function duration(ms: number): string {
  const seconds = Math.round(ms / 1_000);
  if (seconds < 120) return `${seconds} s`;
  return seconds < 7_200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3_600)} h`;
}
