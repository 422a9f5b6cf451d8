/** What a router shows on its metrics page, in names that dashboards may rely on. */
import { DURATION_BOUNDS } from '../model/call-metrics.js';
import type { Coordinator } from '../ports/coordinator.js';
import { byName, type MetricSource, single } from '../ports/metrics.js';
import type { LeaderFollower } from './follower.js';
import type { MapHolder } from './map-holder.js';
import type { RouterCounters } from './metrics.js';
import type { NodeLinks } from './node-links.js';
import type { ServiceWatch } from './service-watch.js';

export interface MetricParts {
  readonly counters: RouterCounters;
  readonly coordinator: Pick<Coordinator, 'counters'>;
  readonly links: NodeLinks;
  readonly follower: LeaderFollower;
  readonly map: MapHolder;
  readonly service: ServiceWatch;
}

export function metricSources(parts: MetricParts): readonly MetricSource[] {
  return [...callSources(parts), ...clusterSources(parts), ...shardSources(parts)];
}

function callSources({ counters }: MetricParts): readonly MetricSource[] {
  return [
    {
      name: 'portolan_requests_total',
      help: 'Calls that ended, by operation and outcome',
      type: 'counter',
      labelNames: ['op', 'outcome'],
      read: () => counters.calls.counts(),
    },
    {
      name: 'portolan_request_duration_seconds',
      help: 'How long calls took, by operation',
      type: 'histogram',
      bounds: DURATION_BOUNDS,
      read: () => counters.calls.durations(),
    },
    counter('portolan_request_retries_total', 'Requests sent to a storage node again', () => {
      return counters.retries;
    }),
    gauge('portolan_held_calls', 'Calls held at this moment', () => counters.heldCalls),
    gauge('portolan_waiting_calls', 'Of these, those that wait for a primary or a pause', () => {
      return counters.waitingCalls;
    }),
    gauge('portolan_held_bytes', 'Bytes of the calls held', () => counters.heldBytes),
  ];
}

function clusterSources({
  counters,
  coordinator,
  links,
  follower,
  map,
}: MetricParts): readonly MetricSource[] {
  return [
    gauge('portolan_is_leader', '1 while this router leads', () => Number(counters.isLeading)),
    counter('portolan_leaderships_total', 'How often this router began to lead', () => {
      return counters.leaderships;
    }),
    gauge('portolan_leader_epoch', 'Highest leaderEpoch heard of', () => {
      return follower.leader?.leaderEpoch ?? 0;
    }),
    gauge('portolan_nodes', 'Registered storage nodes in the map of this router', () => {
      return map.map.nodes.size;
    }),
    gauge('portolan_node_links', 'Storage nodes this router is connected to', () => {
      return links.connected;
    }),
    {
      name: 'portolan_zookeeper_events_total',
      help: 'What happened between this router and ZooKeeper',
      type: 'counter',
      labelNames: ['event'],
      read: byName('event', () => coordinator.counters),
    },
  ];
}

function shardSources({ counters, service }: MetricParts): readonly MetricSource[] {
  return [
    {
      name: 'portolan_shard_changes_total',
      help: 'Changes of shards that this router made while it led, by reason (fail-over, shrink)',
      type: 'counter',
      labelNames: ['reason'],
      read: byName('reason', () => counters.changes),
    },
    gauge('portolan_shards_unserved', 'Shards that no primary serves', () => service.unserved),
    gauge(
      'portolan_shards_under_replicated',
      'Shards that are served with fewer replicas in sync than they should have',
      () => service.underReplicated,
    ),
    counter(
      'portolan_shard_unserved_seconds_total',
      'Seconds without a primary, summed over shards, to a tenth of a second',
      () => service.unservedSeconds,
    ),
  ];
}

function counter(name: string, help: string, read: () => number): MetricSource {
  return { name, help, type: 'counter', read: single(read) };
}

function gauge(name: string, help: string, read: () => number): MetricSource {
  return { name, help, type: 'gauge', read: single(read) };
}
