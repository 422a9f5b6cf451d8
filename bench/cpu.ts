/** CPU time that processes took, user and system, all threads. */
import { readFileSync } from 'node:fs';
import type { OwnCluster } from './cluster.js';

/** Microseconds, of the load's own process and of the members of a cluster together. */
export interface CpuMicros {
  readonly client: number;
  readonly routers: number;
  readonly storage: number;
}

/** Clock ticks per second in /proc; fixed at 100 by the kernel's interface to user space. */
const TICKS_PER_SECOND = 100;

export function cpuNow(own: OwnCluster): CpuMicros {
  const { user, system } = process.cpuUsage();
  const sum = (members: OwnCluster['routers']) =>
    members.reduce((micros, { id }) => micros + microsOf(own.pidOf(id)), 0);
  return { client: user + system, routers: sum(own.routers), storage: sum(own.storage) };
}

export function cpuPerOp(from: CpuMicros, to: CpuMicros, ops: number): CpuMicros {
  const per = (micros: number) => Math.round((micros / Math.max(1, ops)) * 10) / 10;
  return {
    client: per(to.client - from.client),
    routers: per(to.routers - from.routers),
    storage: per(to.storage - from.storage),
  };
}

function microsOf(pid: number): number {
  // Behind the name in parentheses, which may hold anything: fields from the third on.
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields[11]) + Number(fields[12]);
  return (ticks / TICKS_PER_SECOND) * 1e6;
}
