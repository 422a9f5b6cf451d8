/**
 * ZooKeeper's replicated state: znodes, and the sessions that own some of them. Transactions go in
 * one by one; every copy that applies the same ones in the same order is the same (Hunt et al.,
 * USENIX ATC 2010, section 4). Pure: no clock, no randomness, no promises.
 *
 * Each transaction takes the next zxid, also one that is refused: the server numbers a request
 * before it judges it (`PrepRequestProcessor.pRequestHelper` of ZooKeeper 3.8 calls `getNextZxid`
 * first, and orders the refusal as an error transaction). Reads take none.
 *
 * What is deliberately not here: quotas, containers and znodes with a time to live;
 * the end of counters at 32 bits; when a session expires (`session-expiry.ts`).
 */
import { assert, unreachable } from '../model/assert.js';
import type { Acl } from './acl.js';
import type { Applied, ErrorCode, Request, Result, Step, StepCode } from './requests.js';
import type { SessionId, StepResult, Transaction } from './requests.js';
import type { Snapshot } from './snapshot.js';
import type { Stat } from './stat.js';
import { doStep, type StepStamp } from './steps.js';
import type { ZnodeFields } from './znode.js';
import { ZnodeTable } from './znode-table.js';

/** Above so many bits of the zxid stands how often a leader of the ensemble was elected. */
const ZXID_REIGN = 2 ** 32;

export class ZnodeTree {
  readonly #table: ZnodeTable;
  /** Timeouts in milliseconds. */
  readonly #sessions: Map<SessionId, number>;
  #lastZxid: number;

  /** Empty but for what every ZooKeeper has, or a copy of what a snapshot holds. */
  constructor(snapshot?: Snapshot) {
    this.#table = snapshot === undefined ? ZnodeTable.fresh() : ZnodeTable.of(snapshot.znodes);
    this.#sessions = new Map(snapshot?.sessions);
    this.#lastZxid = snapshot?.lastZxid ?? 0;
  }

  /** Of the latest transaction; 0 before the first. Below 2^53 as long as reigns are below 2^21. */
  get lastZxid(): number {
    return this.#lastZxid;
  }

  /** Open ones, with their timeouts in milliseconds. */
  get sessions(): ReadonlyMap<SessionId, number> {
    return this.#sessions;
  }

  /** Of znodes, those that every ZooKeeper has included. */
  get size(): number {
    return this.#table.size;
  }

  /** A new leader of the ensemble begins to count where none before it did. */
  beginReign(): void {
    this.#lastZxid = (Math.floor(this.#lastZxid / ZXID_REIGN) + 1) * ZXID_REIGN;
    assert(Number.isSafeInteger(this.#lastZxid), 'zxids are exact');
  }

  /** Ephemeral znodes. */
  get ephemeralCount(): number {
    return this.#table.ephemeralCount;
  }

  /** About what all paths and all data take. Looks at every znode. */
  get dataBytes(): number {
    return this.#table.dataBytes;
  }

  apply({ session, timeMs, identities, request }: Transaction): Applied {
    const zxid = ++this.#lastZxid;
    const result = this.#do(request, { zxid, timeMs, session, identities });
    if (!result.ok) {
      this.#table.revert();
      return { zxid, result, changes: [] };
    }
    return { zxid, result, changes: this.#table.keep() };
  }

  /** The very bytes: whoever gets them does not change them. */
  data(path: string): Buffer | undefined {
    return this.#table.get(path)?.data;
  }

  acl(path: string): Acl | undefined {
    return this.#table.get(path)?.acl;
  }

  /** All of a znode but its children. */
  fields(path: string): ZnodeFields | undefined {
    return this.#table.get(path)?.fields();
  }

  stat(path: string): Stat | undefined {
    return this.#table.get(path)?.stat();
  }

  /** Names, in no particular order. */
  children(path: string): readonly string[] | undefined {
    const znode = this.#table.get(path);
    return znode === undefined ? undefined : [...znode.children];
  }

  /** Paths. */
  ephemeralsOf(session: SessionId): readonly string[] {
    return this.#table.ephemeralsOf(session);
  }

  /** Everything, as it is now; later transactions do not change it. */
  snapshot(): Snapshot {
    const znodes = [...this.#table.entries()];
    return { lastZxid: this.#lastZxid, sessions: [...this.#sessions], znodes };
  }

  /** For tests: everything that must hold between transactions. */
  assertInvariants(): void {
    this.#table.assertInvariants();
    for (const [path, { owner }] of this.#table.entries()) {
      assert(owner === undefined || this.#sessions.has(owner), 'owners live', () => ({ path }));
    }
  }

  #do(request: Request, stamp: StepStamp): Result {
    switch (request.type) {
      case 'open-session':
        assert(!this.#sessions.has(stamp.session), 'ids of sessions are new');
        this.#sessions.set(stamp.session, request.timeoutMs);
        return { ok: true, steps: [] };
      case 'close-session':
        // Its ephemeral znodes vanish in this one transaction. One that is closed already has none.
        this.#sessions.delete(stamp.session);
        for (const path of this.#table.ephemeralsOf(stamp.session)) this.#table.delete(path, stamp);
        return { ok: true, steps: [] };
      case 'multi':
        return this.#doSteps(request.steps, stamp);
      case 'create':
      case 'delete':
      case 'set-data':
      case 'set-acl':
      case 'check':
        return this.#doSteps([request], stamp);
      default:
        return unreachable(request);
    }
  }

  /** All or none. A step sees what those before it did, and nobody sees it but they. */
  #doSteps(steps: readonly Step[], stamp: StepStamp): Result {
    const results: StepResult[] = [];
    for (const step of steps) {
      const done = this.#sessions.has(stamp.session)
        ? doStep(this.#table, step, stamp)
        : 'session-expired';
      if (typeof done === 'string') {
        return { ok: false, code: done, steps: codesOf(steps.length, results.length, done) };
      }
      results.push(done);
    }
    return { ok: true, steps: results };
  }
}

/** As `DataTree.processTxn` of ZooKeeper 3.8 answers a multi of which one step was refused. */
function codesOf(length: number, culprit: number, code: ErrorCode): readonly StepCode[] {
  return Array.from({ length }, (_, index) => {
    if (index === culprit) return code;
    return index < culprit ? 'ok' : 'runtime-inconsistency';
  });
}
