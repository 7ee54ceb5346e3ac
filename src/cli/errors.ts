// Every failure as one line `shoal: CODE: what, and what to do`, and the exit code that belongs to it.

import { CommanderError } from 'commander';
import { describeError, isShoalError } from '../base/errors.ts';
import { errnoOf, fileError } from '../platform/node/system-errors.ts';
import { printable } from './render/printable.ts';

export const EXIT_DONE = 0;
export const EXIT_FAILED = 1;
export const EXIT_USAGE = 2;

export interface Failure {
  /** Null where nothing is to be said: help was asked for. */
  readonly line: string | null;
  readonly exitCode: number;
}

/** `command` is what the user called, for the hint after wrong usage: `create` or an empty text. */
export function failureOf(error: unknown, command: string): Failure {
  if (error instanceof CommanderError) return ofCommander(error, command);
  if (isShoalError(error)) {
    const usage = error.code === 'USAGE';
    return { line: lineOf(error.code, error.message), exitCode: usage ? EXIT_USAGE : EXIT_FAILED };
  }
  if (errnoOf(error) !== '') return failureOf(fileError(error, 'go on'), command);
  const text = `a bug in Shoal: ${describeError(error)}; run again with SHOAL_DEBUG=1 and report what it prints`;
  return { line: lineOf('INTERNAL', text), exitCode: EXIT_FAILED };
}

function lineOf(code: string, message: string): string {
  return `shoal: ${code}: ${printable(message.replace(/\s*\n\s*/g, ' '))}`;
}

function ofCommander(error: CommanderError, command: string): Failure {
  if (error.exitCode === 0) return { line: null, exitCode: EXIT_DONE };
  // `shoal help WORD` for a word that is no command says nothing but this.
  const said = error.code === 'commander.help' ? 'there is no such command' : error.message;
  const message = said.replace(/^error: /, '').replace(/\.$/, '');
  const help = `shoal ${command === '' ? '' : `${command} `}--help`;
  return { line: lineOf('USAGE', `${message}; see '${help}'`), exitCode: EXIT_USAGE };
}
