/**
 * The links of a router, one per storage node: made when the node is registered (or a hint names
 * it), so that the first call finds a connection and the status tells which nodes are out of reach;
 * replaced when the node comes back as another process or at another address, retired when it
 * leaves the map.
 *
 * A node that leaves may still be answering what it got: its link takes nothing more, but waits.
 */
import type { MemberId } from '../model/ids.js';
import type { MapHolder } from './map-holder.js';
import { type LinkDeps, NodeLink } from './node-link.js';

interface Entry {
  readonly link: NodeLink;
  /** The process as registered; empty if only a hint named the node. */
  life: string;
  incarnation: number;
}

export class NodeLinks {
  readonly #deps: LinkDeps;
  readonly #map: MapHolder;
  readonly #entries = new Map<MemberId, Entry>();
  readonly #unsubscribe: () => void;

  constructor(deps: LinkDeps, map: MapHolder) {
    this.#deps = deps;
    this.#map = map;
    this.#unsubscribe = map.onChange(() => this.#onMapChanged());
    this.#onMapChanged();
  }

  /** Requires that the map knows the node's address. */
  to(node: MemberId, address: string): NodeLink {
    const known = this.#entries.get(node);
    if (known?.link.target.address === address) return known.link;
    const registration = this.#map.map.nodes.get(node);
    const link = new NodeLink(this.#deps, { node, address });
    this.#entries.set(node, {
      link,
      life: registration?.process ?? '',
      incarnation: registration?.incarnation ?? 0,
    });
    // Last, because what it gives back is routed anew at once.
    known?.link.retire();
    return link;
  }

  /** Nodes that were tried and cannot be reached, and why. */
  get problems(): ReadonlyMap<MemberId, string> {
    const problems = new Map<MemberId, string>();
    for (const [node, { link }] of this.#entries) {
      if (link.problem !== undefined) problems.set(node, link.problem);
    }
    return problems;
  }

  /** How many links stand. */
  get connected(): number {
    return [...this.#entries.values()].filter(({ link }) => link.connected).length;
  }

  /** Gives back everything that was not written yet, of every link. */
  bounce(reason: string): void {
    for (const { link } of [...this.#entries.values()]) link.bounce(reason);
  }

  close(): void {
    this.#unsubscribe();
    for (const { link } of this.#entries.values()) link.retire();
    this.#entries.clear();
  }

  #onMapChanged(): void {
    for (const [node, entry] of this.#entries) {
      const { link } = entry;
      const registration = this.#map.map.nodes.get(node);
      const replaced = registration !== undefined && isOther(entry, registration.process);
      if (replaced || this.#map.addressOf(node) !== link.target.address) {
        this.#entries.delete(node);
        link.retire();
        continue;
      }
      if (registration !== undefined) {
        entry.life = registration.process;
        if (registration.incarnation !== entry.incarnation) link.reopenNow();
        entry.incarnation = registration.incarnation;
      }
      // What waits for the connection may have somewhere else to go by now.
      if (!link.connected) link.bounce('the map changed');
    }
    for (const [node, { address }] of this.#map.map.nodes) {
      if (!this.#entries.has(node)) this.to(node, address);
    }
  }
}

function isOther(entry: Entry, process: string): boolean {
  return entry.life !== '' && entry.life !== process;
}
