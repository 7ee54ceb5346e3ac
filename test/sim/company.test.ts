// Who keeps company with whom: whom a seed dials, who is let in and who goes when there is no room.

import { expect, it, vi } from 'vitest';
import { Address } from '../../src/base/address.ts';
import type { ByteStream } from '../../src/ports/sockets.ts';
import { Session } from '../../src/session/session.ts';
import { TrackerClient } from '../../src/tracker/client/client.ts';
import { TrackerServer } from '../../src/tracker/server/server.ts';
import * as encoder from '../../src/wire/encoder.ts';
import { RawPeer } from './raw-peer.ts';
import { PORT, SimSwarm } from './swarm.ts';

const MIB = 1 << 20;
const FAST = { upBytesPerSecond: 50_000_000, downBytesPerSecond: 50_000_000, latencyMs: 5 };

it('a seed dials the leeches that its tracker tells it of', async () => {
  const url = 'http://198.18.200.1:6969/announce';
  const swarm = await SimSwarm.make({ seed: 1, lengthBytes: MIB, pieceLengthBytes: 131072, trackers: [[url]] });
  const trackerHost = swarm.host('tracker', { ...FAST, ip: '198.18.200.1' });
  const server = await swarm.world.run(
    TrackerServer.open(trackerHost.env, { listen: [{ ip: trackerHost.ip, port: 6969 }] }),
  );
  const host = swarm.host('leech', FAST);
  const heard: RawPeer[] = [];
  const infoHash = swarm.metainfo.info.infoHashV1!;
  await swarm.world.run(RawPeer.listen(host, PORT, { infoHash, id: 1 }, heard));
  const client = new TrackerClient(host.env, { from: null });
  const request = { infoHash, peerId: new Uint8Array(20), port: PORT, uploaded: 0, downloaded: 0, left: MIB };
  const words = { ...request, event: 'started', numWant: 0, key: 1, trackerId: null } as const;
  await swarm.world.run(client.announce(url, words, { signal: new AbortController().signal }));
  await swarm.seed(swarm.host('seed', FAST));
  await swarm.world.advance(2000);
  expect(heard.length).toBe(1);
  host.crash();
  await swarm.world.run(client.close());
  await swarm.world.run(server.close());
  await swarm.close();
});

it('a seed dials in vain a few times, later each time, and then no more', async () => {
  const swarm = await SimSwarm.make({ seed: 1, lengthBytes: MIB, pieceLengthBytes: 131072 });
  const host = swarm.host('seed', FAST);
  const dial = vi.spyOn(host.env.sockets, 'connect');
  const gone = new Address(swarm.host('gone', FAST).ip, PORT);
  await swarm.seed(host, { peers: [gone] });
  await swarm.world.advance(3_600_000);
  expect(dial).toHaveBeenCalledTimes(4);
  swarm.members[0]!.torrent.addPeers([gone]);
  await swarm.world.advance(3_600_000);
  expect(dial).toHaveBeenCalledTimes(5);
  await swarm.close();
});

/** So many remotes of one host, with ids from `firstId` on. */
function crowd(swarm: SimSwarm, name: string, count: number, firstId: number, to: Address): RawPeer[] {
  const host = swarm.host(name, FAST);
  const infoHash = swarm.metainfo.info.infoHashV1!;
  return Array.from({ length: count }, (_, i) => RawPeer.dial(host, to, { infoHash, id: firstId + i }));
}

it('one address has a share of the connections, and no more', async () => {
  const swarm = await SimSwarm.make({ seed: 1, lengthBytes: MIB, pieceLengthBytes: 131072 });
  const source = await swarm.seed(swarm.host('seed', FAST));
  const remotes = crowd(swarm, 'crowd', 50, 0, source.session.listening[0]!);
  await swarm.world.advance(1000);
  expect(source.torrent.snapshot().peers).toBe(32);
  expect(remotes.filter((remote) => !remote.isClosed).length).toBe(32);
  for (const remote of remotes) remote.stream.destroy();
  await swarm.close();
});

it('all addresses of an IPv6 line are one', async () => {
  const swarm = await SimSwarm.make({ seed: 1, lengthBytes: MIB, pieceLengthBytes: 131072 });
  const source = await swarm.seed(swarm.host('seed', { ...FAST, ip: '2a00:1::1' }));
  const to = source.session.listening[0]!;
  const infoHash = swarm.metainfo.info.infoHashV1!;
  const remotes = Array.from({ length: 40 }, (_, i) =>
    RawPeer.dial(swarm.host(`remote ${i}`, { ...FAST, ip: `2a00:2::${i + 1}` }), to, { infoHash, id: i }),
  );
  const other = RawPeer.dial(swarm.host('other', { ...FAST, ip: '2a00:3::1' }), to, { infoHash, id: 99 });
  await swarm.world.advance(1000);
  expect(source.torrent.snapshot().peers).toBe(33);
  expect(other.isClosed).toBe(false);
  for (const remote of [...remotes, other]) remote.stream.destroy();
  await swarm.close();
});

