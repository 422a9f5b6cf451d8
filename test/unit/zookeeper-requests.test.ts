/** Requests as they go to ZooKeeper: a version there is always one that was read. */
import { describe, expect, it } from 'vitest';
import { InvariantViolation } from '../../src/model/assert.js';
import { multiRequest, removeRequest, setRequest } from '../../src/zookeeper/requests.js';

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
