import { expect, it } from 'vitest';
import { playRounds } from './rounds.ts';
import type { Outcome } from './transfer.ts';

/** One round whose time is up while it runs. */
async function playedLate(outcome: Outcome<object>) {
  const run = async (leftMs: number) => {
    await new Promise((done) => setTimeout(done, leftMs + 5));
    return outcome;
  };
  return await playRounds([{ what: 'all', program: 'shoal', run }], 1, performance.now() + 5, () => {});
}

it('forgives a run that was not done when the time was up, and says so', async () => {
  const { rows, notes } = await playedLate({ ok: false, why: 'not done' });
  expect(rows).toEqual([]);
  expect(notes).toEqual(['round 1: the time was up before shoal, all']);
});

it('tells a run that was wrong however late it is', async () => {
  const { rows } = await playedLate({ ok: false, why: '1 of 1 copies differ', wrong: true });
  expect(rows.map(({ why }) => why)).toEqual(['1 of 1 copies differ']);
});
