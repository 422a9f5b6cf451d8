/**
 * A story of one replica group, told line by line: commands on the left of the dashes, what an
 * engineer would want to see on the right. Nothing happens that no command says.
 *
 *   group s1 s2 s3 [minIsr=1]   all in sync, s1 is the primary of epoch 1 and serves
 *   put s1 k=v [if=N]           a client asks s1; also: delete s1 k [if=N], read s1 k
 *   fill s1 8                   so many writes are done, of which nothing is shown
 *   settle                      dials, beats, disks and messages, until there is nothing more to do
 *   run 700                     so many milliseconds pass, with beats and ticks
 *   pass 700                    they pass, and nobody does anything
 *   deliver s1>s2 [2]           what is on its way between two nodes arrives: all of it, or so many
 *   persist s2                  the batch that s2 writes is durable
 *   dial s1, break s1>s2        the stream that s1 opened
 *   crash s2, start s2, lose-disk s2, find-disk s2
 *   cut s1, join s1             nobody reaches it, nor does it hear of configurations
 *   suspect s1, trust s1        the leader's connection to it broke, or stands again
 *   lead [quietly]              the leader looks and decides; whoever is not cut off hears, or nobody
 *   hear s1 [version=N]         it hears the newest configuration, or an old one
 *   set-back version=N          ZooKeeper is restored from a backup, and another leader elected
 *   lose-requests               what primaries asked of the leader got lost
 *   hand-over s2                the primary is asked to step down for s2
 */
import type { VersionedConfig } from '../../src/model/shard-config.js';
import type { MemberId } from '../../src/model/ids.js';
import type { ChangeRequest } from '../../src/model/member-messages.js';
import type { Position } from '../../src/replication/entry.js';
import type { ReplicaMessage } from '../../src/replication/messages.js';
import type { Ready, ReplicaEvent } from '../../src/replication/outbox.js';
import type { Write } from '../../src/replication/proposals.js';
import { GroupLeader } from './group-leader.js';
import { GROUP_SETTINGS, type GroupNode, ReplicaGroup, type Wire } from './replica-group.js';

const STEP_MS = 50;

export class GroupStory {
  #group!: ReplicaGroup;
  #leader!: GroupLeader;
  readonly #lines: string[] = [];
  readonly #calls: string[] = [];
  readonly #cut = new Set<GroupNode>();
  readonly #configs: VersionedConfig[] = [];
  readonly #committed = new Map<GroupNode, number>();
  #requests: ChangeRequest[] = [];
  #isQuiet = false;

  /** Obeys one command; returns what was to be seen. */
  tell(command: string): readonly string[] {
    const [name = '', ...words] = command.split(/\s+/);
    const options = new Map(words.filter((word) => /^\w+=\d+$/.test(word)).map(optionOf));
    this.#obey(name, words, options);
    return this.#lines.splice(0);
  }

  #obey(name: string, words: readonly string[], options: ReadonlyMap<string, number>): void {
    const [first = '', second] = words;
    const commands: Record<string, () => void> = {
      group: () =>
        this.#begin(
          words.filter((word) => !word.includes('=')),
          options.get('minIsr'),
        ),
      put: () => this.#put(this.#node(first), second ?? '', options.get('if')),
      delete: () => this.#write(this.#node(first), deleteOf(second), options.get('if')),
      fill: () => this.#fill(this.#node(first), Number(second)),
      read: () => this.#read(this.#node(first), second ?? ''),
      settle: () => this.#settle(),
      run: () => this.#run(Number(first)),
      pass: () => void (this.#group.now += Number(first)),
      deliver: () => this.#deliver(first, Number(second ?? Infinity)),
      persist: () => this.#group.persisted(this.#node(first)),
      dial: () => this.#group.dial(this.#node(first)),
      break: () => this.#break(first),
      crash: () => this.#group.crash(this.#node(first)),
      start: () => this.#group.restart(this.#node(first)),
      'lose-disk': () => this.#group.loseDisk(this.#node(first)),
      'find-disk': () => this.#group.findDisk(this.#node(first)),
      cut: () => void this.#cut.add(this.#node(first)),
      join: () => void this.#cut.delete(this.#node(first)),
      suspect: () => this.#leader.suspect(this.#node(first)),
      trust: () => this.#leader.hear(this.#node(first)),
      lead: () => this.#lead(first !== 'quietly'),
      hear: () => this.#hear(this.#node(first), options.get('version')),
      'set-back': () => this.#setBack(options.get('version')),
      'lose-requests': () => void (this.#requests = []),
      'hand-over': () => this.#handOver(first),
    };
    const obey = commands[name];
    if (obey === undefined) throw new Error(`no such command: ${name}`);
    obey();
    this.#sayCommits();
  }

