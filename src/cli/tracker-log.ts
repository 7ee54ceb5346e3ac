// The log of `shoal tracker`: lines for people on stderr, or JSON lines for programs, there or in a file. Nothing that is
// logged waits for a disk or a reader: what does not fit into the buffer is dropped, and counted.

import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { fileError } from '../platform/node/system-errors.ts';
import type { Log, LogLevel } from '../ports/log.ts';
import { LEVELS, logFromEnvironment, logLine, logToStderr } from './log.ts';
import { note } from './output.ts';
import { printable } from './render/printable.ts';

export interface LogOptions {
  readonly logFile?: string;
  readonly logLevel?: LogLevel;
  readonly logFormat?: 'text' | 'json';
}

export interface TrackerLog {
  readonly log: Log;
  /** Goes on in a new file of the same name, where the old one was renamed (logrotate); null: there is no file. */
  readonly reopen: (() => void) | null;
  /** The notes for people on stderr are part of the log. */
  readonly isJson: boolean;
  close(): Promise<void>;
}

/** A disk may be away for as long as it takes to say so much; a tracker that is well says a few lines an hour. */
const MAX_BUFFER_BYTES = 1024 * 1024;
/** For the last lines to get through. */
const CLOSE_MS = 500;

/** IO errors where the file cannot be opened. The packages for it are loaded only where they are needed. */
export async function openTrackerLog(options: LogOptions): Promise<TrackerLog> {
  const { logFile, logLevel, logFormat } = options;
  if (logFile === undefined && logFormat !== 'json') {
    const log = logLevel === undefined ? logFromEnvironment('warn') : logToStderr(logLevel);
    return { log, reopen: null, isJson: false, close: async () => undefined };
  }
  const named = process.env.SHOAL_LOG as LogLevel;
  const level = logLevel ?? (LEVELS.includes(named) ? named : 'info');
  if (logFile !== undefined) checkWritable(logFile);
  const { destination, pino } = await import('pino');
  let closing = false;
  const retryEAGAIN = (): boolean => !closing;
  const lines = destination({ dest: logFile ?? 2, sync: false, maxLength: MAX_BUFFER_BYTES, retryEAGAIN });
  await once(lines, 'ready');
  const log =
    logFormat === 'json' || logFormat === undefined
      ? jsonLog(pino, lines, level)
      : textLog((line) => lines.write(line), level);
  let dropped = 0;
  lines.on('drop', () => dropped++);
  lines.on('drain', () => {
    if (dropped === 0) return;
    const count = dropped;
    dropped = 0;
    log.write('warn', 'log lines were dropped: they came faster than they could be written', { count });
  });
  let said = '';
  lines.on('error', ({ message }: Error) => {
    if (!closing && message !== said) note(`the log cannot be written: ${message}`);
    said = message;
  });
  return {
    log,
    // At the end it would throw.
    reopen: logFile === undefined ? null : () => void (closing || lines.reopen()),
    isJson: logFormat !== 'text' && logFile === undefined,
    async close() {
      closing = true;
      const closed = new Promise<void>((resolve) => {
        lines.once('close', resolve);
        setTimeout(resolve, CLOSE_MS).unref();
      });
      lines.end();
      await closed;
    },
  };
}

/** Before the package opens it, which would tell of it too late. */
function checkWritable(path: string): void {
  try {
    closeSync(openSync(path, 'a'));
  } catch (error) {
    throw fileError(error, `write the log file "${path}"`);
  }
}

type Pino = typeof import('pino').pino;
type Destination = ReturnType<typeof import('pino').destination>;

/** One JSON object a line: `level`, `time` (ISO 8601), `msg`, and the fields. */
function jsonLog(pino: Pino, lines: Destination, level: LogLevel): Log {
  const formatters = { level: (label: string): object => ({ level: label }) };
  const logger = pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime, formatters }, lines);
  return { write: (at, message, fields = {}) => logger[at](fields, message) };
}

function textLog(write: (line: string) => void, least: LogLevel): Log {
  return {
    write(level, message, fields) {
      if (LEVELS.indexOf(level) >= LEVELS.indexOf(least)) write(`${printable(logLine(level, message, fields))}\n`);
    },
  };
}
