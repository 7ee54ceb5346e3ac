import { describe, expect, it } from 'vitest';
import { Evenness } from './evenness.ts';

const BYTES_PER_SECOND = 1_000_000;
const SECONDS = 20;
const LOOK_MS = 10;

/** What is seen of a flow that has carried `carriedBytes(ms)`. */
function seen(carriedBytes: (ms: number) => number) {
  const evenness = new Evenness(BYTES_PER_SECOND);
  for (let ms = 0; ms <= SECONDS * 1000; ms += LOOK_MS) evenness.add(ms, carriedBytes(ms));
  return evenness.figures(carriedBytes(SECONDS * 1000));
}

/** At the right rate, in lumps of so many ms. */
function inLumps(everyMs: number) {
  return seen((ms) => (Math.floor(ms / everyMs) * everyMs * BYTES_PER_SECOND) / 1000);
}

describe('Evenness', () => {
  it('finds neither error nor burst in an even flow', () => {
    const { errorPercent, burst, megabytesPerSecond } = inLumps(LOOK_MS);
    expect(errorPercent).toBeLessThan(0.2);
    expect(burst).toBeLessThan(0.2);
    expect(megabytesPerSecond).toBeCloseTo(1, 2);
  });

  it('sees a lump that comes within one look after a pause as the burst that it is, in tenths of a second', () => {
    expect(inLumps(50).burst).toBeCloseTo(0.4, 1);
    expect(inLumps(500).burst).toBeCloseTo(4.9, 1);
  });

  it('sees a rate that is three in a hundred too high', () => {
    expect(seen((ms) => 1030 * ms).errorPercent).toBeCloseTo(3, 1);
  });

  it('takes the end of the flow, not of the looking, for the end', () => {
    expect(seen((ms) => Math.min(ms, 15_000) * 1000).errorPercent).toBeLessThan(0.2);
  });
});
