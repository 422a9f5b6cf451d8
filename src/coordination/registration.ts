/**
 * Keeping a storage node registered: an ephemeral znode under `/nodes`, made again in every session
 * (rule Z10).
 *
 * One multi creates the znode and sets its data: the second step's answer carries the transaction
 * that created it, so the node knows its incarnation from the same atomic step (as Kafka's brokers
 * learn their epoch, KIP-380). A znode that is already there is one of three:
 *  - this session's own, from an attempt whose answer was lost: taken as it is;
 *  - one with our store and our address: left by an earlier session or process of ours. We listen
 *    on that address, so that one cannot be alive: removed and replaced;
 *  - any other: another node uses our name, or a copy of our data directory. It may be dying, so we
 *    wait for as long as its session can last, and then give up with a message for the operator.
 */
import type { Incarnation, MemberId } from '../model/ids.js';
import { BadRecordError } from '../model/records.js';
import { decodeNodeRecord, encodeNodeRecord, type NodeRecord } from '../model/registrations.js';
import { nodeZnode } from '../model/znodes.js';
import type { Cancel, Clock } from '../ports/clock.js';
import type { CoordinatorSession, Outcome, Znode } from '../ports/coordinator.js';
import type { Log } from '../ports/log.js';
import type { Random } from '../ports/random.js';

/** Who is registered under our name. */
export interface Holder {
  readonly address: string;
  /** Whether its data directory claims to be ours. */
  readonly hasOurStore: boolean;
}

/** Somebody else is registered under this node's name, and stays. */
export class NodeIdInUseError extends Error {
  constructor(id: MemberId, holder: Holder) {
    super(
      holder.hasOurStore
        ? `a copy of this data directory is in use by node ${id} at ${holder.address}. Two ` +
            'copies cannot both be right: keep that one, and start this node with a directory ' +
            'and an --id of its own'
        : `node id ${id} is in use by ${holder.address}. Start this node with another --id, or ` +
            'stop the other process first',
    );
    this.name = 'NodeIdInUseError';
  }
}

export interface RegistrationDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

export interface RegistrationEvents {
  /** Registered, in this life. Again in every new session. */
  registered(incarnation: Incarnation): void;
  /** It will never succeed; the reason is for the operator. */
  failed(reason: Error): void;
}

/** Pause after a step that was not answered, and while another holder may be dying. */
const RETRY_MS = 200;
/** Between looks whether the registration is still there, plus jitter (rule Z7). */
const VERIFY_MS = { least: 30_000, jitter: 30_000 };
/** Session timeouts after which a holder that is still there is alive. */
const PATIENCE = 1.5;

type Attempt =
  | { readonly type: 'registered'; readonly incarnation: Incarnation }
  /** Not now: no answer, or something was in the way and is being removed. */
  | { readonly type: 'again' }
  | { readonly type: 'held'; readonly holder: Holder }
  /** For a reason that waiting may not mend, and that the operator should know. */
  | { readonly type: 'refused'; readonly why: string };

export class NodeRegistration {
  readonly #record: NodeRecord;
  readonly #events: RegistrationEvents;
  readonly #deps: RegistrationDeps;
  readonly #path: string;
  #session: CoordinatorSession | undefined;
  #incarnation: Incarnation | undefined;
  /** Of the next look. */
  #cancelLook: Cancel = () => undefined;
  /** The attempts to register that are under way; settles when they have ended. */
  #registering: Promise<void> = Promise.resolve();
  /** What ends each pause between attempts: those of an earlier session may still be under way. */
  readonly #pauses = new Set<() => void>();
  #withdrawn = false;

  constructor(record: NodeRecord, events: RegistrationEvents, deps: RegistrationDeps) {
    this.#record = record;
    this.#events = events;
    this.#deps = deps;
    this.#path = nodeZnode(record.id);
  }

