/**
 * What the primary of one shard asked of the leader since it decided last. All of it is judged, in
 * the order it came, because what is refused must not hide what is needed: a primary that asks for
 * two things at once asks for both again and again.
 *
 * Pure.
 */
import type { ChangeRequest } from '../model/member-messages.js';

/** A primary has one thing to ask for of each other replica. More is asked for again. */
const REQUESTS_MAX = 16;

export class AskedChanges {
  readonly #requests = new Map<string, ChangeRequest>();

  /** What it says later of the same replica takes the place of what it said before. */
  add(request: ChangeRequest): void {
    const { change } = request;
    const about = 'node' in change ? change.node : change.type;
    const isNew = !this.#requests.delete(about);
    if (isNew && this.#requests.size >= REQUESTS_MAX) return;
    this.#requests.set(about, request);
  }

  /** What `judge` makes of the first that it grants. */
  firstGranted<T>(judge: (request: ChangeRequest) => T | undefined): T | undefined {
    for (const request of this.#requests.values()) {
      const granted = judge(request);
      if (granted !== undefined) return granted;
    }
    return undefined;
  }
}
