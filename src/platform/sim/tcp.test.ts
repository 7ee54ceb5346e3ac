import { describe, expect, it } from 'vitest';
import { connectPair, type Pair, pattern, Recorder } from '../../../test/contract/recorder.ts';
import { newSimWorld } from '../../../test/contract/sim-world.ts';
import { Address } from '../../base/address.ts';
import { equalBytes } from '../../base/bytes.ts';
import { isShoalError } from '../../base/errors.ts';
import { sleep } from '../../ports/clock.ts';
import type { HostOptions, SimHost } from './host.ts';
import type { SimWorld, WorldOptions } from './world.ts';

const contractHost = (host: SimHost) => ({ env: host.env, ip: host.ip, folder: '/' });
const pairOf = (a: SimHost, b: SimHost): Promise<Pair> => connectPair(contractHost(a), contractHost(b));

/** Runs `work` between two hosts; all must be closed afterwards. */
async function between(
  options: { a?: HostOptions; b?: HostOptions; world?: Partial<WorldOptions> },
  work: (world: SimWorld, a: SimHost, b: SimHost) => Promise<void>,
): Promise<void> {
  const world = newSimWorld(options.world);
  const [a, b] = [world.addHost(options.a), world.addHost(options.b)];
  await world.run(work(world, a, b));
  expect(world.leaks()).toEqual([]);
}

/** Sends `bytes` and gives the virtual seconds until all of it is there. */
async function secondsToSend(world: SimWorld, pair: Pair, bytes: number): Promise<number> {
  const before = world.nowMs;
  const wanted = pair.far.receivedBytes + bytes;
  pair.near.stream.write([new Uint8Array(bytes)]);
  await pair.far.received(wanted);
  return (world.nowMs - before) / 1000;
}

const near = (value: number, expected: number): void => {
  expect(value).toBeGreaterThan(expected * 0.98);
  expect(value).toBeLessThan(expected * 1.02);
};

describe('a simulated line', () => {
  it('takes 10 s for 10 MB at 1 MB/s, whichever end is the slow one', async () => {
    const slow = [{ a: { upBytesPerSecond: 1e6 } }, { b: { downBytesPerSecond: 1e6 } }];
    for (const options of slow) {
      await between(options, async (world, a, b) => {
        const pair = await pairOf(a, b);
        near(await secondsToSend(world, pair, 10e6), 10);
        await pair.close();
      });
    }
  });

  it('takes a round trip to connect and half of one to deliver', async () => {
    await between({ a: { latencyMs: 30 }, b: { latencyMs: 5 } }, async (world, a, b) => {
      const pair = await pairOf(a, b);
      near(world.nowMs, 70);
      pair.near.stream.write([new Uint8Array(10)]);
      await pair.far.received(10);
      near(world.nowMs, 105);
      await pair.close();
    });
  });

  it('is limited by window and latency where there is no other limit', async () => {
    await between({ world: { windowBytes: 100_000, chunks: 'whole' } }, async (world, a, b) => {
      const pair = await pairOf(a, b);
      const seconds = await secondsToSend(world, pair, 10e6);
      // One window a round trip of 40 ms: 2.5 MB/s at most; updates come each eighth of a window.
      expect(seconds).toBeGreaterThan(3.9);
      expect(seconds).toBeLessThan(6);
      await pair.close();
    });
  });

  it('is shared alike by the streams of an uplink, however much each has waiting', async () => {
    const world = newSimWorld();
    const seed = world.addHost({ upBytesPerSecond: 3e6 });
    const leeches = [world.addHost(), world.addHost(), world.addHost()];
    const work = async (): Promise<void> => {
      const pairs = await Promise.all(leeches.map((leech) => pairOf(seed, leech)));
      for (const [i, pair] of pairs.entries()) pair.near.stream.write([new Uint8Array(20e6 * (i + 1))]);
      await sleep(seed.env.clock, 10_000);
      for (const pair of pairs) near(pair.far.receivedBytes, 10e6);
      await Promise.all(pairs.map((pair) => pair.close()));
    };
    await world.run(work());
    expect(world.leaks()).toEqual([]);
  });

  it('is shared alike by the streams of a downlink', async () => {
    const world = newSimWorld();
    const leech = world.addHost({ downBytesPerSecond: 2e6 });
    const seeds = [world.addHost(), world.addHost({ latencyMs: 40 })];
    const work = async (): Promise<void> => {
      const pairs = await Promise.all(seeds.map((seed) => pairOf(seed, leech)));
      for (const pair of pairs) pair.near.stream.write([new Uint8Array(30e6)]);
      await sleep(leech.env.clock, 10_000);
      for (const pair of pairs) near(pair.far.receivedBytes, 10e6);
      await Promise.all(pairs.map((pair) => pair.close()));
    };
    await world.run(work());
  });

  it('lets a small message of one stream pass a full queue of another', async () => {
    const world = newSimWorld();
    const [a, b, c] = [world.addHost({ upBytesPerSecond: 100_000 }), world.addHost(), world.addHost()];
    const work = async (): Promise<void> => {
      const [bulk, chat] = [await pairOf(a, b), await pairOf(a, c)];
      bulk.near.stream.write([new Uint8Array(5e6)]);
      await sleep(a.env.clock, 1000);
      const before = world.nowMs;
      chat.near.stream.write([new Uint8Array(10)]);
      await chat.far.received(10);
      // At most two quanta of the other stream before it.
      expect(world.nowMs - before).toBeLessThan(2 * 164 + 21);
      await Promise.all([bulk.close(), chat.close()]);
    };
    await world.run(work());
  });

  it('changes its bandwidth', async () => {
    await between({ a: { upBytesPerSecond: 1e6 } }, async (world, a, b) => {
      const pair = await pairOf(a, b);
      near(await secondsToSend(world, pair, 5e6), 5);
      a.setBandwidth({ upBytesPerSecond: 4e6 });
      near(await secondsToSend(world, pair, 20e6), 5);
      await pair.close();
    });
  });
});

