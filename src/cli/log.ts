// What the engine has to say, on stderr, for who asks with SHOAL_LOG=debug|info|warn|error.

import { type Log, type LogLevel, silentLog } from '../ports/log.ts';
import { note } from './output.ts';

const LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

/** Silent where the variable is not set or names no level. */
export function logFromEnvironment(): Log {
  const least = LEVELS.indexOf(process.env.SHOAL_LOG as LogLevel);
  if (least < 0) return silentLog;
  return {
    write(level, message, fields = {}): void {
      if (LEVELS.indexOf(level) < least) return;
      const told = Object.entries(fields).map(([name, value]) => ` ${name}=${JSON.stringify(value)}`);
      note(`${new Date().toISOString()} ${level} ${message}${told.join('')}`);
    },
  };
}
