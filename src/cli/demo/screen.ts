// What the demo says: steps with the time since it began, a live display, and the closing tables.

import { print } from '../output.ts';
import type { ProgressState } from '../progress.ts';
import { formatBytes, formatDuration, formatRate } from '../render/quantities.ts';
import { renderTable } from '../render/table.ts';
import type { StatusEvent } from '../status.ts';
import { LEECHES, SEED, type SwarmShow } from './swarm-show.ts';

export class Screen {
  readonly #beganMs: number = performance.now();
  readonly #quiet: boolean;

  /** Quiet: a JSON document is all that is wanted. */
  constructor(quiet: boolean) {
    this.#quiet = quiet;
  }

  get seconds(): number {
    return (performance.now() - this.#beganMs) / 1000;
  }

  /** One of the four steps, or what comes after. */
  step(title: string): void {
    if (!this.#quiet) print(`\n== ${title}`);
  }

  say(text: string): void {
    if (!this.#quiet) print(`${this.seconds.toFixed(1).padStart(6)} s  ${text}`);
  }

  table(text: string): void {
    if (!this.#quiet) print(`\n${text}`);
  }
}

/** Seed and leeches for the live display. */
export function progressOf(show: SwarmShow): ProgressState[] {
  return [SEED, ...LEECHES].flatMap((name) => {
    const status = show.statuses.get(name);
    return status ? [stateOf(name, status)] : [];
  });
}

function stateOf(name: string, status: StatusEvent): ProgressState {
  return {
    name,
    state: status.state,
    fraction: status.wanted === 0 ? 0 : status.verified / status.wanted,
    doneBytes: status.verified,
    totalBytes: status.wanted,
    downloadBytesPerSecond: status.downloadBytesPerSecond,
    uploadBytesPerSecond: status.uploadBytesPerSecond,
    etaS: status.eta,
    peers: status.peers.length,
    seeds: status.seeds,
    ratio: status.wanted === 0 ? 0 : status.uploaded / status.wanted,
  };
}

/** Rows send, columns receive. */
export function trafficTable(show: SwarmShow): string {
  const columns = [{ title: 'SENT BY' }, ...LEECHES.map((name) => rightColumn(`TO ${name}`)), rightColumn('ALL')];
  const rows = [SEED, ...LEECHES].map((from) => [
    from,
    ...LEECHES.map((to) => (from === to ? '-' : formatBytes(show.ledger.sent(from, to)))),
    formatBytes(show.ledger.sentToAll(from, LEECHES)),
  ]);
  return renderTable(columns, rows);
}

export function finishTable(show: SwarmShow, lengthBytes: number): string {
  const columns = [{ title: 'LEECH' }, rightColumn('COMPLETE AFTER'), rightColumn('FETCHED AT'), rightColumn('GAVE')];
  const rows = LEECHES.map((name) => {
    const { seconds } = show.finished.get(name)!;
    const gave = formatBytes(show.ledger.sentToAll(name, LEECHES));
    return [name, formatDuration(seconds), formatRate(lengthBytes / seconds), gave];
  });
  return renderTable(columns, rows);
}

function rightColumn(title: string): { title: string; align: 'right' } {
  return { title: title.toUpperCase(), align: 'right' };
}

/** What the figures say. */
export function conclusion(show: SwarmShow, lengthBytes: number): string {
  const fromSeed = show.ledger.sentToAll(SEED, LEECHES);
  const fromLeeches = LEECHES.reduce((sum, name) => sum + show.ledger.sentToAll(name, LEECHES), 0);
  const share = Math.round((100 * fromLeeches) / Math.max(1, fromSeed + fromLeeches));
  const times = (fromSeed / lengthBytes).toFixed(2);
  return (
    `The seed sent the content ${times} times and was then gone; one server would have sent it ${LEECHES.length} times.\n` +
    `${share} % of all bytes came from the leeches (${LEECHES.length} copies were made).`
  );
}
