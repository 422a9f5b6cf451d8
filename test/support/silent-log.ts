/** A log that says nothing. */
import type { Log } from '../../src/ports/log.js';

const nothing = () => undefined;

export const silentLog: Log = { debug: nothing, info: nothing, warn: nothing, error: nothing };
