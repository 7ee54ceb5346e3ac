import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../platform/sim/index.ts';
import type { AnnounceReply } from '../protocol/announce.ts';
import { AskSchedule } from './schedule.ts';

const random = new SeededRandom(1, 'schedule');
const reply = (intervalS: number, minIntervalS: number | null = null): AnnounceReply => ({
  intervalS,
  minIntervalS,
  trackerId: null,
  seeds: null,
  leeches: null,
  peers: [],
  warning: null,
  externalIp: null,
});

describe('when a tracker is asked next', () => {
  it('is after its interval, at most a twentieth later', () => {
    const schedule = new AskSchedule();
    schedule.succeeded(1000, reply(1800), false, random);
    expect(schedule.nextAtMs).toBeGreaterThanOrEqual(1000 + 1800_000);
    expect(schedule.nextAtMs).toBeLessThan(1000 + 1800_000 * 1.05);
  });

  it('is not before the minimum, even when that is longer than the interval', () => {
    const schedule = new AskSchedule();
    schedule.succeeded(0, reply(60, 120), true, random);
    expect(schedule.nextAtMs).toBe(120_000);
    expect(schedule.mayAskAtMs).toBe(120_000);
  });

  it('is never sooner than a few seconds nor later than a few hours, whatever the tracker says', () => {
    const schedule = new AskSchedule();
    schedule.succeeded(0, reply(1), false, random);
    expect(schedule.nextAtMs).toBeGreaterThanOrEqual(5000);
    schedule.succeeded(0, reply(1e9, 1e9), false, random);
    expect(schedule.nextAtMs).toBeLessThanOrEqual(6 * 3600_000 * 1.05);
  });

  it('comes sooner while more peers are wanted, each time twice as late', () => {
    const schedule = new AskSchedule();
    const waits = Array.from({ length: 8 }, () => {
      schedule.succeeded(0, reply(1800), true, random);
      return schedule.nextAtMs / 1000;
    });
    expect(waits.slice(0, 6)).toEqual([30, 60, 120, 240, 480, 960]);
    expect(waits[7]).toBeLessThan(1800 * 1.05);
    schedule.succeeded(0, reply(1800), false, random);
    schedule.wantMore();
    expect(schedule.nextAtMs).toBe(30_000);
  });

  it('backs off after failures, with chance in it, up to half an hour', () => {
    const schedule = new AskSchedule();
    const waits = Array.from({ length: 30 }, () => {
      schedule.failed(0, null, random);
      return schedule.nextAtMs / 1000;
    });
    for (const [i, wait] of waits.entries()) {
      const middle = Math.min(1800, 5 * 2 ** i);
      expect(wait).toBeGreaterThanOrEqual(middle * 0.75);
      expect(wait).toBeLessThanOrEqual(middle * 1.25);
    }
    expect(new Set(waits.slice(-10)).size).toBeGreaterThan(5);
    const before = schedule.nextAtMs;
    schedule.wantMore();
    expect(schedule.nextAtMs).toBe(before);
  });

  it('is when the tracker that refused says, or never', () => {
    const schedule = new AskSchedule();
    schedule.failed(0, 300, random);
    expect(schedule.nextAtMs).toBe(300_000);
    schedule.failed(0, Number.POSITIVE_INFINITY, random);
    expect(schedule.nextAtMs).toBe(Number.POSITIVE_INFINITY);
    expect(schedule.mayAskAtMs).toBe(Number.POSITIVE_INFINITY);
  });
});