it('with all connections in use by peers of some use, the slowest makes room once a minute', async () => {
  const swarm = await SimSwarm.make({ seed: 1, lengthBytes: MIB, pieceLengthBytes: 131072 });
  const source = await swarm.seed(swarm.host('seed', FAST));
  const to = source.session.listening[0]!;
  const many = Array.from({ length: 8 }, (_, i) => crowd(swarm, `crowd ${i}`, 25, i * 25, to)).flat();
  await swarm.world.advance(1000);
  for (const remote of many) remote.put(encoder.putInterested);
  const come = async (name: string, id: number): Promise<number> => {
    for (const remote of many) remote.put(encoder.putKeepAlive);
    const some = crowd(swarm, name, 3, id, to);
    await swarm.world.advance(1000);
    for (const remote of some) remote.put(encoder.putInterested);
    many.push(...some);
    return some.filter((remote) => !remote.isClosed).length;
  };
  expect([source.torrent.snapshot().peers, await come('too early', 200)]).toEqual([200, 0]);
  await swarm.world.advance(125_000);
  expect([await come('in time', 210), await come('again', 220)]).toEqual([1, 0]);
  await swarm.world.advance(60_000);
  expect([await come('later', 230), source.torrent.snapshot().peers]).toEqual([1, 200]);
  for (const remote of many) remote.stream.destroy();
  await swarm.close();
});

it('who wants nothing for a minute makes room when all connections are in use, and others stay', async () => {
  const swarm = await SimSwarm.make({ seed: 1, lengthBytes: MIB, pieceLengthBytes: 131072 });
  const host = swarm.host('seed', FAST);
  host.hands.write('/share/content.bin', swarm.content);
  const session = await swarm.world.run(
    Session.open(host.env, { listen: { ip: host.ip, port: PORT }, maxConnections: 20 }),
  );
  const place = { mode: 'seed', recheck: 'as-needed', contentPath: '/share/content.bin' } as const;
  const torrent = await swarm.world.run(session.add({ ...place, metainfo: swarm.metainfo }));
  const to = session.listening[0]!;
  const early = crowd(swarm, 'early', 20, 0, to);
  await swarm.world.advance(1000);
  for (const remote of early.slice(0, 15)) remote.put(encoder.putInterested);
  await swarm.world.advance(30_000);
  const late = crowd(swarm, 'too early', 3, 100, to);
  await swarm.world.advance(1000);
  expect(late.every((remote) => remote.isClosed)).toBe(true);
  await swarm.world.advance(40_000);
  const more = crowd(swarm, 'late', 8, 150, to);
  await swarm.world.advance(1000);
  expect(torrent.snapshot().peers).toBe(20);
  expect(early.slice(0, 15).some((remote) => remote.isClosed)).toBe(false);
  expect(early.slice(15).every((remote) => remote.isClosed)).toBe(true);
  expect(more.filter((remote) => !remote.isClosed).length).toBe(5);
  for (const remote of [...early, ...late, ...more]) remote.stream.destroy();
  await swarm.world.run(session.close({ deadlineMs: 1000 }));
  await swarm.close();
});

it('connections that say nothing keep nobody out, from one address or from many', async () => {
  const swarm = await SimSwarm.make({ seed: 1, lengthBytes: MIB, pieceLengthBytes: 131072 });
  const source = await swarm.seed(swarm.host('seed', FAST));
  const to = source.session.listening[0]!;
  const silent: ByteStream[] = [];
  for (let i = 0; i < 40; i++) {
    const host = swarm.host(`silent ${i}`, FAST);
    for (let j = 0; j < (i === 0 ? 200 : 8); j++) {
      const stream = host.env.sockets.connect(to);
      stream.attach({ onOpen: () => undefined, onChunk: () => undefined, onClose: () => undefined });
      silent.push(stream);
    }
  }
  await swarm.world.advance(1000);
  const [honest] = crowd(swarm, 'honest', 1, 0, to);
  await swarm.world.advance(1000);
  expect(honest!.isClosed).toBe(false);
  expect(source.torrent.snapshot().peers).toBe(1);
  for (const stream of [...silent, honest!.stream]) stream.destroy();
  await swarm.close();
});

it('nobody takes the place of a peer by saying to be it', async () => {
  const swarm = await SimSwarm.make({ seed: 1, lengthBytes: MIB, pieceLengthBytes: 131072 });
  const options = { infoHash: swarm.metainfo.info.infoHashV1!, id: 1 };
  const honest: RawPeer[] = [];
  const host = swarm.host('honest', FAST);
  const at = await swarm.world.run(RawPeer.listen(host, PORT, options, honest));
  const source = await swarm.seed(swarm.host('seed', FAST), { peers: [at] });
  await swarm.world.advance(1000);
  const liar = RawPeer.dial(swarm.host('liar', FAST), source.session.listening[0]!, options);
  await swarm.world.advance(1000);
  expect([honest[0]!.isClosed, liar.isClosed]).toEqual([false, true]);
  host.crash();
  await swarm.close();
});
