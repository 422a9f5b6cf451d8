/** A storage node in a simulated process: the real role over simulated ports. */
import { assert } from '../../../src/model/assert.js';
import type { MemberId } from '../../../src/model/ids.js';
import type { InspectionHandler } from '../../../src/ports/network.js';
import { startStorage, type StorageView } from '../../../src/storage/main.js';
import type { NodeTuning } from '../../../src/storage/replica-settings.js';
import { diskHostOf, type SimDisk } from '../sim-disk.js';
import type { Services } from '../sim-network.js';
import type { Simulation } from '../simulation.js';
import { kvService } from './kv-stream.js';
import {
  addressOf,
  commonConfig,
  listenerOf,
  type MemberOutside,
  type StartedRole,
} from './member-process.js';
import { livenessHandler } from './sim-dialer.js';

export interface StorageOutside extends MemberOutside {
  readonly simulation: Simulation;
  readonly disk: SimDisk;
  readonly tuning: NodeTuning;
  /** Of the system it runs on. */
  readonly bootId: string;
}

/** Well below what a disk has free that is not full. */
const RESERVE_BYTES = 1_000_000;

export interface StartedStorage extends StartedRole<StorageView> {
  readonly inspection: InspectionHandler;
}

/** Resolves when the node listens. */
export async function startStorageIn(outside: StorageOutside): Promise<StartedStorage> {
  const { process, network, simulation, disk, failed } = outside;
  let view: StorageView | undefined;
  let inspection: InspectionHandler | undefined;
  const role = await startStorage(
    {
      ...commonConfig(process.name, outside.sessionTimeoutMs),
      id: process.name as MemberId,
      data: `/data/${process.name}`,
      admin: undefined,
      labels: { host: process.name, zone: '' },
      diskReserveBytes: RESERVE_BYTES,
    },
    {
      ...outside,
      clock: process.clock,
      openDisk: () => Promise.resolve(disk.open(diskHostOf(simulation, process))),
      // Simulated disks lose batches, not the files of a database.
      whyNeeded: () => Promise.resolve('it is not damaged'),
      setAside: () => Promise.reject(new Error('it is not damaged')),
      listen: ({ kv, exchange, follow, replicate, ...handlers }) => {
        inspection = handlers.inspection;
        const streams = { exchange, follow, replicate } as Services;
        const services = { ...streams, kv: kvService(kv, failed), liveness: livenessHandler };
        network.listen(process, addressOf(process.name), services);
        return Promise.resolve(listenerOf(outside));
      },
      health: { setReady: () => undefined, setStatus: () => undefined },
      admin: (given) => {
        view = given;
        return Promise.resolve(undefined);
      },
    },
  );
  assert(view !== undefined, 'a role shows itself before it runs');
  assert(inspection !== undefined, 'a role listens before it runs');
  return { role, view, inspection };
}
