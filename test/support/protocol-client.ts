/**
 * A client of ZooKeeper's protocol that hides nothing: one connection, one answer per request with
 * its code and its record, and the events in their order. It is its own reading of the protocol:
 * what it takes for an answer is not what our server is made of.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { OP } from '../../src/jute/codes.js';
import { JuteReader } from '../../src/jute/reader.js';
import { JuteWriter } from '../../src/jute/writer.js';

export interface PlainAcl {
  readonly perms: number;
  readonly scheme: string;
  readonly id: string;
}

type Op = keyof typeof OP;

export interface PlainStep {
  readonly op: 'create' | 'create2' | 'delete' | 'setData' | 'check';
  readonly path: string;
  readonly data?: string;
  readonly acl?: readonly PlainAcl[];
  readonly flags?: number;
  readonly version?: number;
}

export type PlainCall =
  | PlainStep
  | { readonly op: 'multi'; readonly steps: readonly PlainStep[] }
  | {
      readonly op: 'exists' | 'getData' | 'getChildren' | 'getChildren2';
      readonly path: string;
      readonly watch: boolean;
    }
  | {
      readonly op: 'getAcl' | 'sync' | 'getEphemerals' | 'getAllChildrenNumber';
      readonly path: string;
    }
  | {
      readonly op: 'setAcl';
      readonly path: string;
      readonly acl: readonly PlainAcl[];
      readonly version: number;
    }
  | { readonly op: 'auth'; readonly scheme: string; readonly auth: string }
  | {
      readonly op: 'addWatch' | 'checkWatches' | 'removeWatches';
      readonly path: string;
      readonly kind: number;
    }
  | {
      readonly op: 'setWatches' | 'setWatches2';
      readonly sinceZxid: number;
      readonly lists: readonly (readonly string[])[];
    }
  | { readonly op: 'ping' | 'whoAmI' | 'closeSession' };

export interface PlainAnswer {
  readonly err: number;
  readonly zxid: number;
  /** Of its record, in order; times left out. */
  readonly fields: readonly unknown[];
}

const XIDS: Partial<Record<Op, number>> = { ping: -2, auth: -4, setWatches: -8, setWatches2: -8 };

export interface OpenOptions {
  readonly timeoutMs?: number;
  /** To go on with. */
  readonly session?: string;
  readonly password?: Buffer;
  readonly lastZxid?: number;
}

