// Several torrents in one session: what they share, none may keep from the others.

import { expect, it } from 'vitest';
import type { Address } from '../../src/base/address.ts';
import { toHex } from '../../src/base/bytes.ts';
import { parseMagnet } from '../../src/metainfo/magnet.ts';
import { Registry } from '../../src/session/registry.ts';
import { Session } from '../../src/session/session.ts';
import * as encoder from '../../src/wire/encoder.ts';
import { type RawOptions, RawPeer } from './raw-peer.ts';
import { type Other, PORT, SimSwarm } from './swarm.ts';

const MIB = 1 << 20;
const FAST = { upBytesPerSecond: 50_000_000, downBytesPerSecond: 50_000_000, latencyMs: 5 };

/** A swarm and another torrent, both seeded by one session. */
async function twoTorrents(lengthBytes: number, pieceLengths: readonly [number, number]) {
  const swarm = await SimSwarm.make({ seed: 1, lengthBytes, pieceLengthBytes: pieceLengths[0] });
  const other = await swarm.another('other.bin', lengthBytes, pieceLengths[1]);
  const host = swarm.host('seed', FAST);
  const source = await swarm.seed(host);
  host.hands.write('/share/other.bin', other.content);
  const request = { mode: 'seed', recheck: 'as-needed', contentPath: '/share/other.bin' } as const;
  await swarm.world.run(source.session.add({ ...request, metainfo: other.metainfo }));
  return { swarm, other, source };
}

const get = (metainfo: Other['metainfo'], peers: readonly Address[]) =>
  ({ metainfo, mode: 'get', recheck: 'as-needed', saveFolder: '/got', peers }) as const;

it('memory for pieces goes on to the next torrent when one is complete', async () => {
  const { swarm, other, source } = await twoTorrents(4 * MIB, [MIB, 2 * MIB]);
  const leech = await swarm.leech(swarm.host('leech', { ...FAST, slotBudgetBytes: 2 * MIB }), [source]);
  await swarm.complete([leech]);
  const second = await swarm.world.run(leech.session.add(get(other.metainfo, source.session.listening)));
  await swarm.world.run(second.completed(), 60_000);
  await swarm.close();
});

it('a torrent whose peers are gone does not keep its memory from another', async () => {
  const { swarm, other, source } = await twoTorrents(4 * MIB, [MIB, MIB]);
  const dying = await swarm.seed(swarm.host('dying', { ...FAST, upBytesPerSecond: 300_000 }));
  const leech = await swarm.leech(swarm.host('leech', { ...FAST, slotBudgetBytes: MIB }), [dying]);
  await swarm.world.advance(1500);
  dying.host.crash();
  swarm.forget(dying);
  const second = await swarm.world.run(leech.session.add(get(other.metainfo, source.session.listening)));
  await swarm.world.run(second.completed(), 120_000);
  expect(leech.torrent.snapshot().wastedBytes).toBeGreaterThan(0);
  leech.torrent.addPeers(source.session.listening);
  await swarm.complete([leech]);
  await swarm.close();
});

it('a torrent whose begun pieces nobody has any more goes on with others', async () => {
  const swarm = await SimSwarm.make({ seed: 1, lengthBytes: 4 * MIB, pieceLengthBytes: MIB });
  const infoHash = swarm.metainfo.info.infoHashV1!;
  const answer =
    (pieces: readonly number[], most: number) => (peer: RawPeer, piece: number, begin: number, length: number) => {
      const at = piece * MIB + begin;
      if (pieces.includes(piece) && most-- > 0) peer.sendBlock(piece, begin, swarm.content.subarray(at, at + length));
    };
  const has = (id: number, pieces: readonly number[], most: number): RawOptions => {
    const give = answer(pieces, most);
    return {
      infoHash,
      id,
      ready: (peer) => {
        for (const piece of pieces) peer.put(encoder.putHave, piece);
        peer.put(encoder.putUnchoke);
      },
      heard: (peer, name, args) => {
        if (name === 'Request') give(peer, args[0] as number, args[1] as number, args[2] as number);
      },
    };
  };
  const first = swarm.host('first', FAST);
  const at = await swarm.world.run(RawPeer.listen(first, 7000, has(1, [0], 10)));
  const leech = await swarm.leech(swarm.host('leech', { ...FAST, slotBudgetBytes: MIB }), [], { peers: [at] });
  await swarm.world.advance(2000);
  first.crash();
  const next = await swarm.world.run(RawPeer.listen(swarm.host('next', FAST), 7000, has(2, [1, 2, 3], 1000)));
  leech.torrent.addPeers([next]);
  await swarm.world.advance(60_000);
  expect(leech.torrent.snapshot().piecesVerified).toBe(3);
});

it('every torrent gets its turn where memory is for one piece', async () => {
  const { swarm, other, source } = await twoTorrents(32 * MIB, [MIB, MIB]);
  const leech = await swarm.leech(swarm.host('leech', { ...FAST, slotBudgetBytes: MIB }), [source]);
  const second = await swarm.world.run(leech.session.add(get(other.metainfo, source.session.listening)));
  await swarm.world.advance(3000);
  const pieces = [leech.torrent, second].map((torrent) => torrent.snapshot().piecesVerified);
  expect(Math.min(...pieces)).toBeGreaterThan(3);
  expect(Math.max(...pieces)).toBeLessThan(32);
  expect(Math.min(...pieces)).toBeGreaterThan(Math.max(...pieces) / 2);
  await swarm.close();
});

