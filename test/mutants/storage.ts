/** Planted bugs in what a storage node keeps on disk, recovers from it, and sends of it. */
import type { Mutant } from './mutant.js';

export const STORAGE_MUTANTS: readonly Mutant[] = [
  {
    id: 'write-without-sync',
    wrong: 'batches are written without waiting for stable storage',
    breaks: ['S4', 'S5'],
    edits: [
      {
        file: 'src/leveldb/level-disk.ts',
        from: 'batch.write({ sync: true })',
        to: 'batch.write({ sync: false })',
      },
    ],
    tests: ['test/unit/leveldb-disk.test.ts'],
  },
  {
    id: 'replaced-by-a-word',
    wrong: 'a message about a shard as it was before takes the place of what it is',
    breaks: ['S19'],
    edits: [
      {
        file: 'src/storage/rounds.ts',
        from: `    const known = replicas.get(shard);
    if (known !== undefined && known.body.shardUuid !== shardUuid) {`,
        to: `    const known = replicas.get(shard);
    if (known !== undefined && known.body.shardUuid === 'nobody') {`,
      },
    ],
    tests: ['test/unit/storage-made-anew.test.ts'],
  },
  {
    id: 'replaced-without-an-end',
    wrong: 'the replica of a shard that is made anew goes on leading in memory, its writes open',
    breaks: ['S21'],
    edits: [
      {
        file: 'src/storage/rounds.ts',
        from: "      before.step({ type: 'retired' }, now);\n",
        to: '',
      },
    ],
    tests: ['test/unit/storage-made-anew.test.ts'],
  },
  {
    id: 'write-error-forgotten',
    wrong: 'after a write that failed the next one is tried',
    breaks: ['S20'],
    edits: [
      {
        file: 'src/leveldb/level-disk.ts',
        from: 'if (this.#failure !== undefined) throw this.#failure;',
        to: '',
      },
    ],
    tests: ['test/unit/leveldb-disk.test.ts'],
  },
  {
    id: 'write-error-ignored',
    wrong: 'a round goes on when its batch could not be written',
    breaks: ['S5', 'S20'],
    edits: [
      {
        file: 'src/storage/rounds.ts',
        from: 'await batch.writeDurably();',
        to: 'await batch.writeDurably().catch(() => undefined);',
      },
    ],
    tests: ['test/unit/storage-node.test.ts', 'test/unit/storage-rounds.test.ts'],
  },
  {
    id: 'answer-before-fsync',
    wrong: 'a round tells its replicas that they are durable before its batch is written',
    breaks: ['S4', 'S5'],
    edits: [
      {
        file: 'src/storage/rounds.ts',
        from: 'await batch.writeDurably();',
        to: 'const writing = batch.writeDurably();\n      this.#finish(written);\n      await writing;',
      },
      {
        file: 'src/storage/rounds.ts',
        from: '    this.#finish(written);\n    for',
        to: '    for',
      },
    ],
    tests: ['test/unit/storage-node.test.ts', 'test/unit/storage-rounds.test.ts'],
  },
  {
    id: 'log-gap-not-seen',
    wrong: 'a batch that is missing in the middle of the log of LevelDB is passed over',
    breaks: ['S2', 'S4', 'S20'],
    edits: [
      {
        file: 'src/leveldb/log-gaps.ts',
        from: 'if (expected !== undefined && sequence > expected) {',
        to: 'if (expected !== undefined && sequence < 0) {',
      },
    ],
    tests: ['test/unit/leveldb-log-gaps.test.ts'],
  },
  {
    id: 'dropped-log-not-seen',
    wrong: 'a directory whose log LevelDB dropped in part is served from',
    breaks: ['S20'],
    edits: [
      {
        file: 'src/leveldb/damage.ts',
        from: "  if (lines.length > 0) keepFinding(directory, lines.join('\\n'));\n",
        to: '  void lines;\n',
      },
    ],
    tests: ['test/conformance/leveldb.test.ts'],
  },
  {
    id: 'empty-directory-anew',
    wrong: 'a directory that lost the heart of its database is started anew, empty',
    breaks: ['S19'],
    edits: [
      {
        file: 'src/leveldb/level-disk.ts',
        from: '    refuseIncomplete(directory, files);\n',
        to: '    void refuseIncomplete;\n',
      },
    ],
    tests: ['test/conformance/leveldb.test.ts'],
  },
  {
    id: 'copy-without-snapshot',
    wrong: 'all data of a shard is read while it changes, not as of one moment',
    breaks: ['S8', 'S9'],
    edits: [
      {
        file: 'src/leveldb/level-disk.ts',
        from: `            lt,
            snapshot,
`,
        to: `            lt,
`,
      },
    ],
    tests: ['test/conformance/leveldb.test.ts'],
  },
  {
    id: 'recovery-without-chain',
    wrong: 'a start trusts log records that do not follow one another',
    breaks: ['S8', 'S20'],
    edits: [
      {
        file: 'src/storage/replica-recovery.ts',
        from: 'if (entry.previous !== last.chain || entry.epoch < last.epoch) {',
        to: 'if (entry.epoch < last.epoch) {',
      },
    ],
    tests: ['test/unit/storage-replica-recovery.test.ts'],
  },
  {
    id: 'applied-trusted',
    wrong: 'a start trusts an applied position that its log does not reach',
    breaks: ['S9', 'S20'],
    edits: [
      {
        file: 'src/storage/replica-recovery.ts',
        from: '  if (!isAppliedAnEnd) {\n',
        to: '  if (!isAppliedAnEnd && appliedSeq < 0) {\n',
      },
    ],
    tests: ['test/unit/storage-replica-recovery.test.ts'],
  },
  {
    id: 'epoch-above-promise-trusted',
    wrong: 'a start trusts a log of a higher epoch than was ever promised',
    breaks: ['S2', 'S20'],
    edits: [
      {
        file: 'src/storage/replica-recovery.ts',
        from: 'if (last.epoch > promisedEpoch) {',
        to: 'if (last.epoch > promisedEpoch + 1e6) {',
      },
    ],
    tests: ['test/unit/storage-replica-recovery.test.ts'],
  },
  {
    id: 'checksum-not-compared',
    wrong: 'a stored record is answered although its checksum does not match',
    breaks: ['S20'],
    edits: [
      {
        file: 'src/replication/data-record.ts',
        from: 'if (record.readUInt32BE(CRC_AT) !== computed) {',
        to: 'if (record.readUInt32BE(CRC_AT) < 0 && computed < 0) {',
      },
    ],
    tests: ['test/unit/storage-replica-store.test.ts', 'test/unit/replication-log.test.ts'],
  },
  {
    id: 'record-of-another-key',
    wrong: 'a record that lies under the key of another one is answered',
    breaks: ['S20'],
    edits: [
      {
        file: 'src/replication/data-record.ts',
        from: 'const computed = crc32(record.subarray(FLAGS_AT), crc32(key));',
        to: 'const computed = crc32(record.subarray(FLAGS_AT));\n  void key;',
      },
      {
        file: 'src/replication/data-record.ts',
        from: 'crc32(target.subarray(at + FLAGS_AT, end), crc32(key))',
        to: 'crc32(target.subarray(at + FLAGS_AT, end))',
      },
      {
        file: 'src/replication/data-record.ts',
        from: '  target[at + FLAGS_AT] = NO_FLAGS;\n',
        to: '  target[at + FLAGS_AT] = NO_FLAGS;\n  void key;\n',
      },
    ],
    tests: ['test/unit/storage-replica-store.test.ts'],
  },
  {
    id: 'deletes-not-applied',
    wrong: 'a delete is logged and never applied to the data',
    breaks: ['S9', 'S12'],
    edits: [
      {
        file: 'src/storage/stored-replica.ts',
        from: "else if (op.type === 'delete') batch.remove(dataKey(this.#prefix, op.key));",
        to: "else if (op.type === 'delete') void dataKey(this.#prefix, op.key);",
      },
    ],
    tests: ['test/unit/storage-replica-crash.test.ts'],
  },
  {
    id: 'install-over-old-data',
    wrong: 'data that comes with an install is written over the old, whose deleted keys stay',
    breaks: ['S9', 'S15'],
    edits: [
      {
        file: 'src/storage/replica-store.ts',
        from: 'batch.put(dataKey(prefix, key), record);',
        to: 'batch.put(dataKey(this.#replicas.get(shardUuid)?.prefix ?? prefix, key), record);',
      },
      {
        file: 'src/storage/replica-store.ts',
        from: 'const [before, prefix] = [replica.prefix, this.#installs.get(shardUuid)];',
        to: 'const [prefix, before] = [replica.prefix, this.#installs.get(shardUuid) ?? 0];',
      },
    ],
    tests: ['test/unit/storage-replica-store.test.ts', 'test/unit/storage-replica-crash.test.ts'],
  },
  {
    id: 'old-data-not-garbage',
    wrong: 'an install that was given up is not marked, and taken for damage at the next start',
    breaks: ['S19'],
    edits: [
      {
        file: 'src/storage/replica-store.ts',
        from: `    const prefix = this.#mintPrefix();
    batch.put(markKey('garbage', prefix), NOTHING);`,
        to: '    const prefix = this.#mintPrefix();',
      },
    ],
    tests: ['test/unit/storage-replica-store.test.ts', 'test/unit/storage-replica-crash.test.ts'],
  },
  {
    id: 'damaged-is-emptied',
    wrong: 'what a start cannot trust is removed as garbage',
    breaks: ['S19'],
    edits: [
      {
        file: 'src/storage/replica-recovery.ts',
        from: '  return { replicas, damaged, garbage, prefixMax: Math.max(0, ...known, ...strays) };',
        to: `  const all = [...garbage, ...damaged.map(({ prefix }) => prefix)];
  return { replicas, damaged: [], garbage: all, prefixMax: Math.max(0, ...known, ...strays) };`,
      },
    ],
    tests: ['test/unit/storage-replica-recovery.test.ts'],
  },
  {
    id: 'part-of-install-switched-to',
    wrong: 'a learner switches to data of which a part did not come',
    breaks: ['S6', 'S15'],
    edits: [
      {
        file: 'src/storage/install-receiver.ts',
        from: 'if (this.#awaited(from, end)?.pairs !== pairs) return;',
        to: 'if ((this.#awaited(from, end)?.pairs ?? Infinity) > pairs) return;',
      },
    ],
    tests: ['test/unit/storage-install-receiver.test.ts'],
  },
  {
    id: 'install-of-anybody-received',
    wrong: 'the late install of a deposed primary takes the place of the one that is under way',
    breaks: ['S3', 'L2'],
    edits: [
      {
        file: 'src/storage/install-receiver.ts',
        from: 'if (!isAwaited(from, name)) return;',
        to: 'if (!isAwaited(from, name) && number < 0) return;',
      },
    ],
    tests: ['test/unit/storage-install-receiver.test.ts', 'test/unit/storage-installs.test.ts'],
  },
  {
    id: 'end-of-stopped-install',
    wrong: 'an install that was stopped says that all was sent, and that counts for the next one',
    breaks: ['S6', 'S15'],
    edits: [
      {
        file: 'src/storage/install-sender.ts',
        from: `        // It may have been stopped while the last part was read, too.
        if (sending.isOver) return;
`,
        to: '',
      },
      {
        file: 'src/storage/install-receiver.ts',
        from: 'receiving.name.number === number;',
        to: 'number > 0;',
      },
    ],
    tests: [
      'test/unit/storage-install-receiver.test.ts',
      'test/unit/storage-install-sender.test.ts',
    ],
  },
  {
    id: 'broken-install-stays',
    wrong: 'what came of an install that was broken off stays on disk',
    breaks: ['L5'],
    edits: [
      {
        file: 'src/storage/install-receiver.ts',
        from: '      store.abandonInstall(name.shardUuid);\n',
        to: '      void store;\n',
      },
    ],
    tests: ['test/unit/storage-installs.test.ts'],
  },
  {
    id: 'shard-known-by-number',
    wrong: 'a replica of a shard that was made anew is taken for one of the shard before',
    breaks: ['S8', 'S19'],
    edits: [
      {
        file: 'src/storage/replicas.ts',
        from: 'const replica = this.#byUuid.get(shardUuid) ?? this.#make(shard, shardUuid);',
        to: 'const replica = this.#byShard.get(shard) ?? this.#make(shard, shardUuid);',
      },
    ],
    tests: ['test/unit/storage-made-anew.test.ts'],
  },
  {
    id: 'older-leader-heard',
    wrong: 'a storage node listens to a leader whose successor it has heard of',
    breaks: ['S17'],
    edits: [
      {
        file: 'src/storage/following.ts',
        from: 'if (leaderEpoch < this.#leaderEpoch) {',
        to: 'if (leaderEpoch < this.#leaderEpoch - 1) {',
      },
      {
        file: 'src/storage/store.ts',
        from: "    assert(leaderEpoch >= this.#leaderEpoch, 'S17', () => ({ leaderEpoch }));\n",
        to: '',
      },
    ],
    tests: ['test/unit/storage-following.test.ts'],
  },
  {
    id: 'leader-heard-before-durable',
    wrong: 'a storage node does what a new leader says before its leaderEpoch is durable',
    breaks: ['S17'],
    edits: [
      {
        file: 'src/storage/following.ts',
        from: 'if (leaderEpoch === this.#durableLeaderEpoch) return this.#accept(stream);',
        to: 'if (leaderEpoch >= this.#durableLeaderEpoch) return this.#accept(stream);',
      },
    ],
    tests: ['test/unit/storage-following.test.ts'],
  },
  {
    id: 'hanging-disk-unnoticed',
    wrong: 'a disk that neither writes nor fails is waited for, for ever',
    breaks: ['L1'],
    edits: [
      {
        file: 'src/storage/write-watch.ts',
        from: 'if (++this.#looks >= LOOKS_MAX) return this.#hangs();',
        to: 'if (++this.#looks < 0) return this.#hangs();',
      },
    ],
    tests: ['test/unit/storage-rounds.test.ts'],
  },
  {
    id: 'late-process-blames-disk',
    wrong: 'a process that was paused takes a write that was under way for one that hangs',
    breaks: ['L1'],
    edits: [
      {
        file: 'src/storage/write-watch.ts',
        from: 'if (++this.#looks >= LOOKS_MAX) return this.#hangs();',
        to: 'if (this.#clock.now() - this.#looks > 20_000) return this.#hangs();',
      },
      {
        file: 'src/storage/write-watch.ts',
        from: '    this.#looks = 0;\n',
        to: '    this.#looks = this.#clock.now();\n',
      },
    ],
    tests: ['test/unit/storage-rounds.test.ts'],
  },
  {
    id: 'only-copy-released',
    wrong: 'what was set aside goes to make room although nothing of its shard is in sync here',
    breaks: ['S19', 'S20'],
    edits: [
      {
        file: 'src/storage/keeping.ts',
        from: 'return problem === undefined && isInSync && !isOutdated(replica);',
        to: "return problem === undefined && (isInSync || standing !== 'elsewhere');",
      },
      {
        file: 'src/storage/keeping.ts',
        from: '        if (now?.hasSuccessor !== true || !isWhole(replica)) return;',
        to: '        if (now === undefined || !isWhole(replica)) return;',
      },
      {
        file: 'src/storage/replica-store.ts',
        from: 'const mayGo = released?.at !== undefined && released.hasSuccessor;',
        to: 'const mayGo = released?.at !== undefined;',
      },
    ],
    tests: ['test/unit/storage-quarantine.test.ts'],
  },
  {
    id: 'learners-kept-instead',
    wrong: 'a learner that is set aside takes the place of the one that may be the only copy',
    breaks: ['S19', 'S20'],
    edits: [
      {
        file: 'src/storage/replica-store.ts',
        from: `    for (const damaged of ofShard) {
      if (damaged.record === undefined) continue;
      if (!mayBeOnlyCopy) this.#keepDamaged(batch, damaged);`,
        to: `    for (const damaged of ofShard) {
      if (mayBeOnlyCopy && damaged.record === undefined) this.#discard(batch, damaged);
      if (damaged.record === undefined) continue;
      if (damaged.at === undefined) this.#keepDamaged(batch, damaged);`,
      },
    ],
    tests: ['test/unit/storage-quarantine.test.ts'],
  },
  {
    id: 'set-aside-without-limit',
    wrong: 'a disk that rots is filled with what was set aside on it',
    breaks: ['L5'],
    edits: [
      {
        file: 'src/storage/keeping.ts',
        from: 'isDiskFull() ? kept : tooMany(kept)',
        to: 'isDiskFull() ? kept : tooMany(kept).slice(0, 0)',
      },
    ],
    tests: ['test/unit/storage-quarantine.test.ts'],
  },
  {
    id: 'set-back-tells-of-successor',
    wrong:
      'a configuration that was set back makes an empty learner the successor of the only copy',
    breaks: ['S19'],
    edits: [
      {
        file: 'src/storage/keeping.ts',
        from: 'config.epoch < body.promisedEpoch',
        to: 'body.promisedEpoch < 0',
      },
    ],
    tests: ['test/unit/storage-quarantine.test.ts'],
  },
  {
    id: 'whole-while-replaced',
    wrong: 'a replica whose data is being replaced stands in for what was set aside before',
    breaks: ['S19'],
    edits: [
      {
        file: 'src/storage/keeping.ts',
        from: ' || body.isInstalling;',
        to: ';',
      },
    ],
    tests: ['test/unit/storage-quarantine.test.ts'],
  },
  {
    id: 'late-config-tells-of-successor',
    wrong: 'a configuration that is not followed tells of a successor of the only copy',
    breaks: ['S19'],
    edits: [
      {
        file: 'src/storage/rounds.ts',
        from: 'if (replica.config !== known) hooks.configured(replica);',
        to: 'if (known !== null) hooks.configured(replica);',
      },
    ],
    tests: ['test/unit/storage-quarantine.test.ts'],
  },
  {
    id: 'shard-before-forgotten',
    wrong: 'what a node holds of a shard that was made anew is not found again by its process',
    breaks: ['S2', 'S19'],
    edits: [
      {
        file: 'src/storage/replicas.ts',
        from: 'const replica = this.#byUuid.get(shardUuid) ?? this.#make(shard, shardUuid);',
        to: `const known = this.#byShard.get(shard);
    const replica =
      known?.body.shardUuid === shardUuid ? known : this.#make(shard, shardUuid);`,
      },
    ],
    tests: ['test/unit/storage-made-anew.test.ts'],
  },
];
