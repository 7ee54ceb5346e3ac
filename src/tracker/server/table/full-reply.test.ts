import { describe, expect, it } from 'vitest';
import { Address } from '../../../base/address.ts';
import type { ByteStream, StreamSink } from '../../../ports/sockets.ts';
import { Census } from './census.ts';
import { FullReply } from './full-reply.ts';

const SWARMS = 20_000;

/** A stream whose other end reads when it is told to. */
class SlowStream implements ByteStream {
  readonly remote: Address = new Address(Uint8Array.of(192, 0, 2, 1), 1);
  readonly local = null;
  bufferedBytes = 0;
  most = 0;
  read = 0;
  ended = false;
  #sink: StreamSink | null = null;

  attach(sink: StreamSink): void {
    this.#sink = sink;
  }

  write(parts: readonly Uint8Array[]): void {
    for (const part of parts) this.bufferedBytes += part.length;
    this.most = Math.max(this.most, this.bufferedBytes);
  }

  take(lengthBytes: number): void {
    const taken = Math.min(lengthBytes, this.bufferedBytes);
    this.read += taken;
    this.bufferedBytes -= taken;
    this.#sink!.onWritable!();
  }

  pause(): void {}
  resume(): void {}
  end(): void {
    this.ended = true;
  }
  destroy(): void {
    this.#sink!.onClose(null);
  }
}

describe('a full scrape on its way', () => {
  it('makes a part in a turn, and no more than its client takes', () => {
    const run = new Uint32Array(9 * SWARMS);
    for (let n = 0; n < SWARMS; n++) run[9 * n] = n;
    const due: (() => void)[] = [];
    const stream = new SlowStream();
    let [nowMs, sent, closed] = [0, 0, false];
    const clock = {
      nowMs: () => nowMs,
      wallMs: () => 0,
      after: () => ({ cancel: () => undefined }),
      defer: (callback: () => void) => void due.push(callback),
    };
    const reply = new FullReply({
      clock,
      stream,
      isChunked: true,
      gzip: null,
      minIntervalS: 30,
      sent: (lengthBytes) => {
        sent += lengthBytes;
      },
      closed: () => {
        closed = true;
      },
    });
    const turns = (): void => {
      for (let next = due.shift(); next !== undefined; next = due.shift()) {
        const before = sent;
        next();
        expect(sent - before).toBeLessThan(33 * 1024);
      }
    };
    reply.begin(new Census([run]));
    turns();
    expect(stream.bufferedBytes).toBeGreaterThan(250_000);
    expect(stream.bufferedBytes).toBeLessThan(300_000);
    while (!stream.ended) {
      nowMs += 15_000;
      reply.tick();
      expect(closed).toBe(false);
      stream.take(200_000);
      turns();
    }
    expect(stream.most).toBeLessThan(300_000);
    expect(sent).toBeGreaterThan(SWARMS * 80);
    nowMs += 20_000;
    reply.tick();
    expect(closed).toBe(true);
  });
});