  #say(line: string): void {
    if (!this.#isQuiet) this.#lines.push(line);
  }

  #node(id: string): GroupNode {
    return this.#group.node(id);
  }

  #begin(ids: readonly string[], minIsr = GROUP_SETTINGS.minIsr): void {
    const hooks = {
      ready: (node: GroupNode, ready: Ready) => this.#onReady(node, ready),
      requested: (node: GroupNode, request: ChangeRequest) => this.#onRequest(node, request),
      delivered: (from: GroupNode, to: GroupNode, wire: Wire) => this.#onDelivered(from, to, wire),
    };
    this.#isQuiet = true;
    this.#group = new ReplicaGroup(ids, hooks, { ...GROUP_SETTINGS, minIsr });
    this.#leader = new GroupLeader(this.#group);
    this.#hearAll();
    for (const node of this.#group.nodes) this.#group.persisted(node);
    this.#lead(true);
    this.#run(1_000);
    this.#sayCommits();
    this.#isQuiet = false;
  }

  #put(node: GroupNode, text: string, ifVersion: number | undefined): void {
    const [key = '', value = ''] = text.split('=');
    const write = { type: 'put', key: Buffer.from(key), value: Buffer.from(value) } as const;
    this.#write(node, write, ifVersion);
  }

  #fill(node: GroupNode, count: number): void {
    this.#isQuiet = true;
    for (let n = 1; n <= count; n++) {
      this.#put(node, `k=${n}`, undefined);
      this.#settle();
    }
    this.#isQuiet = false;
  }

  #write(node: GroupNode, write: Write, ifVersion: number | undefined): void {
    const key = write.key.toString();
    const text = write.type === 'put' ? `${key}=${write.value.toString()}` : key;
    const call = this.#calls.push(`${write.type} ${text}`) - 1;
    const isTaken = this.#group.write(node, call, write, ifVersion);
    if (!isTaken) this.#say(`${node.id} takes no writes`);
  }

  #read(node: GroupNode, key: string): void {
    const found = this.#group.read(node, key);
    if (found === undefined) this.#say(`${node.id} may not read`);
    else if (found === 'absent') this.#say(`${node.id} reads ${key}: absent`);
    else this.#say(`${node.id} reads ${key}=${found.value}, version ${found.seq}`);
  }

  /** Everybody who is not cut off writes and listens until there is nothing more to do. */
  #settle(): void {
    const group = this.#group;
    const nodes = group.nodes.filter((node) => !this.#cut.has(node));
    for (const node of nodes) group.dial(node, nodes);
    for (const node of nodes) group.tick(node);
    for (let isQuiet = false; !isQuiet; ) {
      isQuiet = true;
      for (const stream of [...group.streams]) {
        if (this.#cut.has(stream.caller) || this.#cut.has(stream.callee)) continue;
        for (const way of ['toCallee', 'toCaller'] as const) {
          for (let count = stream[way].length; count > 0; count--) {
            isQuiet = false;
            group.deliver(stream, way);
            this.#sayCommits();
          }
        }
      }
      // Who is cut off has a disk all the same.
      for (const node of group.nodes) {
        if (node.writing !== undefined) isQuiet = false;
        group.persisted(node);
        this.#sayCommits();
      }
    }
  }

  #run(milliseconds: number): void {
    for (let passed = 0; passed < milliseconds; passed += STEP_MS) {
      this.#group.now += STEP_MS;
      this.#settle();
      for (const node of this.#cut) this.#group.step(node, { type: 'tick' });
    }
  }

  #deliver(way: string, most: number): void {
    const [from, to] = way.split('>');
    for (const stream of [...this.#group.streams]) {
      const { caller, callee } = stream;
      const isThere = caller.id === from && callee.id === to;
      const isBack = callee.id === from && caller.id === to;
      if (!isThere && !isBack) continue;
      const direction = isThere ? 'toCallee' : 'toCaller';
      for (let count = Math.min(most, stream[direction].length); count > 0; count--) {
        this.#group.deliver(stream, direction);
      }
    }
  }

  #break(way: string): void {
    const [from, to] = way.split('>');
    const stream = this.#group.streams.find(({ caller, callee }) => {
      return caller.id === from && callee.id === to;
    });
    if (stream !== undefined) this.#group.break(stream, false);
  }

  #lead(isHeard: boolean): void {
    for (const node of this.#group.nodes) {
      this.#leader.notice(node);
      if (!this.#cut.has(node) && !this.#leader.isSuspected(node)) this.#leader.hear(node);
    }
    this.#leader.settle();
    for (const request of this.#requests.splice(0)) this.#leader.request(request);
    const before = this.#group.config;
    this.#leader.decide();
    if (this.#group.config !== before) {
      this.#configs.push(before);
      const { version, config } = this.#group.config;
      const learners = config.learners.length > 0 ? `, learning ${config.learners.join(' ')}` : '';
      const released = config.leaseReleased && config.epoch > 1 ? ', lease released' : '';
      const head = `leader: version ${version}, epoch ${config.epoch}, primary ${config.primary}`;
      this.#say(`${head}, in sync ${config.isr.join(' ')}${learners}${released}`);
    }
    if (isHeard) this.#hearAll();
  }

  #hearAll(): void {
    for (const node of this.#group.nodes) if (!this.#cut.has(node)) this.#group.hear(node);
  }

  #hear(node: GroupNode, version: number | undefined): void {
    const known = this.#configs.find((update) => update.version === version);
    this.#group.hear(node, known);
  }

  #setBack(version: number | undefined): void {
    const stored = this.#configs.find((update) => update.version === version);
    if (stored !== undefined) this.#group.config = stored;
    this.#leader.elect();
  }

  #handOver(to: string): void {
    const { epoch, primary } = this.#group.config.config;
    const input = { type: 'hand-over', epoch, to: to as MemberId } as const;
    this.#group.step(this.#node(primary), input);
  }

  #onRequest(node: GroupNode, request: ChangeRequest): void {
    const { change } = request;
    const about = 'node' in change ? ` ${change.node}` : '';
    const promised = 'promised' in change ? ` ${change.promised}` : '';
    const inSync = 'inSync' in change ? `, in sync ${change.inSync.join(' ')}` : '';
    if (!this.#cut.has(node)) this.#requests.push(request);
    this.#say(`${node.id} asks the leader: ${change.type}${about}${promised}${inSync}`);
  }

  #onReady(node: GroupNode, { answers, events, handOvers }: Ready): void {
    this.#sayCommits();
    for (const answer of answers) {
      const call = this.#calls[answer.call] ?? '';
      if (answer.type === 'refused') {
        this.#say(`${node.id} answers ${call}: refused, ${answer.refusal.code}`);
      } else if (answer.type === 'unknown') this.#say(`${node.id} answers ${call}: unknown`);
      else {
        const what = answer.applied ? 'done' : 'the condition failed';
        this.#say(`${node.id} answers ${call}: ${what}, version ${answer.version}`);
      }
    }
    for (const outcome of handOvers) {
      const { type, epoch } = outcome;
      if (type === 'hand-over-failed') {
        this.#say(`${node.id} does not hand over: ${outcome.why}`);
        continue;
      }
      this.#say(`${node.id} stepped down in epoch ${epoch}`);
      if (!this.#cut.has(node)) this.#leader.steppedDown(epoch, outcome.to);
    }
    for (const event of events) {
      const line = textOf(event);
      if (line !== undefined) this.#say(`${node.id} ${line}`);
    }
  }

  #onDelivered(from: GroupNode, to: GroupNode, wire: Wire): void {
    const way = `${from.id}>${to.id}`;
    if (wire.type === 'data') this.#say(`${way} data as of ${wire.base.seq}`);
    if (wire.type === 'replica') this.#say(`${way} ${messageText(wire.message)}`);
  }

  #sayCommits(): void {
    for (const node of this.#group.nodes) {
      const { body } = node.replica ?? {};
      const before = this.#committed.get(node);
      const commitSeq = body?.commitSeq ?? before;
      if (commitSeq === undefined || commitSeq === before) continue;
      this.#committed.set(node, commitSeq);
      if (before !== undefined && commitSeq > before) {
        this.#say(`${node.id} knows ${commitSeq} to be committed`);
      }
    }
  }
}

