import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readMetrics } from '../../../../test/support/prometheus.ts';
import type { SwarmTable } from '../table/swarm-table.ts';
import { metricsText } from './metrics.ts';
import { TrackerCounters, type TrackerStats, trackerStats } from './stats.ts';

const TABLE = { swarmCount: 3, peerCount: 8, seedCount: 5, memoryBytes: 65536 } as SwarmTable;

function statsOf(change: Partial<TrackerStats>): TrackerStats {
  const total = new TrackerCounters();
  total.udpAnnounces = 2 ** 40;
  total.httpBytesOut = 1.5e9;
  total.wsOffers = 4;
  total.faults.tooManyPeers = 6;
  const gauges = { threads: 2, intervalS: 1800, process: null, store: null };
  return { ...trackerStats({ table: TABLE, total, gauges, uptimeS: 10, hasCatalogue: false }), ...change };
}

describe('the metrics for Prometheus', () => {
  it('are read by a strict reader, with the numbers of the tracker', () => {
    const process = { rssBytes: 9e7, heapBytes: 1e7, cpuS: 1.25, loopDelayP99Ms: 0.5 };
    const families = readMetrics(metricsText(statsOf({ process }), 1_700_000_000.5));
    const value = (key: string): number | undefined => families.get(key.replace(/\{.*/, ''))?.samples.get(key);
    expect(value('shoal_tracker_announces_total{protocol="udp"}')).toBe(2 ** 40);
    expect(value('shoal_tracker_announces_total{protocol="ws"}')).toBe(0);
    expect(value('shoal_tracker_sent_bytes_total{protocol="http"}')).toBe(1.5e9);
    expect(value('shoal_tracker_signals_total{kind="offer"}')).toBe(4);
    expect(value('shoal_tracker_faults_total{kind="too_many_peers"}')).toBe(6);
    expect(value('shoal_tracker_peers{role="seed"}')).toBe(5);
    expect(value('shoal_tracker_peers{role="leech"}')).toBe(3);
    expect(value('shoal_tracker_torrents')).toBe(3);
    expect(value('process_start_time_seconds')).toBe(1_700_000_000.5);
    expect(value('process_cpu_seconds_total')).toBe(1.25);
    expect(value('process_resident_memory_bytes')).toBe(9e7);
    expect(value('nodejs_eventloop_lag_p99_seconds')).toBe(0.0005);
    expect(families.get('shoal_tracker_announces_total')).toMatchObject({ type: 'counter' });
    expect(families.get('shoal_tracker_torrents')).toMatchObject({ type: 'gauge' });
  });

  it('leave out what nobody measures, and a store that there is not', () => {
    const families = readMetrics(metricsText(statsOf({}), 1));
    expect(families.has('process_resident_memory_bytes')).toBe(false);
    expect(families.has('shoal_tracker_store_up')).toBe(false);
    const away = readMetrics(metricsText(statsOf({ store: 'away' }), 1));
    expect(away.get('shoal_tracker_store_up')?.samples.get('shoal_tracker_store_up')).toBe(0);
  });

  it.each([
    ['a sample of a_total among', 'a_total 1\n'],
    ['no sample', '# HELP a b\n# TYPE a gauge\na{x=1} 1\n'],
    ['comes twice', '# HELP a b\n# TYPE a gauge\na 1\na 2\n'],
    ['among those of', '# HELP a b\n# TYPE a gauge\nb 1\n'],
    ['does not end in _total', '# HELP a b\n# TYPE a counter\na 1\n'],
    ['has no sample', '# HELP a b\n# TYPE a gauge\n'],
    ['no end', '# HELP a b\n# TYPE a gauge\na 1'],
  ])('would not be read with a fault: %s', (sentence, text) => {
    expect(() => readMetrics(text)).toThrow(sentence);
  });
});

describe('the dashboard for Grafana', () => {
  const text = readFileSync(new URL('../../../../docs/grafana/shoal-tracker.json', import.meta.url), 'utf8');
  const process = { rssBytes: 1, heapBytes: 1, cpuS: 1, loopDelayP99Ms: 1 };
  const families = readMetrics(metricsText(statsOf({ process, store: 'up' }), 1));
  /** `name` and `label="value"` of every sample. */
  const labels = new Set([...families.values()].flatMap(({ samples }) => [...samples.keys()].flatMap(labelsOf)));
  const queries: string[] = [];
  const dashboard = JSON.parse(text, (key, value: unknown) => {
    if (key === 'expr' || key === 'definition') queries.push(value as string);
    return value;
  }) as { panels: { id: number; gridPos: { x: number; y: number; w: number; h: number } }[] };

  /** Names of metrics in a query: what is neither a function nor a label, nor in quotes. */
  function metricsIn(query: string): string[] {
    const bare = query.replace(/\{[^}]*\}|\[[^\]]*\]|\bby \([^)]*\)|, instance\)/g, ' ');
    const functions = new Set(['sum', 'rate', 'min', 'time', 'label_values']);
    return [...bare.matchAll(/[a-z_:][\w:]*/gi)].map(([name]) => name).filter((name) => !functions.has(name));
  }

  function labelsOf(key: string): string[] {
    return [...key.matchAll(/([a-z_]+)=/g)].map((found) => found[1]!);
  }

  it('asks for metrics that there are, and for all of them', () => {
    const asked = new Set(queries.flatMap(metricsIn));
    expect([...asked].filter((name) => !families.has(name))).toEqual([]);
    expect([...families.keys()].filter((name) => !asked.has(name))).toEqual([]);
  });

  it('groups and names lines by labels that there are', () => {
    const used = [...text.matchAll(/by \(([^)]*)\)|\{\{(\w+)\}\}/g)].map((found) => found[1] ?? found[2]!);
    expect(used.length).toBeGreaterThan(10);
    for (const name of used) expect(['instance', ...labels]).toContain(name);
  });

  it('has panels that do not overlap, each with a number of its own', () => {
    const { panels } = dashboard;
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, i) => `${x + (i % w)} ${y + Math.floor(i / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
  });
});
