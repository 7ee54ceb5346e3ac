// Torrents of unusual shapes, fetched as a whole.

import { expect, it } from 'vitest';
import { concatBytes } from '../../src/base/bytes.ts';
import { encode } from '../../src/bencode/encode.ts';
import { parseMetainfo } from '../../src/metainfo/parse.ts';
import type { Metainfo } from '../../src/metainfo/types.ts';
import { noise, sampleTorrent } from '../support/sample-torrents.ts';
import { SimSwarm } from './swarm.ts';

const FAST = { upBytesPerSecond: 50_000_000, downBytesPerSecond: 50_000_000, latencyMs: 5 };

/** A seed and a leech of a folder `n`. */
async function twoMembers(make: (swarm: SimSwarm) => Metainfo, files: ReadonlyMap<string, Uint8Array>, limit?: number) {
  const swarm = await SimSwarm.make({ seed: 1, lengthBytes: 16384, pieceLengthBytes: 16384 });
  const metainfo = make(swarm);
  const host = swarm.host('seed', FAST);
  for (const [path, bytes] of files) host.hands.write(`/share/n/${path}`, bytes);
  const source = await swarm.join(host, { metainfo, mode: 'seed', contentPath: '/share/n' });
  const peers = source.session.listening;
  const leech = await swarm.join(swarm.host('leech', FAST), {
    metainfo,
    saveFolder: '/got',
    peers,
    maxDownloadBytesPerSecond: limit ?? null,
  });
  return { swarm, leech };
}

it('pieces of padding only are taken for there', async () => {
  const data = noise(16384, 1);
  const files = new Map([
    ['a', data],
    ['b', data],
  ]);
  const make = (swarm: SimSwarm): Metainfo => {
    const { hashes } = swarm.world.hosts[0]!.env;
    const [ofData, ofZeros] = [hashes.sha1(data), hashes.sha1(new Uint8Array(16384))];
    const listed = [
      { length: 16384, path: ['a'] },
      { attr: 'p', length: 32768, path: ['.pad', '32768'] },
      { length: 16384, path: ['b'] },
    ];
    const pieces = concatBytes([ofData, ofZeros, ofZeros, ofData]);
    return parseMetainfo(encode({ info: { name: 'n', 'piece length': 16384, pieces, files: listed } }), hashes);
  };
  const { swarm, leech } = await twoMembers(make, files);
  await swarm.world.run(leech.torrent.completed(), 30_000);
  expect(leech.torrent.snapshot()).toMatchObject({ piecesVerified: 4, verifiedBytes: 32768 });
  await swarm.close();
});

it('a rate limit counts the bytes of short blocks, not the blocks', async () => {
  const list = Array.from({ length: 1000 }, (_, i) => ({ path: [`f${1000 + i}`], bytes: noise(1000, i) }));
  const files = new Map(list.map(({ path, bytes }) => [path[0]!, bytes]));
  const make = (swarm: SimSwarm): Metainfo =>
    parseMetainfo(sampleTorrent(list, { kind: 'v2', name: 'n' }).metainfo, swarm.world.hosts[0]!.env.hashes);
  const { swarm, leech } = await twoMembers(make, files, 1_000_000);
  const beganMs = swarm.world.nowMs;
  await swarm.world.run(leech.torrent.completed(), 60_000);
  expect(swarm.world.nowMs - beganMs).toBeGreaterThan(900);
  expect(swarm.world.nowMs - beganMs).toBeLessThan(2000);
  await swarm.close();
});
