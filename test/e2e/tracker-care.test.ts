// A tracker as those who look after it see it: its settings file, its log, its numbers.

import { readFile, rename, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { TrackerStats } from '../../src/tracker/server/status/stats.ts';
import { readMetrics } from '../support/prometheus.ts';
import { type Running, Workplace } from './program.ts';

const EXAMPLE: string = fileURLToPath(new URL('../../examples/tracker.toml', import.meta.url));
let place: Workplace;

beforeEach(async () => {
  place = await Workplace.open();
});

afterEach(() => place.close());

/** Where a tracker that was started with `--json` serves. */
async function baseOf(running: Running): Promise<string> {
  const { listen } = (await running.event('ready')) as { listen: string[] };
  return `http://${listen[0]}`;
}

interface Line {
  readonly level: string;
  readonly time: string;
  readonly msg: string;
}

async function linesOf(file: string): Promise<Line[]> {
  const text = await readFile(place.path(file), 'utf8').catch(() => '');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line);
}

describe('a tracker that is looked after', () => {
  it('runs with the example of a settings file, and tells its numbers and its health', async () => {
    const running = place.start('tracker', '--config', EXAMPLE, '--listen', '127.0.0.1:0', '--workers', '2', '--json');
    const base = await baseOf(running);
    const hash = '%2B'.repeat(20);
    const announce = `${base}/announce?info_hash=${hash}&peer_id=-SH0100-abcdefghijkl&port=6881&left=0`;
    expect((await fetch(announce)).status).toBe(200);
    expect((await fetch(`${base}/announce?port=1`)).status).toBe(200);
    // Threads tell each other their counts once a second.
    await vi.waitFor(async () => {
      const reply = await fetch(`${base}/metrics`);
      expect(reply.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
      const families = readMetrics(await reply.text());
      const value = (key: string): number | undefined => families.get(key.replace(/\{.*/, ''))?.samples.get(key);
      expect(value('shoal_tracker_announces_total{protocol="http"}')).toBe(1);
      expect(value('shoal_tracker_faults_total{kind="malformed"}')).toBe(1);
      expect(value('shoal_tracker_peers{role="seed"}')).toBe(1);
      expect(value('shoal_tracker_threads')).toBe(2);
      expect(value('process_resident_memory_bytes')).toBeGreaterThan(1e7);
      expect(value('process_cpu_seconds_total')).toBeGreaterThan(0);
    }, 10_000);
    const stats = (await (await fetch(`${base}/stats`)).json()) as TrackerStats;
    expect(stats).toMatchObject({ threads: 2, catalogue: false, store: null, faults: { malformed: 1 } });
    expect(stats.process!.loopDelayP99Ms).toBeGreaterThanOrEqual(0);
    expect(stats.bytes.httpIn).toBeGreaterThan(announce.length - base.length);
    expect(await (await fetch(`${base}/stats/history`)).json()).toMatchObject({ stepS: 10 });
    expect(await (await fetch(`${base}/healthz`)).text()).toBe('ok\n');
    expect((await running.stop()).exitCode).toBe(0);
  });

  it('logs JSON lines into a file, into a new one after SIGHUP, and nothing of who announces', async () => {
    const log = ['--log-file', place.path('tracker.log'), '--log-level', 'debug'];
    const running = place.start('tracker', '--listen', '127.0.0.1:0', '--json', ...log);
    const base = await baseOf(running);
    await fetch(`${base}/announce?info_hash=${'%2B'.repeat(20)}&peer_id=-SH0100-abcdefghijkl&port=6881`);
    await vi.waitFor(async () => expect(await linesOf('tracker.log')).toHaveLength(1), 10_000);
    expect((await linesOf('tracker.log'))[0]).toMatchObject({ level: 'info', msg: 'the tracker serves', workers: 1 });
    await rename(place.path('tracker.log'), place.path('tracker.log.1'));
    running.child.kill('SIGHUP');
    await vi.waitFor(() => readFile(place.path('tracker.log')), 10_000);
    expect((await running.stop()).exitCode).toBe(0);
    const [last] = await linesOf('tracker.log');
    expect(last).toMatchObject({ msg: 'the tracker has ended', announces: 1, peers: 1 });
    expect(last!.time).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    expect(await linesOf('tracker.log.1')).toHaveLength(1);
  });

  it('logs JSON lines on stderr, and no other words there', async () => {
    const running = place.start('tracker', '--listen', '127.0.0.1:0', '--log-format', 'json');
    await running.nextLine();
    const { stderr, stdout } = await running.stop();
    const lines = stderr.trim().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as Line).msg)).toEqual([
      'the tracker serves',
      'the tracker has ended',
    ]);
    expect(stdout).not.toContain('{');
  });

  it('ends with code 2 and a line that names the place for a setting that is none, and with 1 for a log that cannot be', async () => {
    await writeFile(place.path('tracker.toml'), 'interval = 600\n\nmax-peers = "many"\n');
    const wrong = await place.run('tracker', '--config', 'tracker.toml');
    expect(wrong).toMatchObject({ exitCode: 2, stdout: '' });
    expect(wrong.stderr).toBe("shoal: USAGE: tracker.toml:3: max-peers: 'many' is no number from 1 up\n");
    const hasty = await place.run('tracker', '--interval', '600', '--min-interval', '900');
    expect(hasty).toMatchObject({
      exitCode: 2,
      stderr: 'shoal: USAGE: --min-interval is longer than --interval (600)\n',
    });
    const lost = await place.run('tracker', '--listen', '127.0.0.1:0', '--log-file', 'none/tracker.log');
    expect(lost.exitCode).toBe(1);
    expect(lost.stderr).toMatch(/^shoal: \w+: .*write the log file "none\/tracker.log"/);
    expect(lost.stderr.trim().split('\n')).toHaveLength(1);
  });

  it('shows its settings with where they come from, and whether files that they name are there', async () => {
    await writeFile(place.path('tracker.toml'), 'interval = 600\nnear = ["10.1.0.0/16"]\ntls-cert = "none.pem"\n');
    const alone = await place.run('tracker', '--config', 'tracker.toml', '--print-config');
    expect(alone).toMatchObject({ exitCode: 2, stdout: '' });
    await writeFile(place.path('tracker.toml'), 'interval = 600\nnear = ["10.1.0.0/16"]\n');
    const shown = await place.run(
      'tracker',
      '--config',
      'tracker.toml',
      '--interval',
      '300',
      '--print-config',
      '--json',
    );
    expect(JSON.parse(shown.stdout)).toMatchObject({
      interval: { value: 300, source: 'flag' },
      near: { value: ['10.1.0.0/16'], source: 'file' },
      udp: { value: true, source: 'default' },
      'max-peers': { value: null, source: 'default' },
    });
  });
});
