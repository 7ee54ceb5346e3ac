import { describe, expect, it } from 'vitest';
import { Address } from '../../src/base/address.ts';
import { metainfoFromInfo } from '../../src/metainfo/parse.ts';
import type { Log } from '../../src/ports/log.ts';
import { TrackerServer } from '../../src/tracker/server/server.ts';
import { type Member, PORT, SimSwarm } from './swarm.ts';

const MIB = 1 << 20;
const CAP = { upBytesPerSecond: 1_000_000, downBytesPerSecond: 10_000_000 };
const CONTENT = '/share/content.bin';

/** Seeds that verified good content and then send other bytes: what every liar looks like from outside. */
async function liar(swarm: SimSwarm, name: string, damaged: readonly number[]): Promise<Member> {
  const member = await swarm.seed(swarm.host(name, CAP));
  for (const offset of damaged) member.host.hands.damage(CONTENT, offset, Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8));
  return member;
}

/** Notes the addresses that were banned. */
function banLog(banned: unknown[]): Log {
  return {
    write: (_level, message, fields) => {
      if (message.startsWith('banned')) banned.push(fields?.peer);
    },
  };
}

const everyBlock = (lengthBytes: number): number[] =>
  Array.from({ length: lengthBytes / 16384 }, (_, i) => i * 16384 + 77);

describe.each(['v1', 'v2', 'hybrid'] as const)('a liar in a %s swarm', (meta) => {
  it.each([1, 2, 3])('is banned, the honest stay, and the content arrives (seed %i)', async (seed) => {
    const lengthBytes = 6 * MIB;
    const swarm = await SimSwarm.make({ seed, lengthBytes, pieceLengthBytes: 131072, meta });
    const honest = [await swarm.seed(swarm.host('honest 1', CAP)), await swarm.seed(swarm.host('honest 2', CAP))];
    const bad = await liar(swarm, 'liar', everyBlock(lengthBytes));
    const banned: unknown[] = [];
    const leech = await swarm.leech(swarm.host('leech', { ...CAP, log: banLog(banned) }), [bad, ...honest]);
    await swarm.complete([leech]);
    expect(banned).toEqual([bad.session.listening[0]!.key]);
    // What the liar sent before it was found out, and what it spoiled of others.
    expect(leech.torrent.snapshot().wastedBytes).toBeLessThan(lengthBytes / 2);
    await swarm.close();
  });
});

describe.each(['v1', 'v2', 'hybrid'] as const)(
  'a piece of a %s torrent that a liar began and others finished',
  (meta) => {
    it.each([1, 2, 3])(
      'costs the piece, with leaf hashes only its bad blocks, and bans only the liar (seed %i)',
      async (seed) => {
        const [lengthBytes, pieceLengthBytes] = [8 * MIB, 2 * MIB];
        const swarm = await SimSwarm.make({ seed, lengthBytes, pieceLengthBytes, meta });
        const bad = await liar(swarm, 'liar', everyBlock(lengthBytes));
        const honest = [await swarm.seed(swarm.host('honest 1', CAP)), await swarm.seed(swarm.host('honest 2', CAP))];
        const banned: unknown[] = [];
        const leech = await swarm.leech(swarm.host('leech', { ...CAP, log: banLog(banned) }), [bad, ...honest]);
        await swarm.world.advance(700);
        const badBlocks =
          (leech.torrent.snapshot().peerList.find((peer) => peer.address === bad.session.listening[0]!.key)
            ?.downloadedBytes ?? 0) / 16384;
        expect(badBlocks).toBeGreaterThan(10);
        expect(badBlocks).toBeLessThan(pieceLengthBytes / 16384);
        bad.host.crash();
        swarm.forget(bad);
        await swarm.complete([leech]);
        expect(banned).toEqual([bad.session.listening[0]!.key]);
        const wastedBlocks = leech.torrent.snapshot().wastedBytes / 16384;
        // A few duplicates of the endgame come on top.
        expect(wastedBlocks).toBeLessThanOrEqual((meta === 'v1' ? pieceLengthBytes / 16384 : badBlocks + 1) + 20);
        expect(wastedBlocks).toBeGreaterThanOrEqual(Math.floor(badBlocks));
        await swarm.close();
      },
    );
  },
);

