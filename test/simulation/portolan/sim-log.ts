/** The log of one simulated process: into the trace, and to whoever counts what is rare. */
import type { Log, LogFields } from '../../../src/ports/log.js';
import type { Simulation } from '../simulation.js';

export type LogListener = (who: string, message: string, fields: LogFields) => void;

const NO_FIELDS: LogFields = {};

export class SimLog implements Log {
  readonly #simulation: Simulation;
  readonly #who: string;
  readonly #listener: LogListener;

  constructor(simulation: Simulation, who: string, listener: LogListener) {
    this.#simulation = simulation;
    this.#who = who;
    this.#listener = listener;
  }

  debug(message: string, fields?: LogFields): void {
    this.#say(message, fields);
  }

  info(message: string, fields?: LogFields): void {
    this.#say(message, fields);
  }

  warn(message: string, fields?: LogFields): void {
    this.#say(`warning: ${message}`, fields);
  }

  error(message: string, fields?: LogFields): void {
    this.#say(`error: ${message}`, fields);
  }

  #say(message: string, fields = NO_FIELDS): void {
    const { trace, nowMs } = this.#simulation;
    trace.mixText(message);
    if (trace.keepsLines) {
      trace.line(`${nowMs.toFixed(3)} ms ${this.#who}: ${message} ${textOf(fields)}`.trimEnd());
    }
    this.#listener(this.#who, message, fields);
  }
}

function textOf(fields: LogFields): string {
  const known = Object.entries(fields).filter(([, value]) => value !== undefined);
  return known.map(([name, value]) => `${name}=${String(value)}`).join(' ');
}
