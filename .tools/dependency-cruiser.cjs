// The house rules as src/README.md has them: imports point down only, each technology has one
// folder, only composition roots and the command line wire adapters into roles.

/** What each folder may import, besides itself. */
const LAYERS = {
  model: [],
  wire: ['model'],
  replication: ['model'],
  control: ['model'],
  'znode-tree': ['model'],
  jute: ['model', 'znode-tree'],
  ports: ['model'],
  routing: ['model'],
  coordination: ['model', 'ports'],
  disk: ['model', 'ports'],
  zookeeper: ['model', 'ports', 'jute'],
  leveldb: ['model', 'ports'],
  grpc: ['model', 'ports', 'wire'],
  system: ['model', 'ports'],
  storage: ['model', 'wire', 'replication', 'ports', 'coordination', 'disk'],
  router: ['model', 'wire', 'routing', 'control', 'ports', 'coordination'],
  'zookeeper-server': ['model', 'znode-tree', 'jute', 'ports', 'disk'],
  client: ['model', 'wire', 'grpc'],
};

/** The one folder that may import each package. */
const OWNERS = {
  '@grpc': 'grpc',
  'node-zookeeper-client': 'zookeeper',
  level: 'leveldb',
  'prom-client': 'system',
  commander: 'cli',
};

const layers = Object.entries(LAYERS).map(([folder, below]) => ({
  name: `${folder}-imports-down`,
  severity: 'error',
  from: { path: `^src/${folder}/`, pathNot: '/compose\\.ts$' },
  to: { path: '^src/', pathNot: `^src/(${[folder, ...below].join('|')})/` },
}));

const owners = Object.entries(OWNERS).map(([name, folder]) => ({
  name: `${name}-only-in-${folder}`,
  severity: 'error',
  from: { path: '^src/', pathNot: `^src/${folder}/` },
  to: { path: `node_modules/${name}(/|$)` },
}));

module.exports = {
  forbidden: [
    ...layers,
    ...owners,
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'cores-import-no-package',
      severity: 'error',
      from: { path: '^src/(model|wire|replication|control|routing|znode-tree|jute)/' },
      // A checksum is arithmetic, wherever it is computed.
      to: { dependencyTypes: ['npm', 'core'], pathNot: '^(node:)?(crypto|zlib)$' },
    },
    { name: 'resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    exclude: { path: 'generated' },
    enhancedResolveOptions: { extensions: ['.ts', '.js', '.mjs', '.json'] },
  },
};