describe('a simulated stream', () => {
  it('stalls the writer within a window while the reader is paused', async () => {
    await between({ world: { windowBytes: 65536 } }, async (_world, a, b) => {
      const pair = await pairOf(a, b);
      let released = 0;
      pair.far.stream.pause();
      for (let i = 0; i < 10; i++) pair.near.stream.write([new Uint8Array(65536)], () => released++);
      await sleep(a.env.clock, 60_000);
      expect(pair.far.receivedBytes).toBe(0);
      expect(released).toBe(1);
      expect(pair.near.stream.bufferedBytes).toBe(9 * 65536);
      pair.far.stream.resume();
      await pair.far.received(10 * 65536);
      expect(released).toBe(10);
      await pair.close();
    });
  });

  it('keeps bytes and their order over pauses, cuts, new latencies and any sizes of writes', async () => {
    for (let seed = 1; seed <= 15; seed++) {
      const options = { seed, windowBytes: 40_000 };
      await between({ a: { upBytesPerSecond: 3e6 }, world: options }, async (world, a, b) => {
        const { clock, random } = a.env;
        const pair = await pairOf(a, b);
        const sent = pattern(1_500_000, seed);
        for (let at = 0; at < sent.length; ) {
          const length = Math.min(sent.length - at, random.below(3) === 0 ? random.below(20) : random.below(90_000));
          for (const one of [pair.near, pair.far]) one.stream.write([sent.subarray(at, at + length)]);
          at += length;
          const reader = random.below(2) === 0 ? pair.near.stream : pair.far.stream;
          reader.pause();
          clock.after(random.below(40), () => reader.resume());
          if (random.below(4) === 0) world.link(a, b, { latencyMs: random.below(50) });
          if (random.below(4) === 0) world.cut(a, b);
          await sleep(clock, random.below(30));
          world.heal(a, b);
        }
        for (const one of [pair.near, pair.far]) one.stream.end();
        await Promise.all([pair.near.closed, pair.far.closed, pair.listener.close()]);
        expect([seed, equalBytes(pair.near.bytes(), sent), equalBytes(pair.far.bytes(), sent)]).toEqual([
          seed,
          true,
          true,
        ]);
        await sleep(clock, 50);
      });
    }
  });

  it('shows who changes lent bytes before they are given back', async () => {
    await between({ a: { upBytesPerSecond: 1e6 } }, async (_world, a, b) => {
      const pair = await pairOf(a, b);
      const lent = pattern(1_000_000);
      pair.near.stream.write([lent]);
      a.env.clock.after(500, () => lent.fill(0));
      await pair.far.received(lent.length);
      expect(equalBytes(pair.far.bytes(), pattern(lent.length))).toBe(false);
      await pair.close();
    });
  });

  it('shows who keeps a borrowed chunk', async () => {
    await between({}, async (_world, a, b) => {
      const pair = await pairOf(a, b);
      const kept: Uint8Array[] = [];
      pair.far.onChunk = (chunk: Uint8Array): void => {
        kept.push(chunk);
        Recorder.prototype.onChunk.call(pair.far, chunk);
      };
      pair.near.stream.write([pattern(50_000)]);
      await pair.far.received(50_000);
      expect(kept.every((chunk) => chunk.every((byte) => byte === 0xdd))).toBe(true);
      await pair.close();
    });
  });

  it('splits chunks at random, or leaves them whole', async () => {
    for (const [chunks, isSplit] of [['random', true] as const, ['whole', false] as const]) {
      await between({ world: { chunks } }, async (_world, a, b) => {
        const pair = await pairOf(a, b);
        const lengths = new Set<number>();
        pair.far.onChunk = (chunk: Uint8Array): void => {
          lengths.add(chunk.length);
          Recorder.prototype.onChunk.call(pair.far, chunk);
        };
        pair.near.stream.write([new Uint8Array(16384 * 20)]);
        await pair.far.received(16384 * 20);
        expect(lengths.size > 5).toBe(isSplit);
        if (!isSplit) expect([...lengths]).toEqual([16384]);
        await pair.close();
      });
    }
  });

  it('is told when its sink was never attached', async () => {
    const world = newSimWorld();
    const [a, b] = [world.addHost(), world.addHost()];
    const listener = await world.run(b.env.sockets.listen({ ip: null, port: 0 }, () => undefined));
    const stream = new Recorder(a.env.sockets.connect(new Address(b.ip, listener.address.port))).stream;
    stream.write([new Uint8Array(5)]);
    await expect(world.advance(1000)).rejects.toThrow('a sink is attached');
  });

  it('gives up connecting after two minutes where no host is', async () => {
    await between({}, async (world, a) => {
      const lost = new Recorder(a.env.sockets.connect(new Address(Uint8Array.of(10, 99, 99, 99), 1)));
      expect(isShoalError(await lost.closed, 'CONNECT_FAILED')).toBe(true);
      near(world.nowMs, 127_000);
    });
  });

  it('goes over loopback past the access line', async () => {
    const world = newSimWorld();
    const host = world.addHost({ upBytesPerSecond: 1000, downBytesPerSecond: 1000 });
    const loopback = { env: host.env, ip: Uint8Array.of(127, 0, 0, 1), folder: '/' };
    const work = async (): Promise<void> => {
      const pair = await connectPair(loopback, loopback);
      expect(pair.far.stream.remote.host).toBe('127.0.0.1');
      expect(await secondsToSend(world, pair, 1e6)).toBeLessThan(1);
      await pair.close();
    };
    await world.run(work());
    expect(world.leaks()).toEqual([]);
  });
});

