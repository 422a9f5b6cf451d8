/** The simulated disk with its faults off, as tests without a simulation open it. */
import { MemoryDisk } from '../support/memory-disk.js';
import { describeDisk } from './disk.conformance.js';

describeDisk('simulated', () => {
  let disk = new MemoryDisk();
  return Promise.resolve({
    disk,
    reopen: async () => {
      await disk.close();
      disk = disk.afterCrash();
      return disk;
    },
    dispose: () => disk.close(),
  });
});
