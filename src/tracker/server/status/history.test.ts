import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SwarmTable } from '../table/swarm-table.ts';
import { HISTORY_STEP_S, HistoryPoint, HistoryRing } from './history.ts';
import { HistoryRecorder } from './history-recorder.ts';
import { TrackerCounters, type TrackerStats, trackerStats } from './stats.ts';

const TABLE = { swarmCount: 3, peerCount: 8, seedCount: 5, memoryBytes: 0 } as SwarmTable;
const COSTS = { rssBytes: 77, heapBytes: 5, cpuS: 1, loopDelayP99Ms: 1.234 };

function statsOf(total: TrackerCounters): TrackerStats {
  const gauges = { threads: 1, intervalS: 1800, process: COSTS, store: null };
  return trackerStats({ table: TABLE, total, gauges, uptimeS: 0, hasCatalogue: false });
}

describe('the history ring', () => {
  it('tells every thread the last 360 steps in their order, however many there were', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1500 }), (count) => {
        const memory = HistoryRing.memory();
        const ring = new HistoryRing(memory);
        for (let step = 0; step < count; step++) {
          ring.add(Object.assign(new HistoryPoint(), { peers: step, rssBytes: -step }), step * 10_000);
        }
        const other = new HistoryRing(memory);
        const { columns, endMs, stepS } = other.read();
        const told = Array.from({ length: Math.min(count, 360) }, (_, i) => Math.max(0, count - 360) + i);
        expect(columns.peers).toEqual(told);
        expect(columns.rssBytes.map((value) => 0 - value)).toEqual(told);
        expect(columns.errors).toHaveLength(told.length);
        expect([endMs, stepS, other.added]).toEqual([Math.max(0, count - 1) * 10_000, HISTORY_STEP_S, count]);
      }),
      { numRuns: 40 },
    );
  });
});

describe('the recorder of the history', () => {
  function recorded(): { counters: TrackerCounters; ring: HistoryRing; tick(nowMs: number): void } {
    const counters = new TrackerCounters();
    const ring = new HistoryRing(HistoryRing.memory());
    const options = { ring, stats: () => statsOf(counters), wallMs: () => 1_700_000_000_123.4 };
    const recorder = new HistoryRecorder(options, 500);
    return { counters, ring, tick: (nowMs) => recorder.tick(nowMs) };
  }

  it('makes rates a second of counters, and takes the rest as it is', () => {
    const { counters, ring, tick } = recorded();
    counters.httpAnnounces = 50;
    counters.udpAnnounces = 1250;
    counters.wsAnnounces = 25;
    counters.httpScrapes = 10;
    counters.udpScrapes = 10;
    counters.udpErrors = 5;
    counters.wsErrors = 20;
    counters.httpBytesIn = 100;
    counters.udpBytesIn = 200;
    counters.wsBytesOut = 1;
    tick(10_400);
    expect(ring.added).toBe(0);
    tick(13_000);
    expect(ring.read()).toEqual({
      stepS: 10,
      endMs: 1_700_000_000_123,
      columns: {
        announcesHttp: [4],
        announcesUdp: [100],
        announcesWs: [2],
        scrapes: [1.6],
        errors: [2],
        bytesIn: [24],
        bytesOut: [0.08],
        peers: [8],
        seeds: [5],
        torrents: [3],
        loopDelayMs: [1.23],
        rssBytes: [77],
      },
    });
    // The steps stay where they are, though one was written late.
    tick(20_600);
    expect(ring.read().columns.announcesUdp).toEqual([100, 0]);
  });

  it('spreads what came while nobody looked over the steps that were missed, an hour at most', () => {
    const { counters, ring, tick } = recorded();
    counters.udpAnnounces = 3000;
    tick(30_500);
    expect(ring.read().columns.announcesUdp).toEqual([100, 100, 100]);
    tick(1e9);
    expect(ring.added).toBe(363);
    expect(ring.read().columns.announcesUdp).toEqual(new Array(360).fill(0));
  });

  it('knows no rate below nothing, when a thread took its counts with it', () => {
    const { counters, ring, tick } = recorded();
    counters.httpAnnounces = -5;
    tick(10_500);
    expect(ring.read().columns.announcesHttp).toEqual([0]);
  });
});
