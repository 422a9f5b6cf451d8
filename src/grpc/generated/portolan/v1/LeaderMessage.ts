// Original file: portolan/v1/internal.proto

import type { LeaderHello as _portolan_v1_LeaderHello, LeaderHello__Output as _portolan_v1_LeaderHello__Output } from '../../portolan/v1/LeaderHello.js';
import type { MapUpdate as _portolan_v1_MapUpdate, MapUpdate__Output as _portolan_v1_MapUpdate__Output } from '../../portolan/v1/MapUpdate.js';
import type { HandOver as _portolan_v1_HandOver, HandOver__Output as _portolan_v1_HandOver__Output } from '../../portolan/v1/HandOver.js';
import type { Ping as _portolan_v1_Ping, Ping__Output as _portolan_v1_Ping__Output } from '../../portolan/v1/Ping.js';
import type { ProgressReport as _portolan_v1_ProgressReport, ProgressReport__Output as _portolan_v1_ProgressReport__Output } from '../../portolan/v1/ProgressReport.js';

export interface LeaderMessage {
  'hello'?: (_portolan_v1_LeaderHello | null);
  'map'?: (_portolan_v1_MapUpdate | null);
  'handOver'?: (_portolan_v1_HandOver | null);
  'ping'?: (_portolan_v1_Ping | null);
  'progress'?: (_portolan_v1_ProgressReport | null);
  'message'?: "hello"|"map"|"handOver"|"ping"|"progress";
}

export interface LeaderMessage__Output {
  'hello'?: (_portolan_v1_LeaderHello__Output | null);
  'map'?: (_portolan_v1_MapUpdate__Output | null);
  'handOver'?: (_portolan_v1_HandOver__Output | null);
  'ping'?: (_portolan_v1_Ping__Output | null);
  'progress'?: (_portolan_v1_ProgressReport__Output | null);
  'message'?: "hello"|"map"|"handOver"|"ping"|"progress";
}
