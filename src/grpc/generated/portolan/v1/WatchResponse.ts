// Original file: portolan/v1/kv.proto

import type { WatchEvent as _portolan_v1_WatchEvent, WatchEvent__Output as _portolan_v1_WatchEvent__Output } from '../../portolan/v1/WatchEvent.js';

export interface WatchResponse {
  'events'?: (_portolan_v1_WatchEvent)[];
  'resumeToken'?: (Buffer | Uint8Array | string);
}

export interface WatchResponse__Output {
  'events': (_portolan_v1_WatchEvent__Output)[];
  'resumeToken': (Buffer);
}
