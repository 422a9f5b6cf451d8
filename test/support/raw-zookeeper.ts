/** A real ZooKeeper as its protocol has it: requests of the znode tree in, its codes out. */
import { ACL } from 'node-zookeeper-client';
import type { CreateMode, Request, Step } from '../../src/znode-tree/requests.js';
import type { Stat } from '../../src/znode-tree/stat.js';
import {
  CODE,
  type ConnectionManager,
  createManager,
  jute,
  MANAGER,
  type ResponsePayload,
} from '../../src/zookeeper/library.js';
import type { Acl } from '../../src/zookeeper/requests.js';

const FLAGS: Readonly<Record<CreateMode, number>> = {
  persistent: 0,
  ephemeral: 1,
  'persistent-sequential': 2,
  'ephemeral-sequential': 3,
};
const NAMES = new Map<number | undefined, string>([
  [CODE.ok, 'ok'],
  [CODE.runtimeInconsistency, 'runtime-inconsistency'],
  [CODE.badArguments, 'bad-arguments'],
  [CODE.noNode, 'no-node'],
  [CODE.badVersion, 'bad-version'],
  [CODE.noChildrenForEphemerals, 'no-children-for-ephemerals'],
  [CODE.nodeExists, 'node-exists'],
  [CODE.notEmpty, 'not-empty'],
]);
const { OPEN_ACL_UNSAFE: OPEN } = ACL as unknown as { OPEN_ACL_UNSAFE: Acl };

/** Times left out: they are the server's. */
export type TimelessStat = Omit<Stat, 'ctimeMs' | 'mtimeMs'>;

export class RawZooKeeper {
  readonly #manager: ConnectionManager;
  readonly #disable: () => void;

  private constructor(manager: ConnectionManager, disable: () => void) {
    this.#manager = manager;
    this.#disable = disable;
  }

  /** Opens a session. */
  static async connect(servers: string): Promise<RawZooKeeper> {
    const { manager, disable } = createManager({
      ...{ servers, sessionTimeoutMs: 10_000, auth: undefined },
      socketError: () => undefined,
    });
    await new Promise<void>((resolve) => {
      manager.on('state', (state) => state === MANAGER.connected && resolve());
      manager.connect();
    });
    return new RawZooKeeper(manager, disable);
  }

  get sessionId(): string {
    return this.#manager.sessionId.toString('hex');
  }

  /** Of each step: the path that was made, `done`, or a code. */
  async apply(request: Exclude<Request, { type: 'open-session' | 'close-session' }>) {
    // There is no request for a check alone.
    if (request.type !== 'multi' && request.type !== 'check') return [await this.#single(request)];
    const steps = request.type === 'multi' ? request.steps : [request];
    const { payload } = await this.#ask('MULTI', new jute.TransactionRequest(steps.map(recordOf)));
    return (payload?.results ?? []).map(({ err, path }) => {
      return err === undefined ? (path ?? 'done') : (NAMES.get(err) ?? `code ${err}`);
    });
  }

  async stat(path: string): Promise<TimelessStat | undefined> {
    const exists = Object.assign(new jute.protocol.ExistsRequest(), { path, watch: false });
    const { payload } = await this.#ask('EXISTS', exists);
    if (payload === undefined) return undefined;
    const stat = payload.stat as unknown as Record<string, Buffer & number>;
    const long = (name: string) => Number(stat[name]!.readBigInt64BE());
    const owner = stat['ephemeralOwner']!.toString('hex');
    return {
      ...{ czxid: long('czxid'), mzxid: long('mzxid'), pzxid: long('pzxid') },
      ...{ version: stat['version']!, cversion: stat['cversion']!, aversion: stat['aversion']! },
      ...{ dataLength: stat['dataLength']!, numChildren: stat['numChildren']! },
      ephemeralOwner: /^0+$/.test(owner) ? undefined : owner,
    };
  }

  /** Sorted; undefined if there is no such znode. */
  async children(path: string): Promise<string[] | undefined> {
    const request = Object.assign(new jute.protocol.GetChildren2Request(), { path, watch: false });
    const { payload } = await this.#ask('GET_CHILDREN2', request);
    return payload && [...payload.children].sort();
  }

  /** Ends the session; the server has done so when this resolves. */
  async close(): Promise<void> {
    const { socket } = this.#manager;
    const gone = new Promise<void>((resolve) => socket?.once('close', () => resolve()));
    this.#disable();
    this.#manager.close();
    await gone;
  }

  async #single(step: Exclude<Step, { type: 'check' }>): Promise<string> {
    const { code, payload } = await this.#ask(...singleOf(step));
    if (code !== CODE.ok) return NAMES.get(code) ?? `code ${code}`;
    return step.type === 'create' ? (payload?.path ?? '') : 'done';
  }

  #ask(op: string, payload: object): Promise<{ code: number; payload?: ResponsePayload }> {
    const header = Object.assign(new jute.protocol.RequestHeader(), { type: jute.OP_CODES[op]! });
    return new Promise((resolve) => {
      this.#manager.queue(new jute.Request(header, payload), (error, response) => {
        if (error !== null || response === undefined) resolve({ code: error?.code ?? 1 });
        else resolve({ code: CODE.ok, payload: response.payload });
      });
    });
  }
}

function singleOf(step: Exclude<Step, { type: 'check' }>): [string, object] {
  const { protocol } = jute;
  switch (step.type) {
    case 'set-acl':
      throw new Error('access lists are set by another client');
    case 'create': {
      const { path, data, mode } = step;
      const fields = { path, data, acl: OPEN.map((entry) => entry.toRecord()), flags: FLAGS[mode] };
      return ['CREATE', Object.assign(new protocol.CreateRequest(), fields)];
    }
    case 'delete': {
      const { path, version } = step;
      return ['DELETE', Object.assign(new protocol.DeleteRequest(), { path, version })];
    }
    case 'set-data': {
      const { path, data, version } = step;
      return ['SET_DATA', Object.assign(new protocol.SetDataRequest(), { path, data, version })];
    }
  }
}

function recordOf(step: Step): object {
  switch (step.type) {
    case 'set-acl':
      throw new Error('a multi sets no access list');
    case 'create': {
      const { path, data, mode } = step;
      return { type: jute.OP_CODES['CREATE'], path, data, acls: OPEN, mode: FLAGS[mode] };
    }
    case 'delete':
      return { type: jute.OP_CODES['DELETE'], path: step.path, version: step.version };
    case 'set-data': {
      const { path, data, version } = step;
      return { type: jute.OP_CODES['SET_DATA'], path, data, version };
    }
    case 'check':
      return { type: jute.OP_CODES['CHECK'], path: step.path, version: step.version };
  }
}
