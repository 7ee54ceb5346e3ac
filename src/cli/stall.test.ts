import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Torrent } from '../torrent/torrent.ts';
import { type StallReport, stallLine, watchStall } from './stall.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A torrent of which only this is looked at. */
function standing(changes: object = {}) {
  const snapshot = { name: 'films', state: 'downloading', downloadedBytes: 0, piecesVerified: 0, checkedFraction: 1 };
  const now = Object.assign(snapshot, changes);
  const torrent = { snapshot: () => ({ ...now }), why: () => [{ text: 'nobody answers' }] } as unknown as Torrent;
  return { now, torrent };
}

/** When reports came, in ms. */
function reportsOf(torrent: Torrent): { readonly atMs: number[]; readonly stop: () => void } {
  const atMs: number[] = [];
  const startMs = performance.now();
  const say = (report: StallReport): void => {
    expect(stallLine(report)).toBe('nothing arrives: nobody answers');
    atMs.push(performance.now() - startMs);
  };
  return { atMs, stop: watchStall(torrent, say) };
}

describe('a torrent for which nothing arrives', () => {
  it('is explained within 5 s, and again every 10 s', () => {
    const { atMs, stop } = reportsOf(standing().torrent);
    vi.advanceTimersByTime(5000);
    expect(atMs).toHaveLength(1);
    vi.advanceTimersByTime(20_000);
    stop();
    expect([atMs[1]! - atMs[0]!, atMs[2]! - atMs[1]!]).toEqual([10_000, 10_000]);
    vi.advanceTimersByTime(20_000);
    expect(atMs).toHaveLength(3);
  });

  it('is left in peace while something arrives, and within 5 s of the last of it explained again', () => {
    const { now, torrent } = standing();
    const { atMs, stop } = reportsOf(torrent);
    for (let second = 0; second < 30; second++) {
      now.downloadedBytes += 16_384;
      vi.advanceTimersByTime(1000);
    }
    expect(atMs).toEqual([]);
    vi.advanceTimersByTime(5000);
    expect(atMs).toHaveLength(1);
    stop();
  });

  it('is not explained when it has nothing to fetch', () => {
    const { atMs, stop } = reportsOf(standing({ state: 'seeding' }).torrent);
    vi.advanceTimersByTime(30_000);
    expect(atMs).toEqual([]);
    stop();
  });
});
