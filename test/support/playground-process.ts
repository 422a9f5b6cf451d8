/** A real playground for tests, with a state folder and a temporary folder of its own. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PlaygroundCluster } from '../../src/cli/playground.js';
import { PortolanProcess } from './portolan-process.js';

export class PlaygroundHome {
  readonly path = mkdtempSync(join(tmpdir(), 'portolan-home-'));

  /** What commands need to find the playground, and it to keep its files here. */
  get env(): NodeJS.ProcessEnv {
    return { XDG_STATE_HOME: join(this.path), TMPDIR: this.path };
  }

  start(...args: readonly string[]): PortolanProcess {
    return new PortolanProcess('playground', ['playground', '--json', ...args], this.env);
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** The line on stdout that says it serves. */
export async function ready(playground: PortolanProcess): Promise<PlaygroundCluster> {
  return JSON.parse(await playground.line(/^{"event":"ready"/)) as PlaygroundCluster;
}

export function pidsOf({ zookeeper, routers, storage }: PlaygroundCluster): number[] {
  const members = [...routers, ...storage].map(({ pid }) => pid);
  return zookeeper.pid === null ? members : [zookeeper.pid, ...members];
}
