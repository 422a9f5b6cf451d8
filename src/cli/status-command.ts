/** `portolan status`: who leads, who watches whom, which nodes live and what they hold. */
import { Command } from 'commander';
import type { ClusterStatus } from '../client/index.js';
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
    nodes.map(({ id, state, shards, primaries, address, host, zone }) => {
      return [
        id,
        state,
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
  return `shards: ${shards.length} placed, ${served.length} served`;
}
