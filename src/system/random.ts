/** Chance from the operating system. */
import { randomBytes } from 'node:crypto';
import type { Uuid } from '../model/ids.js';
import type { Random } from '../ports/random.js';

export const systemRandom: Random = {
  uuid: () => randomBytes(16).toString('hex') as Uuid,
  nonce: () => randomBytes(8).toString('hex'),
  fraction: () => Math.random(),
};
