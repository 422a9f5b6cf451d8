/** Since when storage nodes are not registered, as far as this process has seen it. */
import type { MemberId } from '../model/ids.js';

export class AwaySince {
  #registered: ReadonlyMap<MemberId, unknown> = new Map();
  readonly #since = new Map<MemberId, number>();

  /** The registered nodes at this moment. Cheap while the table is the same. */
  update(registered: ReadonlyMap<MemberId, unknown>, now: number): void {
    if (registered === this.#registered) return;
    for (const id of this.#registered.keys()) if (!registered.has(id)) this.#since.set(id, now);
    for (const id of registered.keys()) this.#since.delete(id);
    this.#registered = registered;
  }

  /** When this node went away; one that was never seen is away since it was first asked for. */
  of(node: MemberId, now: number): number {
    const since = this.#since.get(node) ?? now;
    this.#since.set(node, since);
    return since;
  }
}
