// What the program says: results on stdout, everything else on stderr. A reader that went away is no error.

import type { ShoalError } from '../base/errors.ts';
import { printable } from './render/printable.ts';

let silenced = false;

/** Call once at start: writing to a closed pipe (`shoal inspect … | head`) then does nothing instead of throwing. */
export function silenceBrokenPipes(): void {
  if (silenced) return;
  silenced = true;
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error;
    });
  }
}

/** A result: text made by the render functions. */
export function print(text: string): void {
  clearDisplay?.();
  process.stdout.write(`${text}\n`);
}

/** A JSON document, or one event of a command that stays: one line. */
export function printJson(value: unknown): void {
  clearDisplay?.();
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

/** Something to know that is no result: on stderr, one line. */
export function note(text: string): void {
  clearDisplay?.();
  process.stderr.write(`${printable(text)}\n`);
}

/** Something that went wrong with one of many: the others go on. */
export function noteError(error: ShoalError): void {
  note(`shoal: ${error.code}: ${error.message}`);
}

let clearDisplay: (() => void) | null = null;

/** The progress display clears itself before any line, so that it does not wipe out the line later. Null: there is none. */
export function onOutput(callback: (() => void) | null): void {
  clearDisplay = callback;
}

/** Bytes on stdout, all of them written when it resolves. */
export function printBytes(bytes: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    process.stdout.write(bytes, () => resolve());
  });
}

/** Resolves when stdout and stderr have been handed to the system. */
export async function flush(): Promise<void> {
  const drained = (stream: NodeJS.WriteStream): Promise<void> =>
    new Promise((resolve) => {
      if (stream.destroyed || stream.writableLength === 0) resolve();
      else stream.write('', () => resolve());
    });
  await Promise.all([drained(process.stdout), drained(process.stderr)]);
}
