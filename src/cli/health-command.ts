/**
 * `portolan health`: whether one process serves, over `grpc.health.v1`. Made for the health checks
 * of containers and supervisors: one question, one line, one exit status.
 */
import { Command } from 'commander';
import { type Address, formatAddress } from '../model/address.js';
import { CliError, EXIT } from './exit.js';
import { address, flag, jsonFlag, timeoutFlag } from './flags.js';
import { print } from './output.js';

interface HealthFlags {
  readonly address: Address;
  readonly service: string;
  readonly timeoutMs: number;
  readonly json: boolean;
}

const EXAMPLES = `
Examples:
  portolan health --address 127.0.0.1:7000
  portolan health --address 127.0.0.1:7100 --service liveness`;

export function healthCommand(): Command {
  const command = new Command('health')
    .description('Ask one router or storage node whether it serves. Exit status 4 if not.')
    .addOption(
      flag('--address <address>', 'the process to ask, HOST:PORT of its gRPC')
        .argParser(address)
        .makeOptionMandatory(),
    )
    .addOption(
      flag('--service <name>', 'readiness, liveness or portolan.v1.KV; "" = as a whole') //
        .default('', 'as a whole'),
    )
    .addOption(timeoutFlag().default(2_000))
    .addOption(jsonFlag())
    .addHelpText('after', EXAMPLES);
  return command.action(async () => run(command.opts<HealthFlags>()));
}

async function run({ address: asked, service, timeoutMs, json }: HealthFlags): Promise<void> {
  const { askHealth } = await import('../grpc/health-client.js');
  const address = formatAddress(asked);
  const answer = await askHealth({ address, service, timeoutMs });
  if (!answer.answered) {
    throw new CliError(EXIT.unavailable, `${address} gave no health: ${answer.problem}`);
  }
  const { status } = answer;
  if (status !== 'SERVING') throw new CliError(EXIT.unavailable, `${address} is ${status}`);
  print(json ? JSON.stringify({ address, service, status }) : status);
}