describe('peers and trackers that fail', () => {
  it('bans only the liar of several peers at one address', async () => {
    const lengthBytes = 4 * MIB;
    const swarm = await SimSwarm.make({ seed: 5, lengthBytes, pieceLengthBytes: 131072 });
    const house = swarm.host('house', CAP);
    const good = await swarm.seed(house);
    // A second program on the same machine: its own state, folder and port.
    house.hands.write('/bad/content.bin', swarm.content);
    const env = { ...house.env, store: swarm.host('second state').env.store };
    const bad = await swarm.join(house, { mode: 'seed', contentPath: '/bad/content.bin' }, { env, port: PORT + 1 });
    for (const at of everyBlock(lengthBytes)) house.hands.damage('/bad/content.bin', at, Uint8Array.of(1, 2, 3, 4));
    const banned: unknown[] = [];
    const leech = await swarm.leech(swarm.host('leech', { ...CAP, log: banLog(banned) }), [bad, good]);
    await swarm.complete([leech]);
    expect(banned).toEqual([bad.session.listening[0]!.key]);
    await swarm.close();
  });

  it.each([1, 2])('gets round a peer that stalls (seed %i)', async (seed) => {
    const swarm = await SimSwarm.make({ seed, lengthBytes: 4 * MIB, pieceLengthBytes: 131072 });
    const stalling = await swarm.seed(swarm.host('stalling', CAP));
    const steady = await swarm.seed(swarm.host('steady', CAP));
    const host = swarm.host('leech', CAP);
    const leech = await swarm.leech(host, [stalling, steady]);
    await swarm.world.advance(800);
    swarm.world.cut(stalling.host, host);
    const cutMs = swarm.world.nowMs;
    await swarm.complete([leech]);
    expect(swarm.world.nowMs - cutMs).toBeLessThan(15_000);
    swarm.world.heal(stalling.host, host);
    await swarm.close();
  });

  it('finds its peers by two trackers, and goes on when both die', async () => {
    const trackers = [['http://one.test:6969/announce'], ['udp://two.test:6969/announce']];
    const swarm = await SimSwarm.make({ seed: 9, lengthBytes: 4 * MIB, pieceLengthBytes: 131072, trackers });
    const hosts = [swarm.host('one'), swarm.host('two')];
    const servers = [];
    for (const [i, host] of hosts.entries()) {
      swarm.world.dns(`${['one', 'two'][i]}.test`, host.ip);
      servers.push(await swarm.world.run(TrackerServer.open(host.env, { listen: [{ ip: host.ip, port: 6969 }] })));
    }
    const everyTracker = true;
    const source = await swarm.seed(swarm.host('seed', CAP), { everyTracker });
    await swarm.world.advance(1000);
    const leech = await swarm.leech(swarm.host('leech', CAP), [], { everyTracker });
    await swarm.world.advance(1500);
    expect(leech.torrent.snapshot().peers).toBe(1);
    expect(servers.map((server) => server.stats().peers)).toEqual([2, 2]);
    expect(servers.map((server) => server.stats().seeds)).toEqual([1, 1]);
    for (const host of hosts) host.crash();
    expect(leech.torrent.snapshot().verifiedBytes).toBeLessThan(4 * MIB);
    await swarm.complete([leech]);
    await swarm.close();
    expect(source.torrent.snapshot().uploadedBytes).toBe(4 * MIB);
  });

  it('a peer address that is ourselves is never connected to twice', async () => {
    const swarm = await SimSwarm.make({ seed: 3, lengthBytes: MIB, pieceLengthBytes: 131072 });
    const host = swarm.host('leech', CAP);
    const own = new Address(host.ip, PORT);
    const leech = await swarm.leech(host, [], { peers: [own] });
    await swarm.world.advance(30_000);
    expect(leech.torrent.snapshot().peers).toBe(0);
    const source = await swarm.seed(swarm.host('seed', CAP));
    leech.torrent.addPeers(source.session.listening);
    await swarm.complete([leech]);
    await swarm.close();
  });
});

