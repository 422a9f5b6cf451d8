import { expect, it } from 'vitest';
import { readCandidates } from '../../src/coordination/candidates.js';
import type { MemberId } from '../../src/model/ids.js';
import { encodeCandidateRecord } from '../../src/model/registrations.js';
import { bytes, nothing, ok } from '../support/coordinator-checks.js';
import { MemoryService } from '../support/memory-coordinator.js';

it('candidates are read in election order, without the gone and the unreadable', async () => {
  const session = new MemoryService().connect('/c');
  ok(await session.create('/election', nothing, 'persistent'));
  const record = { id: 'r1' as MemberId, address: '127.0.0.1:1', admin: '' };
  for (const [name, data] of [
    ['b-c_0000000002', encodeCandidateRecord(record)],
    ['a-c_0000000010', encodeCandidateRecord(record)],
    ['z-c_0000000001', encodeCandidateRecord(record)],
    ['x-c_0000000003', bytes('?')],
  ] as const) {
    ok(await session.create(`/election/${name}`, data, 'ephemeral'));
  }
  const names = [...ok(await session.children('/election'))!, 'gone-c_0000000000', 'no-number'];
  const candidates = await readCandidates(session, names);
  expect(candidates.map(({ name }) => name.slice(0, 1))).toEqual(['z', 'b', 'a']);
});
