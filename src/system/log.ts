/**
 * The log: one line per change of state on stderr, for people or as JSON for machines.
 *
 *   2026-11-21T05:22:39.123Z info  r1 ready port=7
 *   {"time":"2026-11-21T05:22:39.123Z","level":"info","member":"r1","msg":"ready","port":7}
 */
import type { Log, LogFields, LogLevel } from '../ports/log.js';

export type LogFormat = 'text' | 'json';

export interface LogOptions {
  /** Who speaks: the id of the member. */
  readonly member: string;
  /** Less important lines are left out. */
  readonly level: LogLevel;
  readonly format: LogFormat;
  readonly write?: (line: string) => void;
}

export const LOG_LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

export function createLog(options: LogOptions): Log {
  const { member, level: least, format, write = writeToStderr } = options;
  const line = format === 'json' ? jsonLine : textLine;
  const say =
    (level: LogLevel) =>
    (message: string, fields: LogFields = {}) => {
      if (LOG_LEVELS.indexOf(level) < LOG_LEVELS.indexOf(least)) return;
      write(line({ time: new Date().toISOString(), level, member, message }, fields));
    };
  return { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') };
}

interface Entry {
  readonly time: string;
  readonly level: LogLevel;
  readonly member: string;
  readonly message: string;
}

function textLine({ time, level, member, message }: Entry, fields: LogFields): string {
  const pairs = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => ` ${name}=${quoted(String(value))}`);
  return `${time} ${level.padEnd(5)} ${member} ${oneLine(message)}${pairs.join('')}\n`;
}

function jsonLine({ time, level, member, message }: Entry, fields: LogFields): string {
  return `${JSON.stringify({ time, level, member, msg: message, ...fields })}\n`;
}

function quoted(text: string): string {
  return /^[^\s"=\p{Cc}]+$/u.test(text) ? text : visible(JSON.stringify(text));
}

/** What others wrote into a message cannot forge a line of ours. */
function oneLine(text: string): string {
  return visible(text.replaceAll(/[\r\n\u2028\u2029]+/g, ' | '));
}

/** Nor can it move the cursor of a terminal: control characters are shown, not sent. */
function visible(text: string): string {
  return text.replaceAll(/[\p{Cc}\u2028\u2029]/gu, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

let stderrBroken = false;

function writeToStderr(line: string): void {
  if (!stderrBroken) process.stderr.write(line);
}

// Whoever read our log went away: no reason to stop serving.
process.stderr.on('error', () => {
  stderrBroken = true;
});
