/**
 * What the znode `/shards` itself holds: whether its children were all created once. From then on a
 * shard whose znode is missing has lost it, and must not be created anew as an empty one (S19).
 */
import { encodeRecord, RecordReader } from './records.js';
import { ZNODES } from './znodes.js';

const FORMAT = 1;

/** `open`: shards may be created, and none is active. `complete`: never to be open again. */
export type PlacementState = 'open' | 'complete';

/** Of a complete placement; an open one is an empty znode. The nonce tells whose write it is. */
export function encodeCompletePlacement(nonce: string): Buffer {
  return encodeRecord({ format: FORMAT, placement: 'complete', nonce });
}

/** @throws BadRecordError if the znode holds something else. */
export function decodePlacement(bytes: Uint8Array): PlacementState {
  if (bytes.length === 0) return 'open';
  const record = new RecordReader(ZNODES.shards, bytes);
  record.format(FORMAT);
  return record.field('placement', '"complete"', (state): state is 'complete' => {
    return state === 'complete';
  });
}
