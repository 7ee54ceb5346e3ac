// What a suite is, and what it is given.

import type { Client } from '../clients/client.ts';
import type { Options } from '../options.ts';
import type { Goal } from '../report/goals.ts';
import type { Plot } from '../report/plot.ts';
import type { Row } from '../run/rounds.ts';
import { type Case, playRounds, type RoundsResult } from '../run/rounds.ts';
import type { Scene } from '../run/scene.ts';
import { type Outcome, type Part, type TransferFigures, type TransferJob, transfer } from '../run/transfer.ts';

export interface Report {
  readonly rows: readonly Row[];
  /** Title and Markdown. */
  readonly tables: readonly { readonly title: string; readonly text: string }[];
  readonly goals: readonly Goal[];
  /** What a reader has to know about the figures. */
  readonly notes: readonly string[];
  /** What the figures say, in words. */
  readonly conclusions?: readonly string[];
  readonly plots?: readonly Plot[];
}

export interface Suite {
  readonly title: string;
  /** At most, of a full run; with --quick it gets its share of 3 minutes. */
  readonly minutes: number;
  readonly quickSeconds: number;
  run(stage: Stage): Promise<Report>;
}

/** What a suite plays with. */
export interface Stage {
  readonly scene: Scene;
  readonly options: Options;
  /** All that are here; Shoal is the first. */
  readonly here: readonly Client[];
  /** Those of them that are wanted. */
  readonly clients: readonly Client[];
  /** Whether a program that is no client of the list is wanted. */
  isWanted(program: string): boolean;
  readonly deadlineMs: number;
  tell(row: Row): void;
}

export function play(
  stage: Stage,
  cases: readonly Case[],
  rounds: number = stage.options.rounds,
): Promise<RoundsResult> {
  return playRounds(cases, rounds, stage.deadlineMs, (row) => stage.tell(row));
}

export interface TransferShape {
  readonly sizeMib: number;
  readonly pieceBytes: number;
  readonly meta?: 'v1' | 'v2';
  readonly meter?: TransferJob['meter'];
  readonly span?: TransferJob['span'];
  readonly timeoutMs: number;
}

/** A transfer as a case's run; CPU is told for a GiB, too. */
export async function playTransfer(
  stage: Stage,
  shape: TransferShape,
  seeds: readonly Part[],
  leeches: readonly Part[],
  leftMs: number,
): Promise<Outcome<TransferFigures & { leechCpuPerGib: number; seedCpuPerGib: number }>> {
  const made = await stage.scene.torrent(shape.sizeMib, shape.pieceBytes, shape.meta);
  const timeoutMs = Math.min(shape.timeoutMs, leftMs);
  const told = { ...(shape.meter && { meter: shape.meter }), ...(shape.span && { span: shape.span }) };
  const outcome = await transfer(stage.scene, { ...made, seeds, leeches, timeoutMs, ...told });
  if (!outcome.ok) return outcome;
  const gib = (shape.sizeMib * leeches.length) / 1024;
  const { leechCpuSeconds, seedCpuSeconds } = outcome.figures;
  const perGib = { leechCpuPerGib: leechCpuSeconds / gib, seedCpuPerGib: seedCpuSeconds / gib };
  return { ok: true, figures: { ...outcome.figures, ...perGib } };
}

/** With --quick there is time for these only. */
export const QUICK: readonly string[] = ['shoal', 'libtorrent', 'aria2'];

/** The clients of a suite; those in `without` are measured only when they are asked for by name. */
export function clientsFor(stage: Stage, without: readonly string[] = []): readonly Client[] {
  const { quick, programs } = stage.options;
  const isMeasured = (name: string): boolean => (quick ? QUICK.includes(name) : !without.includes(name));
  return stage.clients.filter(({ name }) => isMeasured(name) || programs?.includes(name));
}

/** Programs begin with a full bucket, of half a second's worth at most; and clocks are no better than this. */
const BURST_SECONDS = 0.5;
const CLOCK = 0.97;

/** A run that was faster than the limits of its processes allow has measured something else. */
export function withinLimits<Figures extends TransferFigures>(
  outcome: Outcome<Figures>,
  shortestSeconds: number,
): Outcome<Figures> {
  if (!outcome.ok || outcome.figures.seconds > shortestSeconds * CLOCK - BURST_SECONDS) return outcome;
  const { seconds } = outcome.figures;
  return {
    ok: false,
    wrong: true,
    why: `${seconds.toFixed(1)} s, though the limits allow no less than ${shortestSeconds.toFixed(1)} s`,
  };
}

export function uncapped(client: Client): Part {
  return { client };
}

/** As a partner of others, even where it is not wanted for itself. */
export function clientOf(stage: Stage, name: string): Client | null {
  return stage.here.find((client) => client.name === name) ?? null;
}
