/** Ids and passwords of sessions. A password proves that a client that comes back is the same. */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { PASSWORD_BYTES } from '../jute/greeting.js';
import type { SessionId } from '../znode-tree/requests.js';

/** The id of the first session is made from the time, so that no earlier life gave them. */
const SERVER = 1n << 56n;
const TIME_SHIFT = 16n;

export class SessionIds {
  readonly #secret: Buffer;
  #next: bigint;

  /** @param wallMs Milliseconds since 1970, at the start of this process. */
  constructor(secret: Buffer, wallMs: number) {
    this.#secret = secret;
    this.#next = SERVER | ((BigInt(wallMs) & ((1n << 40n) - 1n)) << TIME_SHIFT);
  }

  /** One that `isTaken` does not know. */
  mint(isTaken: (session: SessionId) => boolean): SessionId {
    for (;;) {
      const session = (this.#next++).toString(16).padStart(16, '0');
      if (!isTaken(session)) return session;
    }
  }

  passwordOf(session: SessionId): Buffer {
    const mac = createHmac('sha256', this.#secret).update(session).digest();
    return mac.subarray(0, PASSWORD_BYTES);
  }

  isPassword(session: SessionId, password: Buffer): boolean {
    const right = this.passwordOf(session);
    return password.length === right.length && timingSafeEqual(password, right);
  }
}
