/**
 * The first frame of a connection in each direction (`ConnectRequest`, `ConnectResponse`).
 *
 *   request  = protocolVersion:int lastZxidSeen:long timeOut:int sessionId:long passwd:buffer
 *              readOnly:bool?
 *   response = protocolVersion:int timeOut:int sessionId:long passwd:buffer readOnly:bool?
 *
 * Clients of before 3.4 leave `readOnly` away, and do not expect it. Session 0 asks for a new one;
 * a timeout of 0 in the response says that the session is over.
 *
 * Worked example: a new session of 6 s is asked for, and given.
 *   00000000 0000000000000000 00001770 0000000000000000 00000010 (16 bytes of 00) 00
 *   00000000 00001770 0100000000000001 00000010 (16 bytes of password) 00
 */
import { JuteReader } from './reader.js';
import { JuteWriter } from './writer.js';

export interface Greeting {
  /** The newest transaction the client has heard of. */
  readonly lastZxidSeen: number;
  readonly timeoutMs: number;
  /** 16 hex digits; all 0: a new one. */
  readonly session: string;
  readonly password: Buffer;
  /** Whether the client expects to hear whether the server is read-only. */
  readonly saysReadOnly: boolean;
}

export const NO_SESSION = '0'.repeat(16);
export const PASSWORD_BYTES = 16;

/** @throws MalformedRecordError */
export function decodeGreeting(frame: Buffer): Greeting {
  const reader = new JuteReader(frame);
  reader.int();
  return {
    lastZxidSeen: reader.long(),
    timeoutMs: reader.int(),
    session: reader.longBits(),
    password: reader.buffer(),
    saysReadOnly: reader.left > 0,
  };
}

/** A whole frame. */
export function encodeWelcome(
  { session, timeoutMs, password }: Pick<Greeting, 'session' | 'timeoutMs' | 'password'>,
  saysReadOnly: boolean,
): Buffer {
  const writer = new JuteWriter(48).int(0).int(timeoutMs).longBits(session).buffer(password);
  if (saysReadOnly) writer.bool(false);
  return writer.framed();
}
