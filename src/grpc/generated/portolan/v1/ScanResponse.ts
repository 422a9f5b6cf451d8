// Original file: portolan/v1/kv.proto

import type { Entry as _portolan_v1_Entry, Entry__Output as _portolan_v1_Entry__Output } from '../../portolan/v1/Entry.js';

export interface ScanResponse {
  'entries'?: (_portolan_v1_Entry)[];
  'cursor'?: (Buffer | Uint8Array | string);
}

export interface ScanResponse__Output {
  'entries': (_portolan_v1_Entry__Output)[];
  'cursor': (Buffer);
}
