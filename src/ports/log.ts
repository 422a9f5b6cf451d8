/**
 * Where roles say what happened: one line per change of state, none per request, never a key, a
 * value or a secret.
 */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** The numbers and names behind a message. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}