function optionOf(word: string): [string, number] {
  const [name = '', value] = word.split('=');
  return [name, Number(value)];
}

function deleteOf(key = ''): Write {
  return { type: 'delete', key: Buffer.from(key) };
}

function textOf(event: ReplicaEvent): string | undefined {
  switch (event.type) {
    case 'standing-changed':
      return `is ${event.to}, was ${event.from}`;
    case 'serving':
      return `has committed the barrier of epoch ${event.epoch} at ${event.seq}`;
    case 'truncated':
      return `truncates ${event.last} to ${event.after}`;
    case 'peer-needs-install':
      return `has to send all data to ${event.peer}`;
    case 'install-stalled':
      return `asks ${event.peer} again: no more of all data arrives there`;
    case 'peer-diverged':
      return `finds ${event.peer} diverged at ${event.seq}`;
    case 'peer-knows-more':
      return `hears that ${event.peer} knows ${event.seq} to be committed, and has ${event.last}`;
    case 'overtaken':
      return `hears from ${event.by} of epoch ${event.promised}`;
    case 'damaged':
      return `is damaged: ${event.problem}`;
    case 'set-aside':
      return `sets its data aside: ${event.problem}`;
    case 'hand-over-begun':
      return `takes no more writes: ${event.to} is to lead`;
    case 'hand-over-given-up':
      return `takes writes again: ${event.to} will not lead`;
    case 'created':
    case 'epoch-adopted':
    case 'peer-follows':
      return undefined; // What messages say as well.
  }
}

function messageText(message: ReplicaMessage): string {
  const head = `${message.type}, epoch ${message.epoch}`;
  switch (message.type) {
    case 'attached':
      return `${head}: log [${ends(message.tail)}]${message.follows ? ', follows' : ''}`;
    case 'attach':
      return `${head}: after ${ends([message.after])}`;
    case 'resume':
      return `${head}: after ${message.match.seq}`;
    case 'prepare':
      return `${head}: entry ${message.entry.seq}@${message.entry.epoch}`;
    case 'prepareAck':
      return `${head}: ${message.position.seq}`;
    case 'commit':
      return `${head}: ${message.commitSeq}`;
    case 'installed':
      return `${head}: ${message.base.seq}`;
    case 'refused':
      return `${head}: promised ${message.promised}`;
    case 'install':
    case 'detached':
    case 'diverged':
      return head;
  }
}

function ends(positions: readonly Position[]): string {
  return positions.map(({ seq, epoch }) => `${seq}@${epoch}`).join(' ');
}
