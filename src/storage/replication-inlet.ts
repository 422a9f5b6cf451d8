/**
 * Streams of other nodes whose shards have replicas here: hears their primaries, answers for the
 * followers, and grants leases.
 *
 * A beat is a promise to leave the shards of that node alone for a while; it is given before it is
 * answered, and answered behind everything that was said before on the same stream, so that a
 * follower that turned away (`detached`) is never covered by a later answer (S14).
 */
import type { MemberId } from '../model/ids.js';
import type { Clock } from '../ports/clock.js';
import type { Log } from '../ports/log.js';
import type { Outgoing, ReplicateHandler } from '../ports/network.js';
import { CorruptRecordError } from '../replication/data-record.js';
import type { LeaseGrants } from '../replication/lease.js';
import { WireError } from '../wire/protobuf.js';
import type { InstallReceiver } from './install-receiver.js';
import {
  type DataPart,
  decodeFrame,
  type Hello,
  type ReplicationRecord,
} from './replication-frame.js';
import type { Work } from './rounds.js';
import { ReplicationWriter } from './replication-writer.js';

export interface InletDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly grants: LeaseGrants;
  /** Undefined while this node has not joined a cluster. */
  readonly hello: () => Hello | undefined;
  readonly installs: InstallReceiver;
  readonly submit: (work: Work) => void;
  /** The stream of this node is over: at once, before anything else is heard of it. */
  readonly callerDown: (node: MemberId) => void;
}

interface Stream {
  readonly outgoing: Outgoing<Buffer>;
  readonly writer: ReplicationWriter;
  readonly peer: string;
  caller: MemberId | undefined;
  isOver: boolean;
}

export class ReplicationInlet {
  readonly #deps: InletDeps;
  readonly #byCaller = new Map<MemberId, Stream>();
  #isLeaving = false;

  constructor(deps: InletDeps) {
    this.#deps = deps;
  }

  readonly handler: ReplicateHandler = (outgoing, peer) => {
    const overflow = () => this.#end(stream, 'it does not take what is sent');
    const writer = new ReplicationWriter(outgoing, overflow);
    const stream: Stream = { outgoing, writer, peer, caller: undefined, isOver: false };
    return {
      message: (frame) => this.#onFrame(stream, frame),
      drain: () => writer.drained(),
      closed: () => this.#over(stream),
    };
  };

  /** Lost if no stream of that node stands: its primaries hear of that, too. */
  send(to: MemberId, record: ReplicationRecord): void {
    this.#byCaller.get(to)?.writer.add(record);
  }

  /** Says so on every stream, on those that begin later, too. */
  leave(): void {
    if (this.#isLeaving) return;
    this.#isLeaving = true;
    for (const { writer } of this.#byCaller.values()) writer.add({ type: 'leaving' });
  }

  #onFrame(stream: Stream, frame: Buffer): void {
    let records: readonly ReplicationRecord[];
    try {
      records = decodeFrame(frame);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      return this.#end(stream, error.message);
    }
    for (const record of records) {
      if (stream.isOver) return;
      this.#onRecord(stream, record);
    }
  }

  #onRecord(stream: Stream, record: ReplicationRecord): void {
    if (record.type === 'hello') return this.#onHello(stream, record);
    const { caller } = stream;
    if (caller === undefined) return this.#end(stream, 'it did not say hello first');
    const { clock, grants, installs, submit } = this.#deps;
    switch (record.type) {
      case 'beat':
        grants.grant(caller, clock.now());
        return stream.writer.add({ type: 'beatAck', number: record.number });
      case 'replica': {
        const { shard, shardUuid, message } = record;
        const input = { type: 'message', from: caller, message } as const;
        submit({ type: 'replica', shard, shardUuid, input, isStale: () => stream.isOver });
        if (message.type !== 'install') return;
        return installs.begin(caller, { shard, shardUuid, number: message.number });
      }
      case 'data':
        return this.#onData(stream, caller, record);
      case 'dataEnd':
        return installs.end(caller, record);
      case 'beatAck':
      case 'dataAck':
      case 'leaving':
        return this.#end(stream, `it sent ${record.type}, which is not for it to send`);
    }
  }

  /** Our disk has nothing of it yet: the primary that sent it looks at its own, and begins anew. */
  #onData(stream: Stream, caller: MemberId, part: DataPart): void {
    try {
      this.#deps.installs.data(caller, part, (ack) => stream.writer.add(ack));
    } catch (error) {
      if (!(error instanceof CorruptRecordError)) throw error;
      this.#end(stream, `it sent a record that is not what was written: ${error.message}`);
    }
  }

  #onHello(stream: Stream, hello: Hello): void {
    const own = this.#deps.hello();
    if (own?.clusterUuid !== hello.clusterUuid) {
      return this.#end(stream, 'it is of another cluster, or this node has not joined one yet');
    }
    const before = this.#byCaller.get(hello.node);
    if (before !== undefined && before !== stream) this.#end(before, 'it has a newer stream');
    stream.caller = hello.node;
    this.#byCaller.set(hello.node, stream);
    stream.writer.add(own);
    if (this.#isLeaving) stream.writer.add({ type: 'leaving' });
  }

  #end(stream: Stream, reason: string): void {
    const { peer, caller } = stream;
    if (!stream.isOver) this.#deps.log.info('ended a replication stream', { peer, caller, reason });
    stream.outgoing.end();
    this.#over(stream);
  }

  #over(stream: Stream): void {
    if (stream.isOver) return;
    stream.isOver = true;
    const { caller } = stream;
    if (caller === undefined || this.#byCaller.get(caller) !== stream) return;
    this.#byCaller.delete(caller);
    this.#deps.callerDown(caller);
    this.#deps.installs.look();
  }
}
