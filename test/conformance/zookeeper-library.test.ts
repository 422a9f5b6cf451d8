/** Repairs of the library that cannot be seen through the port in a test's time. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { InvariantViolation } from '../../src/model/assert.js';
import { type ConnectionManager, createManager, MANAGER } from '../../src/zookeeper/library.js';
import { readRequest } from '../../src/zookeeper/requests.js';
import { startTestZooKeeper, type TestZooKeeper } from '../support/zookeeper-server.js';

describe('the repaired library', () => {
  let server: TestZooKeeper;
  let manager: ConnectionManager;
  let disable: () => void;

  beforeAll(async () => {
    server = await startTestZooKeeper();
    const repaired = createManager({
      servers: server.connect,
      sessionTimeoutMs: 4_000,
      auth: undefined,
      socketError: () => undefined,
    });
    ({ manager, disable } = repaired);
    await new Promise<void>((resolve) => {
      manager.on('state', (state) => state === MANAGER.connected && resolve());
      manager.connect();
    });
  });
  afterAll(async () => {
    disable();
    manager.close();
    await server.stop();
  });

  const read = () =>
    new Promise<boolean>((resolve) => {
      const { request } = readRequest('exists', '/', false);
      manager.queue(request, (error) => resolve(error === null));
    });

  it('has no last request: the numbers start again before they leave 32 bits (N16)', async () => {
    const before = Array.from({ length: 20 }, read);
    manager.xid = 2 ** 31 - 3;
    const after = Array.from({ length: 20 }, read);
    expect(await Promise.all([...before, ...after])).toEqual(
      Array.from({ length: 40 }, () => true),
    );
    expect(manager.xid).toBeLessThan(100);
  });

  it('lets a broken rule of ours end the process, and does not take it for garbage', async () => {
    const thrown = new Promise((resolve) => process.once('uncaughtException', resolve));
    const { request } = readRequest('exists', '/', false);
    const broken = new InvariantViolation('of a test', {});
    manager.queue(request, (error) => {
      if (error === null) throw broken;
    });
    expect(await thrown).toBe(broken);
  });
});
