// Rounds: every case once in each, in alternating order, until they are done or the time is up.

import type { Outcome } from './transfer.ts';

/** What one run of one program gave. */
export interface Row {
  /** What was asked of it: `1 MiB pieces`, `10 leeches` … */
  readonly what: string;
  readonly program: string;
  readonly round: number;
  readonly figures: Readonly<Record<string, number>> | null;
  /** Why there are none. */
  readonly why: string | null;
}

export interface Case {
  readonly what: string;
  readonly program: string;
  run(leftMs: number): Promise<Outcome<object>>;
}

/** A program that failed so often in a row is not asked again: it would fail until the time is up. */
const PATIENCE = 2;

export interface RoundsResult {
  readonly rows: readonly Row[];
  /** What a reader has to know: rounds that were not played, programs that were given up. */
  readonly notes: readonly string[];
}

/**
 * Plays at least one round. A further one is begun only where the longest so far would end before `deadlineMs`
 * (`performance.now()`); the runs of a round are told how much time is left.
 */
export async function playRounds(
  cases: readonly Case[],
  rounds: number,
  deadlineMs: number,
  tell: (row: Row) => void,
): Promise<RoundsResult> {
  const rows: Row[] = [];
  const notes: string[] = [];
  const failures = new Map<Case, number>();
  let longestMs = 0;
  for (let round = 1; round <= rounds; round++) {
    const beganMs = performance.now();
    const late: string[] = [];
    if (round > 1 && beganMs + longestMs > deadlineMs) {
      notes.push(`${round - 1} of ${rounds} rounds: the time was up`);
      break;
    }
    for (const one of inOrderOf(cases, round)) {
      if ((failures.get(one) ?? 0) >= PATIENCE) continue;
      const row = await playOne(one, round, deadlineMs);
      if (row === null) {
        late.push(`${one.program}, ${one.what}`);
        continue;
      }
      failures.set(one, row.why === null ? 0 : (failures.get(one) ?? 0) + 1);
      rows.push(row);
      tell(row);
    }
    if (late.length > 0) notes.push(`round ${round}: the time was up before ${late.join('; ')}`);
    longestMs = Math.max(longestMs, performance.now() - beganMs);
  }
  for (const [one, count] of failures) {
    if (count >= PATIENCE) notes.push(`${one.program}, ${one.what}: failed ${count} times in a row and was given up`);
  }
  return { rows, notes };
}

/** null: there was no time for it, which is no fault of the program's. */
async function playOne(one: Case, round: number, deadlineMs: number): Promise<Row | null> {
  const leftMs = deadlineMs - performance.now();
  if (leftMs <= 0) return null;
  const outcome = await one.run(leftMs);
  if (!outcome.ok && !outcome.wrong && performance.now() > deadlineMs) return null;
  const { what, program } = one;
  if (!outcome.ok) return { what, program, round, figures: null, why: outcome.why };
  return { what, program, round, figures: outcome.figures as Record<string, number>, why: null };
}

/** Forwards and backwards in turn: what goes before does not always favour the same. */
function inOrderOf<T>(list: readonly T[], round: number): readonly T[] {
  return round % 2 === 1 ? list : [...list].reverse();
}
