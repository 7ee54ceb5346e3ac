import { expect, it } from 'vitest';
import { QUIET } from '../../test/fake-api.ts';
import type { TrackerStats } from '../tracker-api.ts';
import { ratesOf, type Sample, withSample } from './rates.ts';

const at = (atMs: number, udp: number, uptimeS = atMs / 1000): Sample => {
  const stats: TrackerStats = {
    ...QUIET,
    uptimeS,
    udp: { connects: 0, announces: udp, scrapes: 0, errors: 0 },
    bytes: { ...QUIET.bytes, udpIn: 100 * udp, httpIn: udp },
  };
  return { atMs, stats };
};
const gather = (...samples: Sample[]): readonly Sample[] => samples.reduce(withSample, [] as readonly Sample[]);

it('rates are of the last seconds, over all protocols for bytes', () => {
  const samples = gather(at(0, 0), at(2000, 1000), at(4000, 1000), at(6000, 1000), at(8000, 1060), at(10_000, 1120));
  expect(samples[0]!.atMs).toBe(4000);
  expect(ratesOf(samples)).toMatchObject({ udp: { announces: 20 }, http: { announces: 0 }, bytesIn: 2020 });
});

it('nothing is told from one sample', () => {
  expect(ratesOf([])).toBeNull();
  expect(ratesOf(gather(at(0, 5)))).toBeNull();
});

it('a tracker that was started again, and a page that slept, begin anew', () => {
  expect(gather(at(0, 500, 90), at(2000, 3, 1))).toHaveLength(1);
  expect(gather(at(0, 0), at(60_000, 3000))).toHaveLength(1);
});
