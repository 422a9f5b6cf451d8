/**
 * The smallest cluster that uses everything of the simulator, to test that and nothing else: every
 * node numbers its messages, sends them to all others, and each of those writes the number down
 * before it acknowledges. Two rules hold whatever happens: on one stream numbers only rise, and a
 * number that was acknowledged is on the disk of whoever did, unless that disk was damaged.
 */
import { assert } from '../../src/model/assert.js';
import type { Disk } from '../../src/ports/disk.js';
import type { Outgoing } from '../../src/ports/network.js';
import type { Cluster, ClusterMember } from '../simulation/cluster.js';
import type { Prng } from '../simulation/prng.js';
import { diskHostOf, SimDisk } from '../simulation/sim-disk.js';
import { type NetworkSettings, SimNetwork } from '../simulation/sim-network.js';
import { SimProcess } from '../simulation/sim-process.js';
import type { Simulation } from '../simulation/simulation.js';

const SEND_EVERY_MS = 10;
const DIAL_AGAIN_MS = 20;

export class ToyCluster implements Cluster {
  readonly members: readonly ClusterMember[];
  readonly network: SimNetwork;
  readonly #simulation: Simulation;
  readonly #disks = new Map<string, SimDisk>();
  readonly #processes = new Map<string, SimProcess>();
  /** By node and writer, the highest number acknowledged. */
  readonly acknowledged = new Map<string, number>();
  sent = 0;

  constructor(simulation: Simulation, size: number, settings: Partial<NetworkSettings> = {}) {
    this.#simulation = simulation;
    this.network = new SimNetwork(simulation, settings);
    this.members = Array.from({ length: size }, (_, index) => ({ name: `n${index}`, role: 'toy' }));
    for (const { name } of this.members) {
      this.#disks.set(name, new SimDisk(simulation.prng.fork(`disk ${name}`)));
      this.start(name);
    }
  }

  processOf(name: string): SimProcess {
    return this.#processes.get(name)!;
  }

  diskOf(name: string): SimDisk {
    return this.#disks.get(name)!;
  }

  kill(name: string, { isSilent }: { isSilent: boolean }): void {
    this.processOf(name).kill({ isSilent });
    this.diskOf(name).crash({ isPowerCut: isSilent });
  }

  start(name: string): void {
    const process = new SimProcess(this.#simulation, { name });
    this.#processes.set(name, process);
    // A disk that fails ends the process, as it does a storage node (S20).
    process.soon(() => void this.#run(process).catch(() => this.kill(name, { isSilent: false })));
  }

  /** Whether what was acknowledged is on the disks. */
  assertDurable(): void {
    for (const [key, number] of this.acknowledged) {
      const [node = '', writer = ''] = key.split(' ');
      const stored = [...this.diskOf(node).contents()].find(([name]) => name === writer);
      const found = Number(stored?.[1].toString() ?? 0);
      assert(found >= number, 'acknowledged numbers are durable', () => ({ key, number, found }));
    }
  }

  async #run(process: SimProcess): Promise<void> {
    const disk = this.diskOf(process.name).open(diskHostOf(this.#simulation, process));
    for await (const [key, value] of disk.scan(Buffer.of(0), Buffer.of(255))) {
      this.#simulation.note('found', `${key.toString()} ${value.toString()}`);
    }
    this.network.listen(process, `${process.name}:1`, {
      numbers: (outgoing, peer) => this.#serve({ process, disk, outgoing, peer }),
    });
    for (const { name } of this.members) {
      if (name !== process.name) this.#dial(process, name, process.clock.now());
    }
  }

  #dial(process: SimProcess, name: string, firstNumber: number): void {
    let number = firstNumber;
    let isWritable = false;
    let isOver = false;
    const target = { address: `${name}:1`, service: 'numbers' };
    const stream = this.network.dial(process, target, {
      message: () => undefined,
      drain: () => {
        isWritable = true;
      },
      closed: () => {
        isOver = true;
        process.clock.after(DIAL_AGAIN_MS, () => this.#dial(process, name, number));
      },
    });
    const send = () => {
      if (isOver) return;
      if (isWritable) isWritable = stream.write(Buffer.from(String(++this.sent)));
      number++;
      process.clock.after(SEND_EVERY_MS, send);
    };
    send();
  }

  #serve(from: { process: SimProcess; disk: Disk; outgoing: Outgoing<unknown>; peer: string }) {
    const { process, disk, outgoing, peer } = from;
    let last = 0;
    let waiting: number | undefined;
    const write = async () => {
      const number = last;
      const batch = disk.batch();
      batch.put(Buffer.from(peer), Buffer.from(String(number)));
      await batch.writeDurably();
      this.acknowledged.set(`${process.name} ${peer}`, number);
      outgoing.write(Buffer.from(String(number)));
      if (last > number) await write();
      else waiting = undefined;
    };
    return {
      message: (message: unknown) => {
        const number = Number(String(message));
        assert(number > last, 'numbers rise', () => ({ number, last }));
        last = number;
        if (waiting !== undefined) return;
        waiting = number;
        setImmediate(() => void write().catch(() => this.kill(process.name, { isSilent: false })));
      },
      drain: () => undefined,
      closed: () => undefined,
    };
  }
}

/** Limits under which every rule of the toy holds: no disk is damaged. */
export function toyLimits(prng: Prng) {
  return { driftMax: prng.range(0, 0.02) };
}
