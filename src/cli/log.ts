// What the engine has to say, on stderr, for who asks with SHOAL_LOG=debug|info|warn|error.

import { type Log, type LogFields, type LogLevel, silentLog } from '../ports/log.ts';
import { note } from './output.ts';

export const LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

/** Where the variable is not set or names no level: from `fallback` on, or silent. */
export function logFromEnvironment(fallback: LogLevel | null = null): Log {
  const named = process.env.SHOAL_LOG as LogLevel;
  const least = LEVELS.includes(named) ? named : fallback;
  return least === null ? silentLog : logToStderr(least);
}

export function logToStderr(least: LogLevel): Log {
  return {
    write(level, message, fields): void {
      if (LEVELS.indexOf(level) >= LEVELS.indexOf(least)) note(logLine(level, message, fields));
    },
  };
}

/** `2026-01-31T10:00:00.000Z warn something happened name="value"` */
export function logLine(level: LogLevel, message: string, fields: LogFields = {}): string {
  const told = Object.entries(fields).map(([name, value]) => ` ${name}=${JSON.stringify(value)}`);
  return `${new Date().toISOString()} ${level} ${message}${told.join('')}`;
}
