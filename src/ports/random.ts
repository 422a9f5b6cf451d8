import type { Uuid } from '../model/ids.js';

/** Chance as the roles see it; a simulator seeds it. */
export interface Random {
  /** A fresh identity. */
  uuid(): Uuid;
  /** A fresh nonce: 16 hex digits. */
  nonce(): string;
  /** Uniform in [0, 1). For jitter only. */
  fraction(): number;
}
