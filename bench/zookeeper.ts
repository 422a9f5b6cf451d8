/**
 * `npm run bench:zookeeper`: the embedded coordination server beside a real ZooKeeper, each a
 * process on this machine with fsync, in one run: reads (`exists`) and durable writes (`setData`).
 */
import { join } from 'node:path';
import { Command } from 'commander';
import { countOf } from '../src/cli/flags.js';
import { freePort } from '../src/system/free-port.js';
import { startZooKeeper } from '../src/system/zookeeper-process.js';
import { PortolanProcess } from '../test/support/portolan-process.js';
import { type PlainCall, ProtocolClient } from '../test/support/protocol-client.js';
import { endOnSignals, temporaryFolder } from './folder.js';

interface Options {
  readonly seconds: number;
  readonly clients: number;
  readonly inFlight: number;
  readonly json: boolean;
}

interface Row {
  readonly system: 'embedded' | 'real';
  readonly op: 'exists' | 'setData';
  readonly inFlight: number;
  readonly opsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

interface Server {
  readonly system: Row['system'];
  readonly connect: string;
  stop(): Promise<void>;
}

const WARM_UP_SECONDS = 2;

const options = new Command('npm run bench:zookeeper --')
  .description('The embedded coordination server beside a real ZooKeeper.')
  .option('--seconds <n>', 'how long each is measured', countOf(1, 3_600), 5)
  .option('--clients <n>', 'sessions', countOf(1, 100), 4)
  .option(
    '--in-flight <n>',
    'requests on their way, of all clients together',
    countOf(1, 1_000),
    64,
  )
  .option('--json', 'a JSON line at the end', false)
  .parse()
  .opts<Options>();

endOnSignals();
const folder = await temporaryFolder();
const servers = [await startOurs(), await startReal()];
const rows: Row[] = [];
try {
  for (const op of ['exists', 'setData'] as const) {
    for (const server of servers) rows.push(await measure(server, op));
  }
} finally {
  for (const server of servers) await server.stop();
}
const rate = (system: Row['system'], op: Row['op']) =>
  rows.find((row) => row.system === system && row.op === op)?.opsPerSecond ?? NaN;
const ratios = {
  exists: ratioOf(rate('embedded', 'exists'), rate('real', 'exists')),
  setData: ratioOf(rate('embedded', 'setData'), rate('real', 'setData')),
};
if (options.json) process.stdout.write(`${JSON.stringify({ rows, ratios })}\n`);
else {
  for (const row of rows) {
    const { system, op, opsPerSecond, p50Ms, p99Ms } = row;
    say(
      `${system.padEnd(8)}  ${op.padEnd(7)}  ${opsPerSecond}/s  p50 ${p50Ms} ms  p99 ${p99Ms} ms`,
    );
  }
  say(`embedded / real: exists ${ratios.exists}, setData ${ratios.setData}`);
}

async function startOurs(): Promise<Server> {
  const connect = `127.0.0.1:${await freePort()}`;
  const args = ['zookeeper', '--data', join(folder, 'embedded'), '--listen', connect];
  const server = new PortolanProcess('zookeeper', args);
  await server.line(/serves clients/);
  const stop = async (): Promise<void> => void (await server.stop());
  return { system: 'embedded', connect, stop };
}

async function startReal(): Promise<Server> {
  const server = await startZooKeeper({ dataDir: join(folder, 'real'), tickTimeMs: 500 });
  return { system: 'real', connect: server.connect, stop: () => server.stop() };
}

async function measure({ system, connect }: Server, op: Row['op']): Promise<Row> {
  const { clients: count, inFlight, seconds } = options;
  process.stderr.write(`bench: ${op}, ${system}, for ${seconds + WARM_UP_SECONDS} s\n`);
  const clients = await Promise.all(
    Array.from({ length: count }, () => ProtocolClient.open(connect)),
  );
  const path = `/${op}`;
  await clients[0]?.call({ op: 'create', path, data: 'x'.repeat(100) });
  const call: PlainCall =
    op === 'exists' ? { op, path, watch: false } : { op, path, data: 'y'.repeat(100) };
  const startMs = performance.now() + WARM_UP_SECONDS * 1_000;
  const endMs = startMs + seconds * 1_000;
  const took: number[] = [];
  const one = async (client: ProtocolClient): Promise<void> => {
    for (let sentMs = performance.now(); sentMs < endMs; sentMs = performance.now()) {
      const { err } = await client.call(call);
      if (err !== 0) throw new Error(`${system}: ${op} failed with ${err}`);
      if (sentMs >= startMs) took.push(performance.now() - sentMs);
    }
  };
  const workers = Array.from({ length: inFlight }, (_, n) => clients[n % count] ?? []).flat();
  await Promise.all(workers.map(one));
  for (const client of clients) await client.close();
  took.sort((left, right) => left - right);
  const at = (part: number) =>
    Math.round((took[Math.floor(took.length * part)] ?? NaN) * 100) / 100;
  const opsPerSecond = Math.round(took.length / seconds);
  return { system, op, inFlight, opsPerSecond, p50Ms: at(0.5), p99Ms: at(0.99) };
}

function ratioOf(ours: number, theirs: number): number {
  return Math.round((ours / theirs) * 100) / 100;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
