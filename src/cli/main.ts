#!/usr/bin/env node
/** The entry point: runs the command, and turns whatever went wrong into a line and a status. */
import { CommanderError } from 'commander';
import { CliError, EXIT } from './exit.js';
import { tell } from './output.js';
import { buildProgram } from './program.js';

const program = buildProgram();
for (const command of [program, ...program.commands]) command.exitOverride();

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    // Help and version are answers; everything else the parser says is a mistake in the call.
    process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  } else {
    const debug = program.opts<{ debug?: boolean }>().debug === true;
    tell(`portolan: ${describe(error, debug)}`);
    // At once: a role that failed half-way may have left something open that would keep us here.
    process.exit(error instanceof CliError ? error.exitCode : EXIT.unexpected);
  }
}

function describe(error: unknown, debug: boolean): string {
  if (!(error instanceof Error)) return String(error);
  return debug ? (error.stack ?? error.message) : error.message;
}
