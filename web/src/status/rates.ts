// What happens a second, from what was counted since the start.

import type { TrackerStats } from '../tracker-api.ts';

export interface Sample {
  readonly atMs: number;
  readonly stats: TrackerStats;
}

export interface ProtocolRates {
  readonly announces: number;
  readonly scrapes: number;
  readonly errors: number;
}

/** All per second. */
export interface Rates {
  readonly http: ProtocolRates;
  readonly udp: ProtocolRates;
  readonly ws: ProtocolRates;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

/** Rates are of so long: a tracker of several threads adds up once a second, shorter times would jump. */
const WINDOW_MS = 6000;

/** The samples that rates are made of, with another. A tracker that was started again begins anew. */
export function withSample(samples: readonly Sample[], next: Sample): readonly Sample[] {
  const last = samples.at(-1);
  if (last !== undefined && next.stats.uptimeS < last.stats.uptimeS) return [next];
  // The oldest that is kept is at or before the begin of the window, if there is any.
  const from = samples.findLastIndex(({ atMs }) => atMs <= next.atMs - WINDOW_MS);
  // After a long pause it would be the rate of the pause.
  const kept = samples.slice(Math.max(0, from)).filter(({ atMs }) => atMs > next.atMs - 3 * WINDOW_MS);
  return [...kept, next];
}

/** Null until there are two samples. */
export function ratesOf(samples: readonly Sample[]): Rates | null {
  const [first, last] = [samples[0], samples.at(-1)];
  if (first === undefined || last === undefined || last.atMs <= first.atMs) return null;
  const seconds = (last.atMs - first.atMs) / 1000;
  const [a, b] = [first.stats, last.stats];
  const rate = (count: (stats: TrackerStats) => number): number => Math.max(0, count(b) - count(a)) / seconds;
  const of = (name: 'http' | 'udp' | 'ws'): ProtocolRates => ({
    announces: rate((stats) => stats[name].announces),
    scrapes: rate((stats) => stats[name].scrapes),
    errors: rate((stats) => stats[name].errors),
  });
  return {
    http: of('http'),
    udp: of('udp'),
    ws: of('ws'),
    bytesIn: rate(({ bytes }) => bytes.httpIn + bytes.udpIn + bytes.wsIn),
    bytesOut: rate(({ bytes }) => bytes.httpOut + bytes.udpOut + bytes.wsOut),
  };
}
