// Who keeps company with whom: whom a seed dials, who is let in and who goes when there is no room.

import { expect, it, vi } from 'vitest';
import { Address } from '../../src/base/address.ts';
import { TrackerClient } from '../../src/tracker/client/client.ts';
import { TrackerServer } from '../../src/tracker/server/server.ts';
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
