// Original file: portolan/v1/internal.proto

import type { LeaderHello as _portolan_v1_LeaderHello, LeaderHello__Output as _portolan_v1_LeaderHello__Output } from '../../portolan/v1/LeaderHello.js';
import type { MapUpdate as _portolan_v1_MapUpdate, MapUpdate__Output as _portolan_v1_MapUpdate__Output } from '../../portolan/v1/MapUpdate.js';

export interface LeaderMessage {
  'hello'?: (_portolan_v1_LeaderHello | null);
  'map'?: (_portolan_v1_MapUpdate | null);
  'message'?: "hello"|"map";
}

export interface LeaderMessage__Output {
  'hello'?: (_portolan_v1_LeaderHello__Output | null);
  'map'?: (_portolan_v1_MapUpdate__Output | null);
  'message'?: "hello"|"map";
}
