/** `portolan scrub`: whether all replicas of each shard hold the same, and nothing is damaged. */
import { Command } from 'commander';
import { LIMITS } from '../model/limits.js';
import { type ClientFlags, withClient } from './client-call.js';
import { CliError, EXIT } from './exit.js';
import {
  countOf,
  flag,
  jsonFlag,
  knownClusterFlag,
  routersFlag,
  timeoutFlag,
  zkFlag,
} from './flags.js';
import { print, table } from './output.js';
import type { ShardScrub } from './scrub.js';

interface ScrubFlags extends ClientFlags {
  readonly shard?: number;
}

const HELP = `
Reads every replica of every shard on its node, and verifies each record. A replica with a damaged
record is set aside and learnt anew, if a sound one is in sync. Replicas that differ without damage
are said, and left as they are. A shard that is written to all the time is "busy": each of its
records was verified, and its replicas were not compared. Exit status 5 if something is wrong.

Examples:
  portolan scrub
  portolan scrub --shard 7 --json`;

export function scrubCommand(): Command {
  const command = new Command('scrub')
    .description('Verify and compare the replicas of all shards, or of one.')
    .addOption(flag('--shard <id>', 'only this shard').argParser(countOf(0, LIMITS.shardsMax - 1)))
    .addOption(routersFlag())
    .addOption(zkFlag())
    .addOption(knownClusterFlag())
    .addOption(timeoutFlag().default(30_000, 'per replica: 30000'))
    .addOption(jsonFlag())
    .addHelpText('after', HELP);
  return command.action(async () => run(command.opts<ScrubFlags>()));
}

async function run(flags: ScrubFlags): Promise<void> {
  const { shard, timeoutMs } = flags;
  const status = await withClient(flags, (client) => client.status());
  const shards = status.shards.filter(({ id }) => shard === undefined || id === shard);
  if (shard !== undefined && shards.length === 0) {
    throw new CliError(EXIT.notFound, `there is no shard ${shard} in cluster ${status.cluster}`);
  }
  const { scrubShards } = await import('./scrub.js');
  const scrubs = await scrubShards({ nodes: status.nodes, shards, timeoutMs });
  print(
    flags.json ? JSON.stringify({ cluster: status.cluster, shards: scrubs }) : describe(scrubs),
  );
  const areSound = scrubs.every(({ result }) => result === 'equal' || result === 'busy');
  if (!areSound) process.exitCode = EXIT.unhealthy;
}

function describe(scrubs: readonly ShardScrub[]): string {
  const rows = scrubs.flatMap(({ shard, result, replicas }) =>
    replicas.map(({ node, role, position, pairs, digest, problem }) => [
      String(shard),
      result,
      node,
      role,
      position === undefined ? '-' : String(position),
      String(pairs),
      digest?.slice(0, 16) ?? '-',
      problem ?? '',
    ]),
  );
  const counts = new Map<string, number>();
  for (const { result } of scrubs) counts.set(result, (counts.get(result) ?? 0) + 1);
  const summary = [...counts].map(([result, count]) => `${count} ${result}`).join(', ');
  const headings = ['shard', 'result', 'node', 'role', 'position', 'keys', 'digest', 'problem'];
  return `${table(headings, rows)}\n${scrubs.length} shards: ${summary}`;
}
