import { describe, expect, it } from 'vitest';
import type { Epoch, Incarnation } from '../../src/model/ids.js';
import { type RefusalCode, REFUSALS, RefusedError } from '../../src/model/refusals.js';
import { MapHolder } from '../../src/router/map-holder.js';
import { afterRefusal } from '../../src/routing/after-refusal.js';
import { routeOf } from '../../src/routing/route.js';
import { configOf, nodeOf } from '../support/configs.js';

const key = Buffer.from('foo'); // Slot 12,182: shard 4 of 6.
const shard = 4;

function mapWith(count = 6): MapHolder {
  const map = new MapHolder();
  map.setShardCount(count);
  return map;
}

describe('a route', () => {
  it('leads to the primary of the key’s shard, with the epoch of the map', () => {
    const map = mapWith();
    const node = nodeOf('s2');
    map.setNodes([nodeOf('s1'), node]);
    map.applyConfigs([{ config: configOf(shard, node, { epoch: 7 as Epoch }), version: 3 }]);
    expect(routeOf(map, key)).toEqual({
      type: 'send',
      shard,
      epoch: 7,
      node: 's2',
      address: node.address,
    });
  });

  it('waits while the number of shards is not known', () => {
    expect(routeOf(new MapHolder(), key)).toMatchObject({ type: 'wait', why: 'no-map' });
  });

  it('waits while nobody has told the shard’s configuration', () => {
    expect(routeOf(mapWith(), key)).toEqual({ type: 'wait', shard, why: 'no-config' });
  });

  it('waits while the shard is being created', () => {
    const map = mapWith();
    map.setNodes([nodeOf('s1')]);
    map.applyConfigs([
      { config: configOf(shard, nodeOf('s1'), { state: 'creating' }), version: 0 },
    ]);
    expect(routeOf(map, key)).toMatchObject({ why: 'creating' });
  });

  it('waits while the primary is not registered', () => {
    const map = mapWith();
    map.applyConfigs([{ config: configOf(shard, nodeOf('s1')), version: 0 }]);
    expect(routeOf(map, key)).toMatchObject({ why: 'primary-away' });
  });

  it('waits while the primary’s new life has no epoch of its own', () => {
    const map = mapWith();
    map.applyConfigs([{ config: configOf(shard, nodeOf('s1', 1)), version: 0 }]);
    map.setNodes([nodeOf('s1', 2)]);
    expect(routeOf(map, key)).toMatchObject({ why: 'primary-restarted' });
    const again = configOf(shard, nodeOf('s1', 2), { epoch: 2 as Epoch });
    map.applyConfigs([{ config: again, version: 1 }]);
    expect(routeOf(map, key)).toMatchObject({ type: 'send', epoch: 2 });
  });

  it('does not wait for the same process, which serves on in a new session', () => {
    const map = mapWith();
    map.applyConfigs([{ config: configOf(shard, nodeOf('s1')), version: 0 }]);
    map.setNodes([{ ...nodeOf('s1'), incarnation: 9 as Incarnation }]);
    expect(routeOf(map, key)).toMatchObject({ type: 'send', node: 's1' });
  });

  it('a table of nodes that is older than the configuration is no reason to wait', () => {
    const map = mapWith();
    map.setNodes([nodeOf('s1', 1)]);
    const config = configOf(shard, nodeOf('s1', 2), { epoch: 2 as Epoch });
    map.applyConfigs([{ config, version: 1 }]);
    expect(routeOf(map, key)).toMatchObject({ type: 'send', epoch: 2 });
    expect(config.replicas[0]!.incarnation).toBe(2 as Incarnation);
  });

  it('an address from a hint serves until the table of nodes comes', () => {
    const map = mapWith();
    const config = configOf(shard, nodeOf('s1'));
    expect(map.applyHint({ config, version: 0, address: '10.0.0.1:1' })).toBe(true);
    expect(routeOf(map, key)).toMatchObject({ type: 'send', address: '10.0.0.1:1' });
    expect(map.applyHint({ config, version: 0, address: '10.0.0.1:1' })).toBe(false);
    map.setNodes([nodeOf('s1')]);
    expect(routeOf(map, key)).toMatchObject({ address: nodeOf('s1').address });
  });
});

describe('the live map', () => {
  it('S23 never goes back, and tells only of changes', () => {
    const map = mapWith();
    let changes = 0;
    const stop = map.onChange(() => changes++);
    const newer = { config: configOf(shard, nodeOf('s2'), { epoch: 2 as Epoch }), version: 5 };
    map.applyConfigs([newer]);
    map.applyConfigs([newer]);
    map.applyConfigs([{ config: configOf(shard, nodeOf('s1')), version: 9 }]);
    expect(changes).toBe(1);
    expect(map.map.shards.get(newer.config.shard)).toEqual(newer);
    stop();
    map.setNodes([]);
    expect(changes).toBe(1);
  });
});

describe('after a refusal', () => {
  const after = (code: RefusalCode, mapIsNewer: boolean) =>
    afterRefusal(new RefusedError(code, ''), mapIsNewer);

  it('a newer map is tried at once', () => {
    expect(after('NOT_PRIMARY', true)).toBe('reroute');
    expect(after('STALE_EPOCH', true)).toBe('reroute');
    expect(after('NODE_BEHIND', true)).toBe('reroute');
  });

  it('the same map is not asked again at once', () => {
    expect(after('NOT_PRIMARY', false)).toBe('wait');
    expect(after('NODE_BEHIND', false)).toBe('wait');
    expect(after('OVERLOADED', false)).toBe('wait');
  });

  it('what no retry mends is told at once', () => {
    for (const code of [
      'INVALID_REQUEST',
      'NOT_SUPPORTED',
      'CORRUPT_RECORD',
      'DISK_FULL',
      'NOT_ENOUGH_REPLICAS',
    ] as const) {
      expect(after(code, true)).toBe('give-up');
    }
  });

  it('S21 an unknown outcome is never asked again by the router', () => {
    const unknown = (Object.keys(REFUSALS) as RefusalCode[]).filter(
      (code) => REFUSALS[code].outcome === 'unknown',
    );
    expect(unknown).not.toHaveLength(0);
    for (const code of unknown) expect(after(code, true)).toBe('give-up');
  });
});
