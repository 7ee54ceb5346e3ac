import { describe, expect, it } from 'vitest';
import { type Member, SimSwarm } from './swarm.ts';

const MIB = 1 << 20;
const CAP = { upBytesPerSecond: 1_000_000, downBytesPerSecond: 10_000_000 };

describe('a swarm in virtual time', () => {
  it.each([1, 2, 3])('one seed feeds one leech, whatever the splits of its stream (seed %i)', async (seed) => {
    const swarm = await SimSwarm.make({ seed, lengthBytes: 3 * MIB + 12345, pieceLengthBytes: 65536 });
    const source = await swarm.seed(swarm.host('seed'));
    const leech = await swarm.leech(swarm.host('leech'), [source]);
    await swarm.complete([leech]);
    expect(leech.torrent.snapshot().wastedBytes).toBe(0);
    await swarm.close();
  });

  it('gives the same trace for the same seed, and another for another', async () => {
    const trace = async (seed: number): Promise<string> => {
      const swarm = await SimSwarm.make({ seed, lengthBytes: MIB, pieceLengthBytes: 65536 });
      const source = await swarm.seed(swarm.host('seed', CAP));
      const leeches: Member[] = [];
      for (let i = 0; i < 3; i++) leeches.push(await swarm.leech(swarm.host(`leech ${i}`, CAP), [source, ...leeches]));
      await swarm.complete(leeches);
      await swarm.close();
      return swarm.world.traceHash();
    };
    const first = await trace(7);
    expect(await trace(7)).toBe(first);
    expect(await trace(8)).not.toBe(first);
  });

  it.each([11, 12])(
    'five leeches share: the seed sends at most 1.3 times the content until the first is complete (seed %i)',
    async (seed) => {
      const lengthBytes = 16 * MIB;
      const swarm = await SimSwarm.make({ seed, lengthBytes, pieceLengthBytes: 131072 });
      const source = await swarm.seed(swarm.host('seed', CAP));
      const leeches: Member[] = [];
      for (let i = 0; i < 5; i++) leeches.push(await swarm.leech(swarm.host(`leech ${i}`, CAP), [source, ...leeches]));
      await swarm.world.run(Promise.any(leeches.map((leech) => leech.torrent.completed())));
      const sent = source.torrent.snapshot().uploadedBytes / lengthBytes;
      expect(sent).toBeLessThanOrEqual(1.3);
      await swarm.complete(leeches);
      for (const leech of leeches) expect(leech.torrent.snapshot().uploadedBytes).toBeGreaterThan(0);
      await swarm.close();
    },
  );

  it.each([21, 22, 23])('goes on when the only seed leaves and another comes (seed %i)', async (seed) => {
    const swarm = await SimSwarm.make({ seed, lengthBytes: 4 * MIB, pieceLengthBytes: 65536 });
    const first = await swarm.seed(swarm.host('first', CAP));
    const leech = await swarm.leech(swarm.host('leech', CAP), [first]);
    await swarm.world.advance(1500);
    first.host.crash();
    swarm.forget(first);
    await swarm.world.advance(5000);
    const had = leech.torrent.snapshot().verifiedBytes;
    expect(had).toBeGreaterThan(0);
    expect(leech.torrent.why().map((reason) => reason.code)).toContain('peers-unreachable');
    const second = await swarm.seed(swarm.host('second', CAP));
    leech.torrent.addPeers(second.session.listening);
    await swarm.complete([leech]);
    expect(second.torrent.snapshot().uploadedBytes).toBeLessThanOrEqual(4 * MIB - had + 65536 * 8);
    await swarm.close();
  });

  it('that has all says that the disk is busy, until it is done there too', async () => {
    const swarm = await SimSwarm.make({ seed: 25, lengthBytes: MIB, pieceLengthBytes: 65536 });
    const source = await swarm.seed(swarm.host('seed', CAP));
    const leech = await swarm.leech(swarm.host('leech', { ...CAP, disk: { syncMs: 5000 } }), [source]);
    while (leech.torrent.snapshot().piecesVerified < 16) await swarm.world.advance(100);
    expect(leech.torrent.snapshot().state).toBe('downloading');
    expect(leech.torrent.why().map((reason) => reason.code)).toEqual(['disk-busy']);
    await swarm.complete([leech]);
    expect(leech.torrent.why()).toEqual([]);
    await swarm.close();
  });

  it.each([31, 32])('a leech killed again and again goes on where it was (seed %i)', async (seed) => {
    const [lengthBytes, pieceLengthBytes, kills] = [8 * MIB, 65536, 6];
    const swarm = await SimSwarm.make({ seed, lengthBytes, pieceLengthBytes });
    const source = await swarm.seed(swarm.host('seed', CAP));
    const host = swarm.host('leech', CAP);
    let fetched = 0;
    for (let i = 0; i < kills; i++) {
      const leech = await swarm.leech(host, [source]);
      await swarm.world.advance(300 + ((seed * 37 + i * 331) % 1300));
      fetched += leech.torrent.snapshot().downloadedBytes;
      host.crash({ losesUnsynced: i % 2 === 0 });
      swarm.forget(leech);
      host.restart();
    }
    const last = await swarm.leech(host, [source]);
    await swarm.complete([last]);
    fetched += last.torrent.snapshot().downloadedBytes;
    // A second of journal interval at 1 MB/s, and what was in flight.
    expect(fetched).toBeLessThanOrEqual(lengthBytes + kills * (1_000_000 * 1.3 + 16 * pieceLengthBytes));
    await swarm.close();
  });

  it('a magnet link is enough', async () => {
    for (const meta of ['v1', 'v2', 'hybrid'] as const) {
      const swarm = await SimSwarm.make({ seed: 41, lengthBytes: 3 * MIB, pieceLengthBytes: 32768, meta });
      const source = await swarm.seed(swarm.host('seed'));
      const { infoHashV1, infoHashV2 } = swarm.metainfo.info;
      const magnet = {
        infoHashV1,
        infoHashV2,
        name: null,
        lengthBytes: null,
        trackers: [],
        webSeeds: [],
        peers: [],
        selectOnly: null,
      };
      const leech = await swarm.leech(swarm.host('leech'), [source], { magnet });
      await swarm.complete([leech]);
      await swarm.close();
    }
  });
});
