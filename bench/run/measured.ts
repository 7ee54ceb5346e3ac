// One program run to its end: wall time, CPU seconds and peak memory.

import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { cpuSeconds, usageOf } from './proc.ts';

const SAMPLE_MS = 10;

/** Its own and its children's times are in the shell's figures by the time it reads them; a shell costs about 1 ms. */
const SHELL = '"$@"; code=$?; read -r line < /proc/$$/stat; echo "$line" >&3; exit $code';

export interface Measured {
  readonly code: number | null;
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly rssMib: number;
  readonly privateMib: number;
}

export interface MeasureOptions {
  readonly log: string;
  readonly home: string;
  readonly timeoutMs: number;
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs a command to its end; `code` is null where it was ended for the time it took. */
export async function measure(argv: readonly string[], options: MeasureOptions): Promise<Measured> {
  const output = openSync(options.log, 'w');
  const startedMs = performance.now();
  const child = spawn('sh', ['-c', SHELL, 'sh', ...argv], {
    cwd: options.home,
    detached: true,
    stdio: ['ignore', output, output, 'pipe'],
    env: { ...process.env, HOME: options.home, LC_ALL: 'C.UTF-8', ...options.env },
  });
  closeSync(output);
  const group = child.pid;
  let stat = '';
  child.stdio[3]?.on('data', (chunk: Buffer) => {
    stat += chunk.toString('latin1');
  });
  const peak = { rssMib: 0, privateMib: 0 };
  const sample = setInterval(() => {
    const usage = group === undefined ? null : usageOf(group);
    peak.rssMib = Math.max(peak.rssMib, usage?.rssMib ?? 0);
    peak.privateMib = Math.max(peak.privateMib, usage?.privateMib ?? 0);
  }, SAMPLE_MS);
  const end = (): void => {
    if (group !== undefined) process.kill(-group, 'SIGKILL');
  };
  process.on('exit', end);
  const timer = setTimeout(end, options.timeoutMs);
  let seconds = 0;
  child.on('exit', () => {
    seconds = (performance.now() - startedMs) / 1000;
  });
  const code = await new Promise<number | null>((done) => child.on('close', done).on('error', () => done(null)));
  clearTimeout(timer);
  clearInterval(sample);
  process.off('exit', end);
  return { code, seconds, cpuSeconds: stat === '' ? 0 : cpuSeconds(stat), ...peak };
}

/** What a failed run said last. */
export function lastWords(log: string): string {
  return readFileSync(log, 'utf8').trimEnd().split('\n').slice(-3).join(' / ').slice(-300);
}
