/** Requests as they go to ZooKeeper: a version there is always one that was read. */
import { describe, expect, it } from 'vitest';
import { InvariantViolation } from '../../src/model/assert.js';
import { jute } from '../../src/zookeeper/library.js';
import {
  multiRequest,
  removeRequest,
  type Request,
  setRequest,
} from '../../src/zookeeper/requests.js';
import { ZooKeeperSession } from '../../src/zookeeper/session.js';

const data = Buffer.from('data');

describe('N1 "any version" cannot be asked for', () => {
  it.each([-1, -2, 0.5, NaN])('version %s', (version) => {
    expect(() => setRequest('/a', data, version)).toThrow(InvariantViolation);
    expect(() => removeRequest('/a', version)).toThrow(InvariantViolation);
    for (const type of ['check', 'remove'] as const) {
      expect(() => multiRequest([{ type, path: '/a', version }], [])).toThrow(InvariantViolation);
    }
    expect(() => multiRequest([{ type: 'set', path: '/a', data, version }], [])).toThrow(
      InvariantViolation,
    );
  });

  it('version 0 can', () => {
    expect(() => setRequest('/a', data, 0)).not.toThrow();
    expect(() => removeRequest('/a', 0)).not.toThrow();
    expect(() => multiRequest([{ type: 'check', path: '/a', version: 0 }], [])).not.toThrow();
  });
});

describe('Z6 a barrier', () => {
  it('is a write to the servers, so that none that is behind answers it, and changes nothing', async () => {
    const sent: Request[] = [];
    const link = {
      sessionId: '1',
      timeoutMs: 1_000,
      send: (request: Request) => {
        sent.push(request);
        return Promise.resolve({ status: 'ok', value: { results: [] } });
      },
    };
    const session = new ZooKeeperSession({ link: link as never, root: '/root', acl: [] });
    expect(await session.barrier()).toEqual({ status: 'ok', value: undefined });
    const { header, payload } = sent[0]!.request as {
      header: { type: number };
      payload: { ops: readonly { type: number; path: string }[] };
    };
    expect(sent).toHaveLength(1);
    expect(header.type).toBe(jute.OP_CODES['MULTI']);
    expect(payload.ops.map(({ type, path }) => [type, path])).toEqual([
      [jute.OP_CODES['CHECK'], '/root'],
    ]);
  });
});
