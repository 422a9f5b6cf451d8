/**
 * Data directories whose disk fails when a test says so: with EIO from real calls, through a library
 * that is compiled here and preloaded into the process (see `failing-disk.c`).
 */
import { execFile } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const SOURCE = fileURLToPath(new URL('failing-disk.c', import.meta.url));
const INSTALL_LINE = 'apt-get install -y --no-install-recommends gcc libc6-dev';

export type DiskFault = 'sync' | 'sync-once' | 'sync-hang' | 'write' | 'read';

const run = promisify(execFile);

export class FailingDisks {
  readonly #library: string;

  private constructor(library: string) {
    this.#library = library;
  }

  /** Compiles the library into this folder. Throws with the line to run if there is no compiler. */
  static async compile(folder: string): Promise<FailingDisks> {
    const library = join(folder, 'failing-disk.so');
    try {
      await run('cc', ['-shared', '-fPIC', '-O1', '-o', library, SOURCE, '-ldl']);
    } catch (cause) {
      const hint = `this needs a C compiler. Install it with: ${INSTALL_LINE}`;
      throw new Error(`${String(cause)}\n${hint}`, { cause });
    }
    return new FailingDisks(library);
  }

  /** The environment of a process whose disk is to fail, if it fails, below this directory. */
  env(directory: string): NodeJS.ProcessEnv {
    mkdirSync(faultsOf(directory), { recursive: true });
    return {
      LD_PRELOAD: this.#library,
      FAILING_DISK: join(directory, '/'),
      FAILING_DISK_FAULTS: faultsOf(directory),
    };
  }
}

export async function beginFault(directory: string, fault: DiskFault): Promise<void> {
  await writeFile(join(faultsOf(directory), fault), '');
}

export async function endFault(directory: string, fault: DiskFault): Promise<void> {
  await rm(join(faultsOf(directory), fault), { force: true });
}

/** Outside of what fails. */
function faultsOf(directory: string): string {
  return `${directory}-faults`;
}
