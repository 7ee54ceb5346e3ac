// What WebSocket connections may hold all together, in virtual time.

import { describe, expect, it } from 'vitest';
import { concatBytes } from '../../src/base/bytes.ts';
import { sleep } from '../../src/ports/clock.ts';
import { get as ask, place, talk } from '../support/sim-tracker.ts';
import type { SimWebClient } from '../support/sim-web-client.ts';
import { connect, swarm, withWeb } from '../support/sim-web-tracker.ts';
import { id, offers } from '../support/web-messages.ts';

const MIB = 1024 * 1024;
/** The head of a message of 127 KiB, and most of it. */
const BEGUN = concatBytes([
  Uint8Array.of(0x81, 0xff, 0, 0, 0, 0, 0, 1, 0xfc, 0, 1, 2, 3, 4),
  new Uint8Array(100 * 1024),
]);

describe('WebSocket connections that together hold too much', () => {
  it('go, those with most first, are told why and counted; others are served on', async () => {
    await withWeb({ maxWebSocketBytes: MIB, metrics: 'all' }, async (setting) => {
      const { clock } = setting.host.env;
      const [one, two] = (await swarm(setting, 2)) as [SimWebClient, SimWebClient];
      const hoarders: SimWebClient[] = [];
      for (let i = 0; i < 20; i++) hoarders.push(await connect(setting));
      const ended = (): SimWebClient[] => hoarders.filter(({ closed }) => closed !== null);
      for (const hoarder of hoarders.slice(0, 8)) hoarder.write(BEGUN);
      await sleep(clock, 5000);
      expect(ended()).toHaveLength(0);
      expect(setting.server.stats().ws.heldBytes).toBeGreaterThan(MIB / 2);
      for (const hoarder of hoarders.slice(8)) hoarder.write(BEGUN);
      await sleep(clock, 5000);
      expect(ended().length).toBeGreaterThanOrEqual(10);
      for (const { closed, reason } of ended()) expect([closed, reason]).toEqual([1013, 'this tracker holds too much']);
      const { ws, faults } = setting.server.stats();
      expect(ws.heldBytes).toBeLessThanOrEqual(MIB);
      expect([faults.tooMuchHeld, ws.errors]).toEqual([ended().length, ended().length]);
      const metrics = await talk(setting.client().host, place(setting), [ask('/metrics', 'Connection: close')]);
      expect(metrics).toContain(`shoal_tracker_faults_total{kind="too_much_held"} ${faults.tooMuchHeld}\n`);
      expect(metrics).toContain(`shoal_tracker_websocket_bytes ${ws.heldBytes}\n`);
      one.announce({ peer_id: id(0x61), offers: offers(1) });
      expect(await one.take()).toMatchObject([{ incomplete: 2 }]);
      expect(await two.take()).toMatchObject([{ peer_id: id(0x61), offer: { sdp: 'sdp 128' } }]);
      // The rest is given back when its clients have gone.
      for (const hoarder of hoarders) hoarder.stream.destroy();
      await sleep(clock, 5000);
      expect(setting.server.stats().ws.heldBytes).toBeLessThan(1024);
    });
  });

  it('may also be those that do not read what they ask for', async () => {
    await withWeb({ maxWebSocketBytes: MIB }, async (setting) => {
      const { clock } = setting.host.env;
      const [one] = (await swarm(setting, 1)) as [SimWebClient];
      const many = { action: 'scrape', info_hash: Array.from({ length: 128 }, (_, i) => id(i)) };
      const deaf: SimWebClient[] = [];
      for (let i = 0; i < 30; i++) deaf.push(await connect(setting));
      for (const client of deaf) {
        client.stream.pause();
        for (let i = 0; i < 100; i++) client.send(many);
      }
      // Sooner than those are closed that do not read for too long.
      await sleep(clock, 10_000);
      const { ws, faults } = setting.server.stats();
      expect(faults.tooSlow).toBe(0);
      expect(faults.tooMuchHeld).toBeGreaterThan(5);
      expect(ws.connections).toBe(31 - faults.tooMuchHeld);
      expect(ws.heldBytes).toBeLessThanOrEqual(MIB);
      one.announce({ peer_id: id(0x61) });
      expect(await one.take()).toMatchObject([{ incomplete: 1 }]);
    });
  });

  it('are not those to whom others offer more than they read', async () => {
    await withWeb({ maxWebSocketBytes: MIB }, async (setting) => {
      const [flood, ...slow] = (await swarm(setting, 11)) as [SimWebClient, ...SimWebClient[]];
      for (const client of slow) client.stream.pause();
      const big = offers(10).map((each) => ({ ...each, offer: { sdp: 'x'.repeat(10_000) } }));
      let most = 0;
      for (let i = 0; i < 100; i++) {
        flood.announce({ peer_id: id(0x61), offers: big });
        if (i % 10 === 9) await flood.take();
        most = Math.max(most, setting.server.stats().ws.heldBytes);
      }
      const { ws, faults } = setting.server.stats();
      expect([ws.connections, faults.tooMuchHeld, faults.tooSlow]).toEqual([11, 0, 0]);
      expect(most).toBeGreaterThan(MIB / 3);
      expect(most).toBeLessThan((MIB * 3) / 4);
    });
  });

  it('may be in many swarms: lists of them count', async () => {
    await withWeb({ maxWebSocketBytes: 110_000 }, async (setting) => {
      const all: SimWebClient[] = [];
      for (let i = 0; i < 3; i++) all.push(await connect(setting));
      for (const [n, client] of all.entries()) {
        for (let i = 0; i < 1000; i++) {
          client.announce({ info_hash: `${n} ${i}`.padEnd(20) });
          if (i % 50 === 49) await client.take();
        }
      }
      expect(all.filter(({ closed }) => closed !== null)).toHaveLength(1);
      await sleep(setting.host.env.clock, 10_000);
      expect(setting.server.stats()).toMatchObject({ peers: 2000, ws: { connections: 2 } });
    });
  });

  it('go, once each, and no more of them than it takes, where what they hold are lists', async () => {
    await withWeb({ maxWebSocketBytes: 140_000 }, async (setting) => {
      const idle: SimWebClient[] = [];
      for (let n = 0; n < 3; n++) {
        const client = await connect(setting);
        for (let i = 0; i < 1000; i++) {
          client.announce({ info_hash: `${n} ${i}`.padEnd(20) });
          if (i % 50 === 49) await client.take();
        }
        idle.push(client);
      }
      const small = await connect(setting);
      expect(setting.server.stats().ws).toMatchObject({ connections: 4, errors: 0 });
      small.write(BEGUN.subarray(0, 18_000));
      await sleep(setting.host.env.clock, 1000);
      const { ws, peers, faults } = setting.server.stats();
      expect(idle.map(({ closed }) => closed).sort()).toEqual([1013, null, null]);
      expect(small.closed).toBeNull();
      expect([peers, faults.tooMuchHeld, ws.errors]).toEqual([2000, 1, 1]);
    });
  });
});
