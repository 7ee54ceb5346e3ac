// What the engine has to say, on stderr, for who asks with SHOAL_LOG=debug|info|warn|error.

import { type Log, type LogLevel, silentLog } from '../ports/log.ts';
import { note } from './output.ts';

const LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

/** Where the variable is not set or names no level: from `fallback` on, or silent. */
export function logFromEnvironment(fallback: LogLevel | null = null): Log {
  const named = LEVELS.indexOf(process.env.SHOAL_LOG as LogLevel);
  const least = named >= 0 || fallback === null ? named : LEVELS.indexOf(fallback);
  if (least < 0) return silentLog;
  return {
    write(level, message, fields = {}): void {
      if (LEVELS.indexOf(level) < least) return;
      const told = Object.entries(fields).map(([name, value]) => ` ${name}=${JSON.stringify(value)}`);
      note(`${new Date().toISOString()} ${level} ${message}${told.join('')}`);
    },
  };
}
