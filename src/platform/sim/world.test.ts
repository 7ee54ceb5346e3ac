import { describe, expect, it } from 'vitest';
import { connectPair, pattern } from '../../../test/contract/recorder.ts';
import { newSimWorld, nodeTurn, realHashes } from '../../../test/contract/sim-world.ts';
import { Address } from '../../base/address.ts';
import { equalBytes } from '../../base/bytes.ts';
import { sleep } from '../../ports/clock.ts';
import type { SimHost } from './host.ts';
import { SimWorld } from './world.ts';

const contractHost = (host: SimHost) => ({ env: host.env, ip: host.ip, folder: '/' });

/** Streams, datagrams with losses, timers, promises, disk: a bit of everything. */
async function workload(world: SimWorld): Promise<void> {
  const [a, b] = [world.addHost({ name: 'a', upBytesPerSecond: 2e6 }), world.addHost({ name: 'b' })];
  world.link(a, b, { lossRate: 0.2, duplicateRate: 0.1, reorderRate: 0.3 });
  const work = async (): Promise<void> => {
    const pair = await connectPair(contractHost(a), contractHost(b));
    const inbox = await b.env.sockets.bindUdp({ ip: null, port: 4000 }, (message, from) => inbox.send(message, from));
    const outbox = await a.env.sockets.bindUdp({ ip: null, port: 0 }, () => undefined);
    const noise = new Uint8Array(50_000);
    for (let round = 0; round < 10; round++) {
      a.env.random.fill(noise);
      const total = (round + 1) * noise.length;
      await new Promise<void>((released) => pair.near.stream.write([noise], released));
      for (let i = 0; i < 5; i++) outbox.send(noise.subarray(0, 100 + i), new Address(b.ip, 4000));
      await pair.far.received(total);
      pair.far.stream.write([noise.slice(0, 17)]);
      await sleep(b.env.clock, b.env.random.below(20));
      await b.env.store.write('round', noise.slice(0, 100));
    }
    await Promise.all([pair.close(), inbox.close(), outbox.close()]);
  };
  await world.run(work());
}

