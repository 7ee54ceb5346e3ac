// Queues of requests to remotes near and far, fast and slow, in virtual time.

import { describe, expect, it } from 'vitest';
import { Schedule } from '../platform/sim/schedule.ts';
import { Pipeline } from './pipeline.ts';

const BLOCK = 16384;

interface Remote {
  /** What it sends, at most. */
  bytesPerSecond: number;
  roundTripMs: number;
  /** It sends in bursts this far apart; 0: as it comes. */
  burstMs: number;
}

/** A remote that serves requests in order, and a caller that keeps `target` requests out. */
class Exchange {
  readonly pipeline: Pipeline = new Pipeline();
  readonly remote: Remote;
  bytes = 0;
  readonly #schedule = new Schedule();
  #freeMs = 0;

  constructor(remote: Remote) {
    this.remote = remote;
    const tick = (): void => {
      this.pipeline.onTick(this.#schedule.nowMs);
      this.#schedule.at(this.#schedule.nowMs + 1000, null, tick);
    };
    this.#schedule.at(1000, null, tick);
    this.#fill();
  }

  /** Lets time go on; returns the rate of the time that went by, as a share of what the remote can send. */
  run(ms: number): number {
    const [fromMs, fromBytes] = [this.#schedule.nowMs, this.bytes];
    while (this.#schedule.step(fromMs + ms));
    this.#schedule.skipTo(fromMs + ms);
    return ((this.bytes - fromBytes) * 1000) / ms / this.remote.bytesPerSecond;
  }

  #fill(): void {
    const nowMs = this.#schedule.nowMs;
    const count = this.pipeline.room;
    if (count > 0) this.pipeline.onRequest(count, nowMs);
    for (let i = 0; i < count; i++) {
      const { roundTripMs, bytesPerSecond, burstMs } = this.remote;
      this.#freeMs = Math.max(this.#freeMs, nowMs + roundTripMs / 2) + (BLOCK * 1000) / bytesPerSecond;
      const sentMs = burstMs === 0 ? this.#freeMs : Math.ceil(this.#freeMs / burstMs) * burstMs;
      this.#schedule.at(sentMs + roundTripMs / 2, null, () => {
        this.bytes += BLOCK;
        this.pipeline.onBlock(this.#schedule.nowMs, BLOCK);
        this.#fill();
      });
    }
  }
}

describe('a pipeline', () => {
  it.each([
    ['a fast one nearby', 200e6, 1, 0],
    ['a fast one far away', 20e6, 300, 0],
    ['one that is limited and sends in bursts', 1e6, 2, 100],
    ['a slow one', 50_000, 40, 0],
  ])('keeps %s busy', (_, bytesPerSecond, roundTripMs, burstMs) => {
    const exchange = new Exchange({ bytesPerSecond, roundTripMs, burstMs });
    exchange.run(5000);
    expect(exchange.run(10_000)).toBeGreaterThan(0.97);
  });

  it('is no deeper than half a second of a near peer, so that little is committed to it', () => {
    const exchange = new Exchange({ bytesPerSecond: 800_000, roundTripMs: 2, burstMs: 0 });
    exchange.run(10_000);
    expect(exchange.pipeline.target).toBeLessThan(30);
    expect(exchange.pipeline.target).toBeGreaterThan(8);
  });

  it('fills a fast link within a second', () => {
    const exchange = new Exchange({ bytesPerSecond: 100e6, roundTripMs: 20, burstMs: 0 });
    exchange.run(1000);
    expect(exchange.run(1000)).toBeGreaterThan(0.95);
  });

  it('shrinks when the rate falls, and grows again', () => {
    const exchange = new Exchange({ bytesPerSecond: 50e6, roundTripMs: 10, burstMs: 0 });
    exchange.run(5000);
    const fast = exchange.pipeline.target;
    exchange.remote.bytesPerSecond = 1e6;
    exchange.run(20_000);
    expect(exchange.pipeline.target).toBeLessThan(fast / 10);
    exchange.remote.bytesPerSecond = 50e6;
    exchange.run(5000);
    expect(exchange.run(5000)).toBeGreaterThan(0.97);
  });

  it('bears a round trip that grows', () => {
    const exchange = new Exchange({ bytesPerSecond: 5e6, roundTripMs: 10, burstMs: 0 });
    exchange.run(5000);
    exchange.remote.roundTripMs = 800;
    exchange.run(60_000);
    expect(exchange.run(10_000)).toBeGreaterThan(0.9);
  });

  it('is not drawn into ever larger lumps by a remote that saves up its allowance', () => {
    const pipeline = new Pipeline();
    let most = 0;
    // 1.6 MB/s, five seconds' worth in one; what is asked for meanwhile comes with it.
    for (let nowMs = 0; nowMs < 100_000; nowMs += 5000) {
      for (let sent = 0; sent < 490; sent++) {
        if (pipeline.room * 4 >= pipeline.target) pipeline.onRequest(pipeline.room, nowMs + 2 * sent);
        pipeline.onBlock(nowMs + 2 * sent, BLOCK);
        if (nowMs > 50_000) most = Math.max(most, pipeline.target);
      }
    }
    expect(most).toBeLessThan(100);
  });

  it('is soon no deeper than needed where the allowance of a second comes in one lump', () => {
    const pipeline = new Pipeline();
    let most = 0;
    let waiting = 0;
    // 10 MB/s; in the first second two halves, since then what is asked for while the lump lasts comes with it.
    for (let nowMs = 500; nowMs < 60_000; nowMs += nowMs < 1500 ? 500 : 1000) {
      const lump = nowMs < 1500 ? 305 : 610;
      for (let sent = 0; sent < lump; sent++) {
        const atMs = nowMs + 0.05 * sent;
        if (pipeline.room > 0) {
          waiting += pipeline.room;
          pipeline.onRequest(pipeline.room, sent === 0 ? nowMs - 490 : atMs);
        }
        waiting--;
        pipeline.onBlock(atMs, BLOCK);
      }
      pipeline.onTick(nowMs + 400);
      if (nowMs > 10_000) most = Math.max(most, waiting);
    }
    expect(most).toBeLessThan(330);
  });

  it('covers at the end what is left to be asked for, and the round trip', () => {
    const exchange = new Exchange({ bytesPerSecond: 10e6, roundTripMs: 100, burstMs: 0 });
    exchange.run(5000);
    const { pipeline } = exchange;
    expect(pipeline.targetFor(Number.POSITIVE_INFINITY)).toBe(pipeline.target);
    expect(pipeline.targetFor(60_000)).toBe(pipeline.target);
    const last = pipeline.targetFor(0);
    expect(last).toBeGreaterThanOrEqual((10e6 * 0.1) / BLOCK);
    expect(last).toBeLessThan(pipeline.target / 2);
    expect(pipeline.targetFor(50)).toBeGreaterThan(last);
  });

  it('still asks a peer that sent nothing and then gave up what it was asked for', () => {
    const pipeline = new Pipeline();
    pipeline.onRequest(4, 0);
    for (let nowMs = 1000; nowMs <= 5000; nowMs += 1000) pipeline.onTick(nowMs);
    pipeline.onLost(4);
    expect(pipeline.targetFor(Number.POSITIVE_INFINITY)).toBe(4);
    expect(pipeline.targetFor(0)).toBe(4);
  });

  it('never wants more than the remote queues', () => {
    const exchange = new Exchange({ bytesPerSecond: 500e6, roundTripMs: 100, burstMs: 0 });
    exchange.pipeline.setLimit(50);
    for (let i = 0; i < 20; i++) {
      exchange.run(250);
      expect(exchange.pipeline.target).toBeLessThanOrEqual(50);
    }
    exchange.pipeline.setLimit(0);
    expect(exchange.pipeline.target).toBe(1);
  });

  it('starts anew after a choke', () => {
    const exchange = new Exchange({ bytesPerSecond: 100e6, roundTripMs: 20, burstMs: 0 });
    exchange.run(3000);
    exchange.pipeline.reset();
    expect(exchange.pipeline.outstanding).toBe(0);
    expect(exchange.pipeline.target).toBe(4);
    exchange.pipeline.onLost(3);
    expect(exchange.pipeline.room).toBe(4);
  });
});
