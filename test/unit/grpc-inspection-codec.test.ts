/** What a node answers an operator, as bytes. */
import { expect, it } from 'vitest';
import { INSPECTION } from '../../src/grpc/definitions.js';
import {
  fromWireInventory,
  InspectionError,
  toWireInventory,
} from '../../src/grpc/inspection-codec.js';
import type { Inventory } from '../../src/model/inspection.js';
import { clusterOf, configOf, nodeOf, uuidOf } from '../support/configs.js';

const { id, store, process, ancestry } = nodeOf('s1', 3);
const inventory = {
  ...{ node: id, store, process, lives: ancestry },
  ...{ clusterUuid: uuidOf('cluster'), cluster: clusterOf(), leaderEpoch: 7 },
  replicas: [
    {
      ...{ shard: 2, shardUuid: uuidOf('shard-2'), epoch: 4, lastSeq: 9, lastEpoch: 3 },
      ...{ commitSeq: 8, problem: undefined },
    },
  ],
  configs: [{ config: configOf(2, nodeOf('s1')), version: 5 }],
} as unknown as Inventory;

function heard(wire = toWireInventory(inventory)): Inventory {
  const { responseSerialize, responseDeserialize } = INSPECTION.Inventory;
  return fromWireInventory(responseDeserialize(responseSerialize(wire)));
}

it('an inventory arrives as it was sent', () => {
  expect(heard()).toEqual(inventory);
  const fresh = { ...inventory, lives: [], clusterUuid: null, cluster: undefined };
  expect(heard(toWireInventory(fresh))).toEqual(fresh);
});

it('one that names nobody is refused', () => {
  for (const change of [{ process: '' }, { lives: ['s1'] }, { node: '' }, { store: 'x' }]) {
    expect(() => heard({ ...toWireInventory(inventory), ...change })).toThrow(InspectionError);
  }
});
