/** Which process is at the other end of a local connection, from Linux's /proc. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/**
 * The one of these processes that holds the socket bound to a port of 127.0.0.1 and connected to
 * another; undefined if none of them does, or if there is no /proc.
 */
export function ownerOf(
  { port, connectedTo }: { readonly port: number; readonly connectedTo: number },
  pids: Iterable<number>,
): number | undefined {
  const inode = inodeOf(`0100007F:${hex(port)}`, `0100007F:${hex(connectedTo)}`);
  if (inode === undefined) return undefined;
  for (const pid of pids) if (holds(pid, `socket:[${inode}]`)) return pid;
  return undefined;
}

function hex(port: number): string {
  return port.toString(16).toUpperCase().padStart(4, '0');
}

/** Lines of /proc/net/tcp: number, local address, remote address, ..., the tenth word the inode. */
function inodeOf(local: string, remote: string): string | undefined {
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
    const words = linesOf(table)
      .map((line) => line.trim().split(/\s+/))
      .find(([, own = '', other = '']) => own.endsWith(local) && other.endsWith(remote));
    if (words !== undefined) return words[9];
  }
  return undefined;
}

function linesOf(table: string): readonly string[] {
  try {
    return readFileSync(table, 'latin1').split('\n');
  } catch {
    return [];
  }
}

function holds(pid: number, target: string): boolean {
  const folder = `/proc/${pid}/fd`;
  try {
    return readdirSync(folder).some((fd) => readlink(`${folder}/${fd}`) === target);
  } catch {
    return false; // It is gone.
  }
}

function readlink(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return ''; // Closed meanwhile.
  }
}
