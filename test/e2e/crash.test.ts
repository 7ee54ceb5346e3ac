// A leech that is killed again and again: what is verified stays, what is fetched twice is little.

import { describe, expect } from 'vitest';
import { get, it, json, startReady, treeOf, uploadedBy, writeFiles } from './stage.ts';

const LENGTH = 64_000_000;
const PIECE = 64 * 1024;
const RATE = 2_000_000;
const KILLS = 20;
/** The record of verified pieces is so far behind at most: one second. */
const JOURNAL_INTERVAL = RATE;
/** Pieces that one peer at this rate has begun, on their way to the disk included. */
const PIECES_IN_FLIGHT = 8 * PIECE;

describe('a leech that is killed at 20 random instants', () => {
  it('completes afterwards, with the right bytes, and has fetched little twice', async ({ place }) => {
    await writeFiles(place.folder, { big: LENGTH });
    json(await place.run('create', 'big', '--piece-length', `${PIECE}`, '--json'));
    const seed = await startReady(place, 'seed', 'seed', 'big.torrent', 'big');
    const source = ['big.torrent', '-o', 'here', '--peer', seed.address];
    const instantsMs = Array.from({ length: KILLS }, () => Math.round(Math.random() * 3500));
    for (const [i, instantMs] of instantsMs.entries()) {
      const state = ['--state', place.path('states', 'leech'), '--listen', '127.0.0.1:0'];
      const leech = place.start('get', ...source, ...state, '--max-download', `${RATE}`);
      const kill = setTimeout(() => leech.child.kill('SIGKILL'), instantMs);
      const { stderr, exitCode } = await leech.ended;
      clearTimeout(kill);
      expect([stderr, exitCode], `run ${i}, killed after ${instantMs} ms; all: ${instantsMs}`).toEqual(['', null]);
    }
    const last = json(await get(place, 'leech', ...source));
    expect(last).toMatchObject({ verified: Math.ceil(LENGTH / PIECE), length: LENGTH });
    expect(await treeOf(place.path('here', 'big'))).toEqual(await treeOf(place.path('big')));
    const uploaded = await uploadedBy(seed.running);
    expect(uploaded, `instants: ${instantsMs}`).toBeLessThanOrEqual(
      LENGTH + KILLS * (PIECES_IN_FLIGHT + JOURNAL_INTERVAL),
    );
    // Nor did every run begin anew: a good part of what the killed ones fetched was taken over.
    const byKilled = uploaded - (last.downloaded as number);
    expect(last.downloaded).toBeLessThan(LENGTH - byKilled / 3);
  });
});
