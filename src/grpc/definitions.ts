/**
 * The services of `proto/`, loaded at run time: the files are the definition, and the committed
 * types in `generated/` are checked against them by a tool. Found relative to this module, which
 * works from `src/` and from `dist/` alike.
 *
 * Longs are text (a version may exceed 2^53 for other readers), enums are their names, bytes are
 * Buffers, absent messages are null.
 */
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as grpc from '@grpc/grpc-js';
import * as protoLoader from '@grpc/proto-loader';
import type { ProtoGrpcType as ClusterProto } from './generated/cluster.js';
import type { ProtoGrpcType as HealthProto } from './generated/health.js';
import type { ProtoGrpcType as InternalProto } from './generated/internal.js';
import type { ProtoGrpcType as KvProto } from './generated/kv.js';

const PROTO_ROOT = fileURLToPath(new URL('../../proto', import.meta.url));

/** Every message and service, as `@grpc/reflection` wants it too. */
export const PACKAGE: protoLoader.PackageDefinition = protoLoader.loadSync(protoFiles(), {
  includeDirs: [PROTO_ROOT],
  longs: String,
  enums: String,
  defaults: true,
  oneofs: true,
});

const LOADED = grpc.loadPackageDefinition(PACKAGE) as unknown as {
  readonly portolan: {
    readonly v1: KvProto['portolan']['v1'] &
      ClusterProto['portolan']['v1'] &
      InternalProto['portolan']['v1'];
  };
  readonly grpc: HealthProto['grpc'];
};

export const KV = LOADED.portolan.v1.KV.service;
export const CLUSTER = LOADED.portolan.v1.Cluster.service;
export const STORAGE = LOADED.portolan.v1.Storage.service;
export const REPLICATION = LOADED.portolan.v1.Replication.service;
export const INSPECTION = LOADED.portolan.v1.Inspection.service;
export const MEMBER = LOADED.portolan.v1.Member.service;
export const HEALTH = LOADED.grpc.health.v1.Health.service;

/** For (de)serializers that hand over the bytes as they are. */
export function asIs(bytes: Buffer): Buffer {
  return bytes;
}

function protoFiles(): string[] {
  return readdirSync(PROTO_ROOT, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.proto'))
    .sort();
}
