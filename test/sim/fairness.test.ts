// What a capped seed gives is shared alike among its leeches, and hardly any of it is given twice.

import { expect, it } from 'vitest';
import { type Member, SimSwarm } from './swarm.ts';

const MIB = 1 << 20;

it.each([51, 52, 53, 54])('a seed with a rate limit serves three leeches alike (seed %i)', async (seed) => {
  const lengthBytes = 3 * MIB;
  const swarm = await SimSwarm.make({ seed, lengthBytes, pieceLengthBytes: 16384 });
  const source = await swarm.seed(swarm.host('seed'), { maxUploadBytesPerSecond: 600_000 });
  const leeches: Member[] = [];
  for (let i = 0; i < 3; i++) {
    const limit = { maxUploadBytesPerSecond: 120_000 };
    leeches.push(await swarm.leech(swarm.host(`leech ${i}`), [source, ...leeches], limit));
  }
  for (let seconds = 0; seconds < 60 && source.torrent.snapshot().uploadedBytes < lengthBytes; seconds++) {
    await swarm.world.advance(1000);
  }
  const given = source.torrent.snapshot().peerList.map((peer) => peer.uploadedBytes);
  expect(given).toHaveLength(3);
  expect(Math.max(...given)).toBeLessThan(1.5 * Math.min(...given));
  const out = new Set(leeches.flatMap(({ torrent }) => piecesOf(torrent)));
  expect(out.size).toBeGreaterThan((0.8 * lengthBytes) / 16384);
  await swarm.complete(leeches);
  await swarm.close();
});

function piecesOf(torrent: Member['torrent']): number[] {
  const pieces: number[] = [];
  torrent.verifiedPieces()!.forEach((piece) => {
    pieces.push(piece);
  });
  return pieces;
}
