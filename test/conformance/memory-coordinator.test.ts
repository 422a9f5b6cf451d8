import { MemoryCoordinator, MemoryService } from '../support/memory-coordinator.js';
import { describeCoordinator } from './coordinator.conformance.js';

describeCoordinator('memory', () => {
  const service = new MemoryService();
  return Promise.resolve({
    coordinator: (root) => new MemoryCoordinator(service, root),
    dispose: () => Promise.resolve(),
  });
});
