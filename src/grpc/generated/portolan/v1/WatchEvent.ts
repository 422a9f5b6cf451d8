// Original file: portolan/v1/kv.proto

import type { Entry as _portolan_v1_Entry, Entry__Output as _portolan_v1_Entry__Output } from '../../portolan/v1/Entry.js';

export interface WatchEvent {
  'entry'?: (_portolan_v1_Entry | null);
  'deleted'?: (boolean);
}

export interface WatchEvent__Output {
  'entry': (_portolan_v1_Entry__Output | null);
  'deleted': (boolean);
}
