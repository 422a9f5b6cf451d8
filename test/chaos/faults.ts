/** How each kind of fault is done to a cluster, and undone. */
import { unreachable } from '../../src/model/assert.js';
import type { TcpFaultProxy } from '../support/tcp-fault-proxy.js';
import type { ChaosCluster } from './cluster.js';
import type { Fault } from './schedule.js';

export type Undo = () => Promise<void> | void;

const DELAY_MS = 150;
const DISK_FAULTS = {
  'disk-sync': 'sync',
  'disk-sync-once': 'sync-once',
  'disk-write': 'write',
  'disk-read': 'read',
} as const;

/**
 * Does it; what it resolves to undoes it. The undoing of one fault may undo a part of another, as
 * when two of them break one network: that is a schedule like any other.
 *
 * @param leader the router that leads, for what is done to whoever does
 */
export async function inject(
  chaos: ChaosCluster,
  { kind, target }: Fault,
  leader: string,
): Promise<Undo> {
  const id = target === 'leader' ? leader : target;
  switch (kind) {
    case 'kill-storage':
    case 'kill-router':
    case 'kill-leader':
      await chaos.kill(id);
      return () => chaos.start(id);
    case 'kill-all-storage':
      await Promise.all(chaos.storage.map((node) => chaos.kill(node)));
      return async () => {
        await Promise.all(chaos.storage.map((node) => chaos.start(node)));
      };
    case 'kill-zookeeper':
      await chaos.killZooKeeper(id);
      return () => chaos.startZooKeeper(id);
    case 'pause-zookeeper':
      chaos.zooKeeperOf(id).pause();
      return () => chaos.zooKeeperOf(id).resume();
    case 'pause-storage':
    case 'pause-router':
    case 'pause-leader':
      return pause(chaos, id);
    case 'stop-storage':
    case 'stop-router': {
      const process = chaos.terminate(id);
      return async () => {
        await chaos.ended(process);
        await chaos.start(id);
      };
    }
    case 'disk-full':
      await chaos.fillDisk(id);
      return () => chaos.freeDisk(id);
    case 'disk-sync':
    case 'disk-sync-once':
    case 'disk-write':
    case 'disk-read': {
      const fault = DISK_FAULTS[kind];
      await chaos.failDisk(id, fault);
      return () => chaos.mendDisk(id, fault);
    }
    case 'split':
      chaos.split(target.split('+'));
      return () => healNetwork(chaos);
    case 'stall':
      return breakNetwork(chaos, id, (proxy) => proxy.stall('toServer', 'toClient'));
    case 'stall-requests':
      return breakNetwork(chaos, id, (proxy) => proxy.stall('toServer'));
    case 'stall-replies':
      return breakNetwork(chaos, id, (proxy) => proxy.stall('toClient'));
    case 'black-hole':
      return breakNetwork(chaos, id, (proxy) => proxy.blackHole('toServer', 'toClient'));
    case 'mute':
      return breakNetwork(chaos, id, (proxy) => proxy.mute());
    case 'reset':
      return breakNetwork(chaos, id, (proxy) => proxy.reset());
    case 'refuse':
      return breakNetwork(chaos, id, (proxy) => proxy.refuse());
    case 'delay':
      return breakNetwork(chaos, id, (proxy) => {
        proxy.delayMs = DELAY_MS;
      });
    case 'cut-off-zookeeper': {
      const proxies = chaos.linkOf(id).zooKeeper;
      for (const proxy of proxies) proxy.blackHole('toServer', 'toClient');
      return () => healProxies(proxies);
    }
    default:
      return unreachable(kind);
  }
}

/** Nothing is broken from then on: everything runs, and every byte arrives. */
export async function healAll(chaos: ChaosCluster): Promise<void> {
  const members = [...chaos.routers, ...chaos.storage];
  for (const id of members) chaos.processOf(id).signal('SIGCONT');
  await healNetwork(chaos);
  await Promise.all(
    chaos.zooKeepers.map((id) => {
      chaos.zooKeeperOf(id).resume();
      return chaos.startZooKeeper(id);
    }),
  );
  for (const id of members) await chaos.start(id);
}

async function healNetwork(chaos: ChaosCluster): Promise<void> {
  for (const id of [...chaos.routers, ...chaos.storage]) {
    const { inbound, zooKeeper } = chaos.linkOf(id);
    await healProxies([inbound, ...zooKeeper]);
  }
}

function pause(chaos: ChaosCluster, id: string): Undo {
  const process = chaos.processOf(id);
  process.signal('SIGSTOP');
  return () => process.signal('SIGCONT');
}

async function breakNetwork(
  chaos: ChaosCluster,
  id: string,
  breakIt: (proxy: TcpFaultProxy) => void | Promise<void>,
): Promise<Undo> {
  const proxy = chaos.linkOf(id).inbound;
  await breakIt(proxy);
  return () => healProxies([proxy]);
}

async function healProxies(proxies: readonly TcpFaultProxy[]): Promise<void> {
  for (const proxy of proxies) {
    proxy.delayMs = 0;
    proxy.heal();
    if (!proxy.isListening) await proxy.accept();
  }
}