describe('SimWorld', () => {
  it('gives the same trace for the same seed, and another one for another', async () => {
    const hashes: string[] = [];
    for (const seed of [7, 7, 8]) {
      const world = newSimWorld({ seed });
      await workload(world);
      expect(world.leaks()).toEqual([]);
      hashes.push(world.traceHash());
    }
    expect(hashes[0]).toMatch(/^[0-9a-f]{16}$/);
    expect(hashes[1]).toBe(hashes[0]);
    expect(hashes[2]).not.toBe(hashes[0]);
  });

  it('gives the same trace while other work goes on beside it', async () => {
    const alone = newSimWorld({ seed: 3 });
    await workload(alone);
    const [left, right] = [newSimWorld({ seed: 3 }), newSimWorld({ seed: 3 })];
    let isOver = false;
    const noise = (async () => {
      while (!isOver) await nodeTurn();
    })();
    await Promise.all([workload(left), workload(right)]);
    isOver = true;
    await noise;
    expect([left.traceHash(), right.traceHash()]).toEqual([alone.traceHash(), alone.traceHash()]);
  });

  it('shows a watcher every delivery', async () => {
    const kinds = new Set<string>();
    const world = newSimWorld({ watch: (_now, kind) => kinds.add(kind) });
    await workload(world);
    for (const kind of ['timer', 'accept', 'open', 'chunk', 'sent', 'datagram', 'answer', 'start', 'close']) {
      expect(kinds).toContain(kind);
    }
  });

  it('runs all promise continuations before the next event, however long the chain is', async () => {
    const world = newSimWorld();
    const { clock } = world.addHost().env;
    const chain = async (depth: number): Promise<number> => (depth === 0 ? clock.nowMs() : chain(depth - 1));
    const calls: string[] = [];
    const work = new Promise<void>((resolve) => {
      clock.after(5, () => {
        void chain(500).then((nowMs) => calls.push(`chain at ${nowMs}`));
      });
      clock.after(5, () => calls.push('same instant'));
      clock.after(5.001, resolve);
    });
    await world.run(work);
    expect(calls).toEqual(['chain at 5', 'same instant']);
  });

  it('lets time stand still but for events', async () => {
    const world = newSimWorld();
    const { clock } = world.addHost().env;
    const wall = clock.wallMs();
    await world.run(sleep(clock, 30 * 60_000));
    expect(world.nowMs).toBe(30 * 60_000);
    expect(clock.wallMs() - wall).toBe(30 * 60_000);
    await world.advance(1000);
    expect(clock.nowMs()).toBe(30 * 60_000 + 1000);
  });

  it('says with the seed what is open where nothing is left to happen', async () => {
    const world = newSimWorld({ seed: 4711 });
    const host = world.addHost({ name: 'lonely' });
    await world.run(host.env.sockets.listen({ ip: null, port: 80 }, () => undefined));
    await expect(world.run(new Promise(() => undefined))).rejects.toThrow(
      /seed 4711.*nothing is left.*lonely: 1 listener/,
    );
  });

  it('says so where the limit has come', async () => {
    const world = newSimWorld({ seed: 4712 });
    const { clock } = world.addHost().env;
    await expect(world.run(sleep(clock, 5000), 1000)).rejects.toThrow(/seed 4712.*limit of 1000 ms/);
    expect(world.nowMs).toBeLessThanOrEqual(1000);
  });

  it('passes on what a callback throws', async () => {
    const world = newSimWorld();
    const { clock } = world.addHost().env;
    clock.after(1, () => {
      throw new Error('a bug in a timer');
    });
    await expect(world.advance(10)).rejects.toThrow('a bug in a timer');
  });

  it('tells leftovers, and is silent when all is closed', async () => {
    const world = newSimWorld();
    const host = world.addHost({ name: 'h' });
    const { clock, pieceIo, store, sockets } = host.env;
    const timer = clock.after(1e6, () => undefined);
    const slot = pieceIo.acquire(10)!;
    const content = pieceIo.open({ root: '/x', files: [], writable: true, preallocate: false });
    const lock = await world.run(store.lock('l'));
    const log = await world.run(store.openLog('log', 10));
    const udp = await world.run(sockets.bindUdp({ ip: null, port: 0 }, () => undefined));
    expect(world.leaks().sort()).toEqual(
      ['1 UDP socket', '1 content', '1 lock', '1 log', '1 piece slot', '1 timer'].map((what) => `h: ${what}`),
    );
    expect(() => host.close()).toThrow('all is closed at the end');
    timer.cancel();
    pieceIo.release(slot);
    await world.run(Promise.all([content.close(), lock!.release(), log.close(), udp.close()]));
    expect(world.leaks()).toEqual([]);
    host.close();
    expect(() => clock.after(1, () => undefined)).toThrow('h does nothing after its end');
  });

  it('does not let two runs go on at once', async () => {
    const world = newSimWorld();
    const { clock } = world.addHost().env;
    const first = world.run(sleep(clock, 10));
    await expect(world.advance(1)).rejects.toThrow('await one run');
    await first;
  });

  it('finds hosts by the names that it is told', async () => {
    const world = newSimWorld();
    const [a, b] = [world.addHost(), world.addHost()];
    world.dns('tracker.example', b.ip);
    expect(await world.run(a.env.sockets.resolve('Tracker.Example'))).toEqual([b.ip]);
    world.dns('tracker.example');
    await expect(world.run(a.env.sockets.resolve('tracker.example'))).rejects.toMatchObject({ code: 'HOST_NOT_FOUND' });
  });

  it('holds a stream while the way is cut and goes on where it stopped', async () => {
    const world = newSimWorld();
    const [a, b] = [world.addHost(), world.addHost()];
    const work = async (): Promise<void> => {
      const pair = await connectPair(contractHost(a), contractHost(b));
      const bytes = pattern(3_000_000);
      a.env.clock.after(55, () => world.cut(a, b));
      a.env.clock.after(10_000, () => world.heal(a, b));
      const before = a.env.clock.nowMs();
      pair.near.stream.write([bytes]);
      await pair.far.received(bytes.length);
      expect(a.env.clock.nowMs() - before).toBeGreaterThan(9000);
      expect(equalBytes(pair.far.bytes(), bytes)).toBe(true);
      await pair.close();
    };
    await world.run(work());
  });

  it('gives each host chance of its own', () => {
    const world = new SimWorld({ seed: 1, hashes: realHashes, turn: nodeTurn });
    const draw = (host: SimHost): number[] => Array.from({ length: 5 }, () => host.env.random.below(1e9));
    expect(draw(world.addHost())).not.toEqual(draw(world.addHost()));
  });
});
