// What the demo ends with: the JSON document, and the closing tables made of it.

import type { TorrentFacts } from '../facts.ts';
import { formatBytes, formatDuration, formatPercent, formatRate, formatRatio } from '../render/quantities.ts';
import { type Align, renderTable } from '../render/table.ts';
import type { Caps } from './caps.ts';
import type { Content } from './content.ts';
import type { Kill } from './kills.ts';
import type { DemoSwarm, Leech, Member } from './swarm.ts';

export interface DemoReport {
  /** Everything was equal, and both kills came in time. */
  readonly ok: boolean;
  readonly path: string;
  readonly name: string;
  readonly infoHashV1: string;
  readonly files: number;
  readonly length: number;
  readonly pieces: number;
  readonly pieceLength: number;
  /** Top-level names of the path that were left out. */
  readonly leftOut: readonly string[];
  /** The whole demo. */
  readonly seconds: number;
  /** Bytes per second that each may send. */
  readonly caps: { readonly seed: number; readonly leech: number };
  /** All times from here on count from the start of the leeches. */
  readonly outSeconds: number;
  readonly kills: readonly Kill[];
  readonly leeches: readonly LeechReport[];
  /** Bytes of content by who sent them, then by who received them. */
  readonly sent: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** Seeds that tracker 2 lists at the end: tracker 1 is dead. */
  readonly seedsAtTracker2: number;
}

export interface LeechReport {
  readonly name: string;
  readonly completeSeconds: number;
  readonly bytesPerSecond: number;
  readonly downloaded: number;
  readonly uploaded: number;
  readonly files: number;
  /** Files that are not as in the source; empty. */
  readonly differences: readonly string[];
}

/** What happened, beside what the swarm knows. */
export interface Course {
  readonly seconds: number;
  readonly outSeconds: number;
  readonly kills: readonly Kill[];
  /** By leech. */
  readonly differences: ReadonlyMap<string, readonly string[]>;
  readonly seedsAtTracker2: number;
}

export function reportOf(
  made: TorrentFacts,
  content: Content,
  caps: Caps,
  swarm: DemoSwarm,
  course: Course,
): DemoReport {
  const { differences, kills, seedsAtTracker2 } = course;
  const { leeches, seed } = swarm;
  const sentBy = (from: Member | Leech): Record<string, number> =>
    Object.fromEntries(leeches.filter((to) => to !== from).map((to) => [to.name, swarm.sent(from, to)]));
  return {
    ok: [...differences.values()].every((wrong) => wrong.length === 0),
    path: content.path,
    name: made.name!,
    infoHashV1: made.infoHashV1!,
    files: made.files!.length,
    length: made.length!,
    pieces: made.pieceCount!,
    pieceLength: made.pieceLength!,
    leftOut: [...content.caches, ...content.tooLarge],
    caps: { seed: caps.seedBytesPerSecond, leech: caps.leechBytesPerSecond },
    seconds: rounded(course.seconds),
    outSeconds: rounded(course.outSeconds),
    kills: kills.map((kill) => ({ ...kill, atSeconds: rounded(kill.atSeconds) })),
    seedsAtTracker2,
    leeches: leeches.map((leech) => ({
      name: leech.name,
      completeSeconds: rounded(leech.completeAtSeconds),
      bytesPerSecond: leech.complete!.bytesPerSecond,
      downloaded: leech.status!.downloaded,
      uploaded: leech.status!.uploaded,
      files: made.files!.length,
      differences: differences.get(leech.name)!,
    })),
    sent: Object.fromEntries([seed!, ...leeches].map((from) => [from.name, sentBy(from)])),
  };
}

export function trafficTable(report: DemoReport): string {
  const names = report.leeches.map(({ name }) => name);
  const senders = Object.entries(report.sent);
  const columns = ['SENT BY', ...names.map((name) => `TO ${name.toUpperCase()}`), 'TOGETHER', 'CONTENT'];
  const rows = senders.map(([from, to]) => {
    const all = sum(Object.values(to));
    const cells = names.map((name) => (name === from ? '-' : formatBytes(to[name] ?? 0)));
    return [from, ...cells, formatBytes(all), `× ${formatRatio(all / report.length)}`];
  });
  const received = names.map((name) => sum(senders.map(([, to]) => to[name] ?? 0)));
  const cells = received.map((bytes) => formatBytes(bytes));
  rows.push(['together', ...cells, formatBytes(sum(received)), `× ${formatRatio(sum(received) / report.length)}`]);
  return renderTable(columns.map(column), rows);
}

export function timesTable(report: DemoReport): string {
  const columns = ['LEECH', 'COMPLETE AFTER', 'RECEIVED AT', 'FROM THE SEED', 'FROM LEECHES', 'FILES EQUAL'];
  const rows = report.leeches.map((leech) => {
    const fromSeed = report.sent.seed?.[leech.name] ?? 0;
    const part = (bytes: number): string => formatPercent(bytes / Math.max(1, leech.downloaded));
    const time = formatDuration(leech.completeSeconds);
    const equal = leech.differences.length === 0 ? `all ${leech.files}` : `${leech.differences.length} are not`;
    const parts = [part(fromSeed), part(leech.downloaded - fromSeed)];
    return [leech.name, time, formatRate(leech.bytesPerSecond), ...parts, equal];
  });
  return renderTable(columns.map(column), rows);
}

export function killsTable(report: DemoReport): string {
  const columns = ['KILLED', 'PROCESS', 'AFTER', 'PIECES OUT', ...report.leeches.map(({ name }) => name.toUpperCase())];
  const rows = report.kills.map((kill) => [
    kill.name,
    String(kill.pid),
    formatDuration(kill.atSeconds),
    `${kill.piecesOut} of ${report.pieces}`,
    ...kill.leeches.map(({ before }) => `had ${formatPercent(before / report.pieces)}`),
  ]);
  return renderTable(columns.map(column), rows);
}

/** What the figures say. */
export function conclusion(report: DemoReport): string {
  const [seed = {}, ...others] = Object.values(report.sent);
  const [fromSeed, fromLeeches] = [sum(Object.values(seed)), sum(others.flatMap((to) => Object.values(to)))];
  const share = formatPercent(fromLeeches / Math.max(1, fromSeed + fromLeeches));
  const copies = report.leeches.length;
  const times = formatRatio(fromSeed / report.length);
  return [
    `The seed sent the content ${times} times; alone it would have sent it ${copies} times.`,
    `${share} of all bytes came from other leeches. The whole demo took ${formatDuration(report.seconds)}.`,
  ].join('\n');
}

function column(title: string, index: number): { title: string; align: Align } {
  return { title, align: index === 0 ? 'left' : 'right' };
}

/** Milliseconds are enough. */
function rounded(seconds: number): number {
  return Math.round(seconds * 1000) / 1000;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
