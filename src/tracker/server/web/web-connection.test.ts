import { expect, it } from 'vitest';
import { newSimWorld } from '../../../../test/contract/sim-world.ts';
import { Address } from '../../../base/address.ts';
import { EMPTY } from '../../../base/bytes.ts';
import { sleep } from '../../../ports/clock.ts';
import type { ByteStream } from '../../../ports/sockets.ts';
import { HandedStream } from '../http/handed-stream.ts';
import { TrackerCounters } from '../status/stats.ts';
import { FrameSlab } from './frame-slab.ts';
import { WebConnection, type WebShared } from './web-connection.ts';
import { WebMemory } from './web-memory.ts';

/** A stream that knows which memory it was lent, until it gives it back. */
class LentStream extends HandedStream {
  readonly lent = new Map<object, Uint8Array>();

  override write(parts: readonly Uint8Array[], released?: () => void): void {
    const lending = {};
    this.lent.set(lending, parts[0]!);
    super.write(parts, () => {
      this.lent.delete(lending);
      released?.();
    });
  }
}

it('what clients keep waiting that do not read is all counted: the memory behind a frame, and what each write takes', async () => {
  const world = newSimWorld({ windowBytes: 10_000 });
  const host = world.addHost();
  const [tracker, client] = [host.env, world.addHost().env];
  const memory = new WebMemory(1 << 30, () => undefined);
  const streams: LentStream[] = [];
  const connections: WebConnection[] = [];
  const shared: WebShared = {
    counters: new TrackerCounters(),
    memory,
    nowMs: () => tracker.clock.nowMs(),
    message: () => undefined,
    flushLater: (connection) => tracker.clock.defer(() => connection.flush()),
    leave: () => undefined,
    closed: () => undefined,
  };
  const accept = (accepted: ByteStream): void => {
    const stream = new LentStream(accepted);
    accepted.attach({
      onChunk: (chunk) => stream.sink.onChunk(chunk),
      onWritable: () => stream.sink.onWritable?.(),
      onClose: (error) => stream.sink.onClose(error),
    });
    streams.push(stream);
    connections.push(new WebConnection(connections.length, stream, stream.remote.ip, EMPTY, shared));
  };
  /** Bytes of all memory that is kept. */
  const kept = (): number => {
    const buffers = new Set(streams.flatMap(({ lent }) => [...lent.values()].map(({ buffer }) => buffer)));
    return [...buffers].reduce((sum, { byteLength }) => sum + byteLength, 0);
  };
  await world.run(
    (async () => {
      const listener = await tracker.sockets.listen({ ip: null, port: 0 }, accept);
      const clients = Array.from({ length: 20 }, () => {
        const stream = client.sockets.connect(new Address(host.ip, listener.address.port));
        stream.attach({ onChunk: () => undefined, onClose: () => undefined });
        stream.pause();
        return stream;
      });
      await sleep(tracker.clock, 1000);
      expect(connections).toHaveLength(20);
      const slab = new FrameSlab();
      const frame = (length: number): Uint8Array => {
        slab.begin(length).put(new Uint8Array(length));
        return slab.end();
      };
      for (let turn = 0; turn < 200; turn++) {
        for (const connection of connections) {
          // Between two small ones a slab is full of what others read.
          connection.send(frame(300));
          frame(30_000);
        }
        await sleep(tracker.clock, 10);
        expect(memory.bytes).toBeGreaterThanOrEqual(kept());
      }
      expect(kept()).toBeGreaterThan(0);
      for (const stream of clients) stream.destroy();
      await sleep(tracker.clock, 1000);
      expect([memory.bytes, kept()]).toEqual([0, 0]);
      await listener.close();
    })(),
  );
  expect(world.leaks()).toEqual([]);
});