export class ProtocolClient {
  readonly socket: Socket;
  session = '';
  password: Buffer = Buffer.alloc(16);
  timeoutMs = 0;
  lastZxid = 0;
  /** `type path`, since they were taken. */
  events: string[] = [];
  readonly #waiting: {
    readonly call: PlainCall;
    readonly resolve: (answer: PlainAnswer) => void;
  }[] = [];
  #greeted: ((frame: Buffer) => void) | undefined;
  #bytes = Buffer.alloc(0);
  #xid = 0;
  readonly closed: Promise<void>;
  #isClosed = false;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk) => this.#onData(chunk));
    socket.on('error', () => undefined);
    this.closed = new Promise((resolve) => {
      socket.on('close', () => {
        this.#isClosed = true;
        resolve();
        // Nobody waits for ever.
        for (const { resolve: end } of this.#waiting.splice(0))
          end({ err: -4, zxid: 0, fields: [] });
      });
    });
  }

  static async open(address: string, options: OpenOptions = {}): Promise<ProtocolClient> {
    const { timeoutMs = 10_000, session = '0'.repeat(16), password = Buffer.alloc(16) } = options;
    const [host = '', port = ''] = address.split(':');
    const socket = connect({ host, port: Number(port), noDelay: true });
    await once(socket, 'connect');
    const client = new ProtocolClient(socket);
    const greeted = new Promise<Buffer>((resolve) => {
      client.#greeted = resolve;
    });
    const greeting = new JuteWriter()
      .int(0)
      .long(options.lastZxid ?? 0)
      .int(timeoutMs);
    socket.write(greeting.longBits(session).buffer(password).bool(false).framed());
    const frame = await Promise.race([greeted, client.closed.then(() => undefined)]);
    if (frame === undefined) throw new Error('hung up on');
    const reader = new JuteReader(frame);
    reader.int();
    client.timeoutMs = reader.int();
    client.session = reader.longBits();
    client.password = Buffer.from(reader.buffer());
    return client;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  call(call: PlainCall): Promise<PlainAnswer> {
    return new Promise((resolve) => {
      if (this.#isClosed) return resolve({ err: -4, zxid: 0, fields: [] });
      this.#waiting.push({ call, resolve });
      const xid = XIDS[call.op] ?? ++this.#xid;
      const writer = new JuteWriter().int(xid).int(OP[call.op]);
      writeCall(writer, call);
      this.socket.write(writer.framed());
    });
  }

  /** Any bytes as a request; nothing is read of its answer but the header. */
  raw(xid: number, op: number, record: Buffer = Buffer.alloc(0)): Promise<PlainAnswer> {
    return new Promise((resolve) => {
      this.#waiting.push({ call: { op: 'ping' }, resolve });
      const header = new JuteWriter().int(xid).int(op).done();
      const length = new JuteWriter().int(header.length + record.length).done();
      this.socket.write(Buffer.concat([length, header, record]));
    });
  }

  /** What the server said before this was asked has come. */
  async takeEvents(): Promise<string[]> {
    await this.call({ op: 'ping' });
    return this.events.splice(0);
  }

  async close(): Promise<void> {
    await this.call({ op: 'closeSession' });
    this.socket.destroy();
    await this.closed;
  }

  /** Its session lives on, until it expires. */
  async drop(): Promise<void> {
    this.socket.destroy();
    await this.closed;
  }

  #onData(chunk: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    while (this.#bytes.length >= 4 && this.#bytes.length >= 4 + this.#bytes.readInt32BE(0)) {
      const frame = this.#bytes.subarray(4, 4 + this.#bytes.readInt32BE(0));
      this.#bytes = this.#bytes.subarray(4 + frame.length);
      this.#onFrame(frame);
    }
  }

  #onFrame(frame: Buffer): void {
    if (this.#greeted !== undefined) {
      const greeted = this.#greeted;
      this.#greeted = undefined;
      return greeted(frame);
    }
    const reader = new JuteReader(frame);
    const [xid, zxid, err] = [reader.int(), reader.long(), reader.int()];
    if (xid === -1) {
      const [type] = [reader.int(), reader.int()];
      this.events.push(`${type} ${reader.string()}`);
      return;
    }
    if (zxid > this.lastZxid) this.lastZxid = zxid;
    const waiting = this.#waiting.shift();
    if (waiting === undefined) throw new Error(`an answer ${xid} to nothing`);
    const fields = err === 0 ? readAnswer(reader, waiting.call) : [];
    if (reader.left > 0)
      throw new Error(`${reader.left} bytes behind the answer to ${waiting.call.op}`);
    waiting.resolve({ err, zxid, fields });
  }
}

function writeCall(writer: JuteWriter, call: PlainCall): void {
  const strings = (list: readonly string[]) => writer.vector(list, (text) => writer.string(text));
  switch (call.op) {
    case 'create':
    case 'create2':
    case 'delete':
    case 'setData':
    case 'check':
      return writeStep(writer, call);
    case 'multi':
      for (const step of call.steps) {
        writer.int(OP[step.op]).bool(false).int(-1);
        writeStep(writer, step);
      }
      return void writer.int(-1).bool(true).int(-1);
    case 'exists':
    case 'getData':
    case 'getChildren':
    case 'getChildren2':
      return void writer.string(call.path).bool(call.watch);
    case 'getAcl':
    case 'sync':
    case 'getEphemerals':
    case 'getAllChildrenNumber':
      return void writer.string(call.path);
    case 'setAcl':
      writer.string(call.path);
      writeAcl(writer, call.acl);
      return void writer.int(call.version);
    case 'auth':
      return void writer.int(0).string(call.scheme).buffer(Buffer.from(call.auth));
    case 'addWatch':
    case 'checkWatches':
    case 'removeWatches':
      return void writer.string(call.path).int(call.kind);
    case 'setWatches':
    case 'setWatches2':
      writer.long(call.sinceZxid);
      for (const list of call.lists) strings(list);
      return;
    case 'ping':
    case 'whoAmI':
    case 'closeSession':
  }
}