describe('disks and limits', () => {
  it('a full disk is an error that loses nothing', async () => {
    const lengthBytes = 4 * MIB;
    const swarm = await SimSwarm.make({ seed: 4, lengthBytes, pieceLengthBytes: 131072 });
    const source = await swarm.seed(swarm.host('seed', CAP));
    const host = swarm.host('leech', { ...CAP, disk: { capacityBytes: 2 * MIB } });
    const leech = await swarm.leech(host, [source]);
    await expect(swarm.world.run(leech.torrent.completed())).rejects.toMatchObject({ code: 'DISK_FULL' });
    const kept = leech.torrent.snapshot().verifiedBytes;
    await swarm.world.run(leech.session.close({ deadlineMs: 1000 }));
    swarm.forget(leech);
    host.disk.capacityBytes = 100 * MIB;
    const again = await swarm.leech(host, [source]);
    await swarm.complete([again]);
    expect(kept).toBeGreaterThan(MIB / 2);
    // The state is on the same full disk: the last second before the failure may not have been recorded.
    expect(again.torrent.snapshot().downloadedBytes).toBeLessThanOrEqual(lengthBytes - kept + CAP.upBytesPerSecond);
    await swarm.close();
  });

  it.each(['down', 'up'] as const)('keeps a limit on what goes %s within 2 percent over ten seconds', async (way) => {
    const limit = 1_000_000;
    const swarm = await SimSwarm.make({ seed: 6, lengthBytes: 24 * MIB, pieceLengthBytes: 262144 });
    const fast = { upBytesPerSecond: 50_000_000, downBytesPerSecond: 50_000_000, latencyMs: 5 };
    const source = await swarm.seed(swarm.host('seed', fast), way === 'up' ? { maxUploadBytesPerSecond: limit } : {});
    const leech = await swarm.leech(
      swarm.host('leech', fast),
      [source],
      way === 'down' ? { maxDownloadBytesPerSecond: limit } : {},
    );
    await swarm.world.advance(1000);
    const before = leech.torrent.snapshot().downloadedBytes;
    await swarm.world.advance(10_000);
    const rate = (leech.torrent.snapshot().downloadedBytes - before) / 10;
    expect(rate).toBeGreaterThan(0.98 * limit);
    expect(rate).toBeLessThan(1.02 * limit);
    await swarm.close();
  });

  it('notices a file that was changed while it was away, and mends only that', async () => {
    const lengthBytes = 4 * MIB;
    const swarm = await SimSwarm.make({ seed: 8, lengthBytes, pieceLengthBytes: 131072 });
    const source = await swarm.seed(swarm.host('seed', CAP));
    const host = swarm.host('leech', CAP);
    const leech = await swarm.leech(host, [source]);
    await swarm.complete([leech]);
    await swarm.world.run(leech.session.close({ deadlineMs: 1000 }));
    swarm.forget(leech);
    const broken = swarm.content.slice();
    broken.set([9, 9, 9], 300_000);
    host.hands.write('/got/content.bin', broken, swarm.world.nowMs + 1000);
    const again = await swarm.leech(host, [source]);
    await swarm.complete([again]);
    expect(again.torrent.snapshot().downloadedBytes).toBe(131072);
    await swarm.close();
  });
});

it('a hybrid torrent whose hashes contradict each other fails with a clear error, and bans nobody', async () => {
  const swarm = await SimSwarm.make({ seed: 1, lengthBytes: MIB, pieceLengthBytes: 131072, meta: 'hybrid' });
  const { info, pieceLayers } = swarm.metainfo;
  const { hashes } = swarm.host('maker of a broken torrent').env;
  const bytes = info.bytes.slice();
  const at = Buffer.from(bytes).indexOf(hashes.sha1(swarm.content.subarray(3 * 131072, 4 * 131072)));
  bytes[at]! ^= 1;
  swarm.metainfo = { ...metainfoFromInfo(bytes, [], [], hashes, { caseSensitive: true }), pieceLayers };
  const never = { recheck: 'never' } as const;
  const seeds = [await swarm.seed(swarm.host('one', CAP), never), await swarm.seed(swarm.host('two', CAP), never)];
  const banned: unknown[] = [];
  const leech = await swarm.leech(swarm.host('leech', { ...CAP, log: banLog(banned) }), seeds);
  const failure = await swarm.world.run(leech.torrent.completed().catch((error: unknown) => error));
  expect(failure).toMatchObject({ code: 'METAINFO_INVALID', message: expect.stringContaining('piece 3') });
  expect(banned).toEqual([]);
  await swarm.close();
});