  /** Registers in this session, and keeps looking that it stays so. */
  enter(session: CoordinatorSession): void {
    this.#session = session;
    this.#incarnation = undefined;
    session.on('state', (state) => {
      if (state === 'connected' && session === this.#session) void this.#verify(session);
    });
    this.#register(session);
  }

  /**
   * Ends the registration at once, if ZooKeeper can be reached: also one whose creation is not
   * answered yet, and none but this session's own.
   */
  async withdraw(): Promise<void> {
    this.#withdrawn = true;
    this.#cancelLook();
    for (const end of [...this.#pauses]) end();
    await this.#registering;
    const session = this.#session;
    if (session === undefined) return;
    const found = await readFresh(session, this.#path);
    if (found.status !== 'ok' || found.value?.stat.owner !== session.id) return;
    await session.remove(this.#path, found.value.stat.version);
  }

  #register(session: CoordinatorSession): void {
    const earlier = this.#registering;
    const now = this.#registerUntilDone(session);
    this.#registering = Promise.all([earlier, now]).then(() => undefined);
  }

  async #registerUntilDone(session: CoordinatorSession): Promise<void> {
    const { clock, log } = this.#deps;
    let heldSinceMs: number | undefined;
    let saidRefused = '';
    while (this.#isCurrent(session)) {
      const attempt = await this.#attempt(session);
      if (!this.#isCurrent(session)) return;
      if (attempt.type === 'registered') return this.#onRegistered(session, attempt.incarnation);
      if (attempt.type === 'refused' && attempt.why !== saidRefused) {
        saidRefused = attempt.why;
        log.error(`ZooKeeper refuses the registration ${this.#path}: ${attempt.why}; trying on`);
      }
      if (attempt.type === 'held') {
        if (heldSinceMs === undefined) {
          log.warn(`${attempt.holder.address} holds our node id; waiting for it to end`);
        }
        heldSinceMs ??= clock.now();
        if (clock.now() > heldSinceMs + PATIENCE * session.timeoutMs) {
          return this.#events.failed(new NodeIdInUseError(this.#record.id, attempt.holder));
        }
      } else {
        // A ZooKeeper that was away gives every session its whole time again.
        heldSinceMs = undefined;
      }
      await this.#pause();
    }
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        cancel();
        this.#pauses.delete(end);
        resolve();
      };
      const cancel = this.#deps.clock.after(RETRY_MS, end);
      this.#pauses.add(end);
    });
  }

  async #attempt(session: CoordinatorSession): Promise<Attempt> {
    const data = encodeNodeRecord(this.#record);
    const made = await session.multi([
      { type: 'create', path: this.#path, data, mode: 'ephemeral' },
      { type: 'set', path: this.#path, data, version: 0 },
    ]);
    if (made.status === 'ok') {
      const set = made.value[1];
      if (set?.type === 'set') return registered(set.stat.czxid);
    }
    if (made.status === 'failed' && made.code !== 'node-exists') {
      const isAway = made.code === 'not-connected' || made.code === 'session-lost';
      return isAway ? { type: 'again' } : { type: 'refused', why: made.message };
    }
    const found = await readFresh(session, this.#path);
    if (found.status !== 'ok' || found.value === undefined) return { type: 'again' };
    return this.#judge(session, found.value);
  }

  /** Whose znode this is, and what follows. */
  async #judge(session: CoordinatorSession, { data, stat }: Znode): Promise<Attempt> {
    const record = decodeOrUndefined(this.#record.id, data);
    const isOurs = record?.process === this.#record.process;
    if (isOurs && stat.owner === session.id) return registered(stat.czxid);
    const hasOurStore = record?.store === this.#record.store;
    if (hasOurStore && record.address === this.#record.address) {
      await session.remove(this.#path, stat.version);
      return { type: 'again' };
    }
    const address = record?.address ?? 'a process with an unreadable registration';
    return { type: 'held', holder: { address, hasOurStore } };
  }

  #onRegistered(session: CoordinatorSession, incarnation: Incarnation): void {
    this.#incarnation = incarnation;
    this.#deps.log.info(`registered as ${this.#path}`, { incarnation });
    this.#events.registered(incarnation);
    this.#verifyLater(session);
  }

  #verifyLater(session: CoordinatorSession): void {
    const { clock, random } = this.#deps;
    const delayMs = VERIFY_MS.least + VERIFY_MS.jitter * random.fraction();
    this.#cancelLook();
    this.#cancelLook = clock.after(delayMs, () => void this.#verify(session));
  }

  /** Registers again if the znode is not ours any more, whoever took it. */
  async #verify(session: CoordinatorSession): Promise<void> {
    const incarnation = this.#incarnation;
    if (!this.#isCurrent(session) || incarnation === undefined) return;
    const found = await readFresh(session, this.#path);
    // Another look may have found out already, and be registering again.
    if (!this.#isCurrent(session) || this.#incarnation !== incarnation) return;
    if (found.status === 'ok' && found.value?.stat.czxid !== incarnation) {
      this.#deps.log.warn(`the registration ${this.#path} is gone; registering again`);
      this.#incarnation = undefined;
      return this.#register(session);
    }
    this.#verifyLater(session);
  }

  #isCurrent(session: CoordinatorSession): boolean {
    return !this.#withdrawn && session === this.#session && session.state !== 'lost';
  }
}

function registered(czxid: number): Attempt {
  return { type: 'registered', incarnation: czxid as Incarnation };
}

async function readFresh(
  session: CoordinatorSession,
  path: string,
): Promise<Outcome<Znode | undefined>> {
  const barrier = await session.barrier();
  return barrier.status === 'ok' ? session.read(path) : barrier;
}

function decodeOrUndefined(id: MemberId, data: Buffer): NodeRecord | undefined {
  try {
    return decodeNodeRecord(id, data);
  } catch (error) {
    if (error instanceof BadRecordError) return undefined;
    throw error;
  }
}