it('torrents under one limit get equal shares', async () => {
  const { swarm, other, source } = await twoTorrents(32 * MIB, [131072, 131072]);
  const host = swarm.host('leech', FAST);
  const listen = { ip: host.ip, port: PORT };
  const session = await swarm.world.run(Session.open(host.env, { listen, maxDownloadBytesPerSecond: 1_000_000 }));
  const both = [];
  for (const { metainfo } of [swarm, other]) {
    both.push(await swarm.world.run(session.add(get(metainfo, source.session.listening))));
  }
  await swarm.world.advance(20_000);
  const got = both.map((torrent) => torrent.snapshot().downloadedBytes);
  expect(Math.min(...got)).toBeGreaterThan(0.8 * Math.max(...got));
  expect(got[0]! + got[1]!).toBeGreaterThan(19_000_000);
  await swarm.world.run(session.close({ deadlineMs: 1000 }));
  await swarm.close();
});

it.each([0, 1, 2, 3, 4])(
  'a torrent that is added while the session closes leaves nothing open (%i ms before)',
  async (ms) => {
    const swarm = await SimSwarm.make({ seed: 1, lengthBytes: MIB, pieceLengthBytes: 131072 });
    const host = swarm.host('leech', FAST);
    const session = await swarm.world.run(Session.open(host.env, { listen: { ip: host.ip, port: PORT } }));
    const adding = session.add(get(swarm.metainfo, [])).catch((error: unknown) => error);
    await swarm.world.advance(ms);
    await swarm.world.run(session.close({ deadlineMs: 100 }));
    await swarm.world.run(adding);
    expect(swarm.world.leaks()).toEqual([]);
  },
);

it('one torrent that is added many times at once runs once', async () => {
  const swarm = await SimSwarm.make({ seed: 1, lengthBytes: MIB, pieceLengthBytes: 131072 });
  const host = swarm.host('leech', FAST);
  const session = await swarm.world.run(Session.open(host.env, { listen: { ip: host.ip, port: PORT } }));
  const adds = Array.from({ length: 5 }, () => session.add(get(swarm.metainfo, [])));
  const outcomes = await swarm.world.run(Promise.allSettled(adds));
  const codes = outcomes.map((outcome) => (outcome.status === 'rejected' ? outcome.reason.code : 'added'));
  expect(codes.sort()).toEqual(['TORRENT_EXISTS', 'TORRENT_EXISTS', 'TORRENT_EXISTS', 'TORRENT_EXISTS', 'added']);
  await swarm.world.run(session.close({ deadlineMs: 100 }));
  expect(swarm.world.leaks()).toEqual([]);
});

it.each(['a link', 'the torrent file'])(
  'a hybrid torrent begun with %s is the same by each of its hashes',
  async (begun) => {
    const swarm = await SimSwarm.make({ seed: 1, lengthBytes: MIB, pieceLengthBytes: 131072, meta: 'hybrid' });
    const source = await swarm.seed(swarm.host('seed', FAST));
    const host = swarm.host('leech', FAST);
    const { info } = swarm.metainfo;
    const link = { ...parseMagnet(`magnet:?xt=urn:btmh:1220${toHex(info.infoHashV2!)}`), peers: [] };
    const byLink = { magnet: link, mode: 'get', recheck: 'as-needed', saveFolder: '/got' } as const;
    const peers = source.session.listening;
    const open = () => swarm.world.run(Session.open(host.env, { listen: { ip: host.ip, port: PORT } }));
    const records = () => swarm.world.run(new Registry(host.env.store, () => 0).list(() => undefined));

    const session = await open();
    const first = begun === 'a link' ? { ...byLink, peers } : get(swarm.metainfo, peers);
    const torrent = await swarm.world.run(session.add(first));
    await swarm.world.run(torrent.completed(), 60_000);
    await swarm.world.advance(1000);
    for (const again of [byLink, get(swarm.metainfo, [])]) {
      await expect(swarm.world.run(session.add(again))).rejects.toMatchObject({ code: 'TORRENT_EXISTS' });
    }
    await swarm.world.run(session.close({ deadlineMs: 100 }));

    const later = await open();
    const taken = await swarm.world.run(later.add(begun === 'a link' ? get(swarm.metainfo, []) : byLink));
    expect((await records()).map(({ complete }) => complete)).toEqual([true]);
    await swarm.world.run(taken.stop(100));
    await swarm.world.run(later.close({ deadlineMs: 100 }));
    const registry = new Registry(host.env.store, () => 0);
    await swarm.world.run(registry.remove((await records())[0]!.id));
    expect((await swarm.world.run(host.env.store.list(''))).filter((key) => /alias|record/.test(key))).toEqual([]);
  },
);

it.each(['v1', 'v2', 'hybrid'] as const)(
  'one that knows v2 is answered with the v2 hash of a torrent, if it has one: %s',
  async (meta) => {
    const swarm = await SimSwarm.make({ seed: 1, lengthBytes: MIB, pieceLengthBytes: 131072, meta });
    const source = await swarm.seed(swarm.host('seed', FAST));
    const { infoHashV1, infoHashV2 } = swarm.metainfo.info;
    const [v1, v2] = [infoHashV1, infoHashV2?.slice(0, 20)];
    const host = swarm.host('remote', FAST);
    let id = 0;
    const answerTo = async (infoHash: Uint8Array, knowsV2: boolean): Promise<Uint8Array | null> => {
      const options = { infoHash, id: ++id, v2: knowsV2 };
      const remote = RawPeer.dial(host, source.session.listening[0]!, options);
      await swarm.world.advance(1000);
      expect(remote.isClosed).toBe(false);
      remote.stream.destroy();
      return remote.answeredHash;
    };
    if (v1) expect(await answerTo(v1, false)).toEqual(v1);
    if (v1) expect(await answerTo(v1, true)).toEqual(v2 ?? v1);
    if (v2) expect(await answerTo(v2, true)).toEqual(v2);
    await swarm.close();
  },
);