describe('a crash', () => {
  it('resets the streams of the remotes and refuses new ones until the program is back', async () => {
    await between({}, async (_world, a, b) => {
      const pair = await pairOf(a, b);
      b.crash();
      expect(isShoalError(await pair.near.closed, 'CONNECT_FAILED')).toBe(true);
      const refused = new Recorder(a.env.sockets.connect(pair.at));
      expect(isShoalError(await refused.closed, 'CONNECT_FAILED')).toBe(true);
      b.restart();
      const again = await pairOf(a, b);
      await again.close();
      expect(pair.far.calls).not.toContain('close');
    });
  });

  it('silences all that the program had under way', async () => {
    await between({}, async (_world, a, b) => {
      const old = b.env;
      const heard: string[] = [];
      old.clock.after(50, () => heard.push('timer'));
      old.clock.defer(() => heard.push('deferred'));
      void old.store.write('key', new Uint8Array(3)).then(() => heard.push('written'));
      b.crash();
      old.clock.after(1, () => heard.push('set after'));
      const stream = old.sockets.connect(new Address(a.ip, 1));
      stream.attach({ onChunk: () => undefined, onClose: () => heard.push('close') });
      stream.write([new Uint8Array(1)], () => heard.push('released'));
      void old.sockets.resolve('1.2.3.4').then(() => heard.push('resolved'));
      await sleep(a.env.clock, 200_000);
      expect(heard).toEqual([]);
      b.restart();
    });
  });

  it('of the power is seen by a remote only when it sends to the machine that is back', async () => {
    await between({}, async (_world, a, b) => {
      const pair = await pairOf(a, b);
      b.powerCut();
      pair.near.stream.write([new Uint8Array(100)]);
      const unanswered = new Recorder(a.env.sockets.connect(pair.at));
      await sleep(a.env.clock, 30_000);
      expect(pair.near.calls.includes('close')).toBe(false);
      expect(unanswered.calls).toEqual([]);
      b.restart();
      expect(isShoalError(await pair.near.closed, 'CONNECT_FAILED')).toBe(true);
      await unanswered.closed;
    });
  });
});
