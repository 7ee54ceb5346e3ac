// The live display on stderr: drawn a few times a second on a terminal, nothing at all elsewhere.

import colors from 'picocolors';
import { onOutput } from './output.ts';
import { renderBar } from './render/bar.ts';
import { printable } from './render/printable.ts';
import { count, formatBytes, formatDuration, formatPercent, formatRate, formatRatio } from './render/quantities.ts';

/** Fast enough to look alive, slow enough to cost nothing. */
const REDRAW_MS = 250;
/** More torrents than this are told in one line of sums, so that the display fits the screen. */
const MAX_TORRENTS_SHOWN = 8;

/** Columns that a name keeps on a narrow terminal. */
const MIN_NAME = 10;

/** One torrent (or one task, with what does not apply left null) as the display shows it. */
export interface ProgressState {
  readonly name: string;
  /** `checking`, `downloading`, `seeding` …: said where there is no bar to see it by. */
  readonly state: string;
  readonly fraction: number;
  readonly doneBytes: number;
  readonly totalBytes: number | null;
  readonly downloadBytesPerSecond: number | null;
  readonly uploadBytesPerSecond: number | null;
  readonly etaS: number | null;
  readonly peers: number | null;
  readonly seeds: number | null;
  readonly ratio: number | null;
}

/** A task without peers: hashing, checking. Changed in place while it runs. */
export interface TaskState {
  readonly name: string;
  state: string;
  done: number;
  total: number;
}

export function taskProgress(task: TaskState): ProgressState {
  return {
    name: task.name,
    state: task.state,
    fraction: task.total === 0 ? 0 : task.done / task.total,
    doneBytes: task.done,
    totalBytes: task.total,
    downloadBytesPerSecond: null,
    uploadBytesPerSecond: null,
    etaS: null,
    peers: null,
    seeds: null,
    ratio: null,
  };
}

export interface Progress {
  /** Removes the display. Idempotent. */
  stop(): void;
}

const NO_PROGRESS: Progress = { stop: () => undefined };

/** Draws `read()` until stopped. Quiet when stderr is no terminal. */
export async function startProgress(read: () => readonly ProgressState[]): Promise<Progress> {
  const { stderr } = process;
  // A terminal without a size (`script`, some test runners) cannot be drawn on.
  if (!stderr.isTTY || !(stderr.columns > 0)) return NO_PROGRESS;
  // What draws is a tenth of the start of a short command.
  const { createLogUpdate } = await import('log-update');
  const display = createLogUpdate(stderr);
  const draw = (): void => display(renderProgress(read(), stderr.columns));
  const timer = setInterval(draw, REDRAW_MS);
  timer.unref();
  onOutput(() => display.clear());
  let stopped = false;
  return {
    stop(): void {
      if (stopped) return;
      stopped = true;
      clearInterval(timer);
      onOutput(null);
      display.clear();
      display.done();
    },
  };
}

/** Two lines a torrent, made for 80 columns: the name and the swarm, then bar, rates and time. */
export function renderProgress(states: readonly ProgressState[], columns: number): string {
  const lines: string[] = [];
  for (const state of states.slice(0, MAX_TORRENTS_SHOWN)) {
    lines.push(headline(state, columns), cut(numbers(state, columns), columns));
  }
  const rest = states.slice(MAX_TORRENTS_SHOWN);
  if (rest.length > 0) {
    const sum = (pick: (state: ProgressState) => number | null): number =>
      rest.reduce((total, state) => total + (pick(state) ?? 0), 0);
    const down = formatRate(sum((state) => state.downloadBytesPerSecond));
    const up = formatRate(sum((state) => state.uploadBytesPerSecond));
    lines.push(cut(`and ${rest.length} more: down ${down}, up ${up}, ${sum((state) => state.peers)} peers`, columns));
  }
  return lines.join('\n');
}

/** What is known of the swarm comes first when the room is short: a name is known to who started it. */
function headline(state: ProgressState, columns: number): string {
  const parts: string[] = [];
  if (state.totalBytes !== null && state.state !== 'seeding') {
    parts.push(`${formatBytes(state.doneBytes)} of ${formatBytes(state.totalBytes)}`);
  }
  if (state.peers !== null) parts.push(`${count(state.peers, 'peer')} (${count(state.seeds ?? 0, 'seed')})`);
  if (state.ratio !== null) parts.push(`ratio ${formatRatio(state.ratio)}`);
  const rest = parts.map((part) => `  ${part}`).join('');
  const name = cut(printable(state.name), Math.max(MIN_NAME, columns - rest.length));
  return colors.bold(name) + cut(rest, columns - Array.from(name).length);
}

function numbers(state: ProgressState, columns: number): string {
  const parts: string[] = [];
  if (state.state === 'seeding') parts.push('seeding');
  else parts.push(`${renderBar(state.fraction, columns >= 80 ? 24 : 12)} ${formatPercent(state.fraction)}`);
  if (state.state !== 'seeding' && state.state !== 'downloading') parts.push(state.state);
  if (state.downloadBytesPerSecond !== null && state.state !== 'seeding') {
    parts.push(`↓ ${formatRate(state.downloadBytesPerSecond)}`);
  }
  if (state.uploadBytesPerSecond !== null) parts.push(`↑ ${formatRate(state.uploadBytesPerSecond)}`);
  if (state.etaS !== null && state.state !== 'seeding') parts.push(`ETA ${formatDuration(state.etaS)}`);
  return parts.join('  ');
}

/** By characters, not columns: names of wide characters may still wrap, which log-update copes with. */
function cut(text: string, columns: number): string {
  const characters = Array.from(text);
  return characters.length <= columns ? text : `${characters.slice(0, Math.max(1, columns - 1)).join('')}…`;
}
