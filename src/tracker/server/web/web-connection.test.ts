import { expect, it } from 'vitest';
import { newSimWorld } from '../../../../test/contract/sim-world.ts';
import { Address } from '../../../base/address.ts';
import { concatBytes, EMPTY } from '../../../base/bytes.ts';
import { sleep } from '../../../ports/clock.ts';
import type { ByteStream } from '../../../ports/sockets.ts';
import { CLOSE_POLICY, OPCODE_TEXT } from '../../protocol/websocket-frames.ts';
import { encodeFrame, readCloseCode } from '../../protocol/websocket-writer.ts';
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

it('what a client says while it waits is counted with what each message takes, and cannot be too many messages', async () => {
  const world = newSimWorld();
  const { clock } = world.addHost().env;
  const memory = new WebMemory(1 << 30, () => undefined);
  const counters = new TrackerCounters();
  const written: Uint8Array[] = [];
  const stream: ByteStream = {
    remote: new Address(Uint8Array.of(203, 0, 113, 5), 5000),
    local: null,
    bufferedBytes: 0,
    attach: () => undefined,
    write: (parts) => written.push(...parts),
    pause: () => undefined,
    resume: () => undefined,
    end: () => undefined,
    destroy: () => undefined,
  };
  const heard: string[] = [];
  const connection = new WebConnection(0, stream, stream.remote.ip, EMPTY, {
    counters,
    memory,
    nowMs: () => clock.nowMs(),
    message: (from, bytes, start, end, isLate) => {
      heard.push(`${end - start} ${isLate}`);
      if (end > start && !isLate) from.hold(bytes.slice(start, end));
    },
    flushLater: () => undefined,
    leave: () => undefined,
    closed: () => undefined,
  });
  /** A message that has to wait, and so many empty ones after it. */
  const say = (count: number): void =>
    connection.onChunk(
      concatBytes([
        encodeFrame(OPCODE_TEXT, Uint8Array.of(0x7b), Uint8Array.of(1, 2, 3, 4)),
        ...Array.from({ length: count }, () => encodeFrame(OPCODE_TEXT, EMPTY, Uint8Array.of(1, 2, 3, 4))),
      ]),
    );
  say(900);
  expect(heard).toEqual(['1 false']);
  expect(memory.bytes).toBeGreaterThan(900 * 216);
  connection.goOn();
  expect(heard).toHaveLength(902);
  expect([heard[1], heard[2], memory.bytes]).toEqual(['1 true', '0 false', 0]);
  say(10_000);
  expect(memory.bytes).toBeLessThan(1024);
  expect([counters.wsErrors, counters.faults.tooMuchHeld]).toEqual([1, 1]);
  expect(readCloseCode(written.at(-1)!, 2, 4)).toBe(CLOSE_POLICY);
  connection.goOn();
  expect(heard).toHaveLength(903);
});
