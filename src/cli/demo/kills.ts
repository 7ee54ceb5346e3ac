// The accidents: a process is killed while every piece is with some leech and no leech has them all, proved from both sides.
//
//   all out                     kill -9                 every leech's next word
//   --|---------------------------x--------------------------|------> time
//     each piece is with a leech                             each leech still lacks pieces, so each did at the kill

import { ShoalError } from '../../base/errors.ts';
import { count } from '../render/quantities.ts';
import type { DemoSwarm, Leech, Member } from './swarm.ts';

export interface Kill {
  readonly name: string;
  readonly pid: number;
  /** Since the leeches were started. */
  readonly atSeconds: number;
  /** Pieces that were with the leeches: all of them. */
  readonly piecesOut: number;
  /** Pieces that each leech had in its last word before, and its first word after the kill; all would be too late. */
  readonly leeches: readonly { readonly name: string; readonly before: number; readonly after: number }[];
}

/** What of the swarm is looked at. */
export type Observed = Pick<DemoSwarm, 'leeches' | 'out' | 'seconds' | 'kill' | 'until'>;

/** Resolves when every piece is with a leech. Throws UNFINISHED when a leech was complete no later. */
export async function allOut(swarm: Observed): Promise<void> {
  await swarm.until(() => swarm.out.isFull);
  const early = swarm.leeches.find((leech) => leech.isComplete);
  if (early) throw tooLate(early, 'the content was out');
}

/** Kills a member with SIGKILL. Throws UNFINISHED where a leech was complete by then. */
export async function killInWindow(swarm: Observed, member: Member): Promise<Kill> {
  const before = swarm.leeches.map((leech) => leech.have.count);
  for (const leech of swarm.leeches) if (leech.isComplete) throw tooLate(leech, `${member.name} was killed`);
  const atSeconds = swarm.seconds;
  await swarm.kill(member);
  const goneMs = Date.now();
  const after = await Promise.all(swarm.leeches.map((leech) => nextWord(swarm, leech, goneMs)));
  for (const [i, leech] of swarm.leeches.entries()) {
    if (after[i] === leech.have.length) throw tooLate(leech, `${member.name} was killed`);
  }
  const leeches = swarm.leeches.map(({ name }, i) => ({ name, before: before[i]!, after: after[i]! }));
  return { name: member.name, pid: member.actor.pid, atSeconds, piecesOut: swarm.out.count, leeches };
}

/** Pieces that a leech has in the first status that it makes from `fromMs` on. */
async function nextWord(swarm: Observed, leech: Leech, fromMs: number): Promise<number> {
  await swarm.until(() => (leech.status?.time ?? 0) >= fromMs || leech.isComplete);
  return leech.isComplete ? leech.have.length : leech.have.count;
}

function tooLate(leech: Leech, what: string): ShoalError {
  const pieces = count(leech.have.length, 'piece');
  return new ShoalError('UNFINISHED', `${leech.name} had all ${pieces} before ${what}; run the demo again`);
}