const OPEN: readonly PlainAcl[] = [{ perms: 31, scheme: 'world', id: 'anyone' }];

function writeStep(writer: JuteWriter, step: PlainStep): void {
  const { op, path, data = '', acl = OPEN, flags = 0, version = -1 } = step;
  writer.string(path);
  if (op === 'create' || op === 'create2') {
    writer.buffer(Buffer.from(data));
    writeAcl(writer, acl);
    writer.int(flags);
  } else if (op === 'setData') writer.buffer(Buffer.from(data)).int(version);
  else writer.int(version);
}

function writeAcl(writer: JuteWriter, acl: readonly PlainAcl[]): void {
  writer.vector(acl, ({ perms, scheme, id }) => writer.int(perms).string(scheme).string(id));
}

function readAnswer(reader: JuteReader, call: PlainCall): unknown[] {
  switch (call.op) {
    case 'create':
    case 'sync':
      return [reader.string()];
    case 'create2':
      return [reader.string(), readStat(reader)];
    case 'exists':
    case 'setData':
    case 'setAcl':
      return [readStat(reader)];
    case 'getData':
      return [reader.buffer().toString(), readStat(reader)];
    case 'getChildren':
    case 'getEphemerals':
      return [reader.vector(() => reader.string()).sort()];
    case 'getChildren2':
      return [reader.vector(() => reader.string()).sort(), readStat(reader)];
    case 'getAcl':
      return [reader.vector(() => readEntry(reader)), readStat(reader)];
    case 'getAllChildrenNumber':
      return [reader.int()];
    case 'addWatch':
      return [reader.int()];
    case 'whoAmI':
      return [reader.vector(() => `${reader.string()} ${reader.string()}`).sort()];
    case 'multi':
      return readResults(reader);
    case 'delete':
    case 'check':
    case 'auth':
    case 'checkWatches':
    case 'removeWatches':
    case 'setWatches':
    case 'setWatches2':
    case 'ping':
    case 'closeSession':
      return [];
  }
}

function readResults(reader: JuteReader): unknown[] {
  const results: unknown[] = [];
  for (;;) {
    const [type, isLast, err] = [reader.int(), reader.bool(), reader.int()];
    if (isLast) return results;
    if (type === OP.error) results.push({ type, err, again: reader.int() });
    else if (type === OP.create) results.push({ type, path: reader.string() });
    else if (type === OP.create2) {
      results.push({ type, path: reader.string(), stat: readStat(reader) });
    } else if (type === OP.setData) results.push({ type, stat: readStat(reader) });
    else results.push({ type, err });
  }
}

function readEntry(reader: JuteReader): string {
  return `${reader.int()} ${reader.string()} ${reader.string()}`;
}

/** Without its times; an owner is told by whether there is one: ids differ between servers. */
function readStat(reader: JuteReader): Readonly<Record<string, unknown>> {
  const [czxid, mzxid] = [reader.long(), reader.long()];
  reader.long();
  reader.long();
  const [version, cversion, aversion] = [reader.int(), reader.int(), reader.int()];
  const isEphemeral = !/^0+$/.test(reader.longBits());
  const [dataLength, numChildren, pzxid] = [reader.int(), reader.int(), reader.long()];
  const numbers = { version, cversion, aversion, dataLength, numChildren };
  return { czxid, mzxid, pzxid, isEphemeral, ...numbers };
}
