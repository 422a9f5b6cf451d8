/**
 * Hears the leader: each leader opens a stream to every router and tells the map on it. Only the
 * words of the highest leaderEpoch count; an older leader that wakes up is turned away, and a newer
 * one ends the stream of the one before (D2).
 */
import { unreachable } from '../model/assert.js';
import type { LeaderEpoch, MemberId, Uuid } from '../model/ids.js';
import type { LeaderHello, LeaderMessage, MemberMessage } from '../model/member-messages.js';
import type { Log } from '../ports/log.js';
import type { FollowHandler, Outgoing, StreamEvents } from '../ports/network.js';
import type { MapHolder } from './map-holder.js';

/** Who leads, as far as this router has heard. */
export interface KnownLeader {
  readonly id: MemberId;
  readonly leaderEpoch: LeaderEpoch;
}

export interface FollowerDeps {
  readonly map: MapHolder;
  readonly log: Log;
  /** What this router answers a leader's hello with. */
  readonly self: { readonly id: MemberId; readonly process: Uuid };
}

export class LeaderFollower {
  readonly #deps: FollowerDeps;
  readonly #listeners = new Set<(leader: KnownLeader) => void>();
  #leader: KnownLeader | undefined;
  /** The stream of the leader heard. */
  #current: Outgoing<MemberMessage> | undefined;
  /** Of our own cluster. Undefined until it is known: until then every stream is turned away. */
  clusterUuid: Uuid | undefined;

  constructor(deps: FollowerDeps) {
    this.#deps = deps;
  }

  /** The leader with the highest leaderEpoch ever heard of; it may be gone by now. */
  get leader(): KnownLeader | undefined {
    return this.#leader;
  }

  /** Whether a leader tells this router the map at this moment. */
  get isTold(): boolean {
    return this.#current !== undefined;
  }

  /** Calls back at every new leader until the result is called. */
  onLeader(listener: (leader: KnownLeader) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** This router was elected: from now on lower leaderEpochs are turned away. */
  leadOurselves(id: MemberId, leaderEpoch: LeaderEpoch): void {
    if (this.#leader !== undefined && this.#leader.leaderEpoch >= leaderEpoch) return;
    this.#replaceStream(undefined);
    this.#setLeader({ id, leaderEpoch });
  }

  /** What a server calls for each stream of a leader. */
  readonly handler: FollowHandler = (outgoing, peer) => this.#accept(outgoing, peer);

  #accept(outgoing: Outgoing<MemberMessage>, peer: string): StreamEvents<LeaderMessage> {
    /** Whether this stream said a hello that counts. */
    let greeted = false;
    const { map, self } = this.#deps;
    return {
      message: (message) => {
        switch (message.type) {
          case 'hello':
            greeted = this.#onHello(message, outgoing, peer);
            if (!greeted) outgoing.end();
            return;
          case 'map':
            if (greeted && this.#current === outgoing) map.applyUpdate(message);
            return;
          case 'ping':
            if (!greeted || this.#current !== outgoing) return;
            outgoing.write({ type: 'pong', number: message.number, process: self.process });
            return;
          case 'progress':
            if (greeted && this.#current === outgoing) map.applyProgress(message);
            return;
          case 'hand-over':
            return; // Not for a router: it has no shards.
          default:
            return unreachable(message);
        }
      },
      drain: () => undefined,
      closed: () => {
        if (this.#current === outgoing) this.#current = undefined;
      },
    };
  }

  #onHello(hello: LeaderHello, outgoing: Outgoing<MemberMessage>, peer: string): boolean {
    const { log, self } = this.#deps;
    const { clusterUuid, leaderEpoch, leader: id } = hello;
    if (clusterUuid !== this.clusterUuid) {
      const ours = this.clusterUuid ?? 'not known yet';
      log.warn('turned a leader away: another cluster', { peer, theirs: clusterUuid, ours });
      return false;
    }
    const heard = this.#leader?.leaderEpoch ?? (0 as LeaderEpoch);
    if (leaderEpoch < heard) {
      log.warn('turned a leader away: its leaderEpoch is over', { peer, leaderEpoch, heard });
      outgoing.write({ type: 'hello', ...self, leaderEpoch: heard });
      return false;
    }
    this.#replaceStream(outgoing);
    if (leaderEpoch > heard) this.#setLeader({ id, leaderEpoch });
    outgoing.write({ type: 'hello', ...self, leaderEpoch });
    return true;
  }

  #replaceStream(next: Outgoing<MemberMessage> | undefined): void {
    const before = this.#current;
    this.#current = next;
    if (before !== next) before?.end();
  }

  #setLeader(leader: KnownLeader): void {
    this.#leader = leader;
    this.#deps.log.info(`following leader ${leader.id}`, { leaderEpoch: leader.leaderEpoch });
    for (const listener of [...this.#listeners]) listener(leader);
  }
}
