// A magnet link whose metadata some peers lie about, refuse or never send.

import { expect, it } from 'vitest';
import type { Magnet } from '../../src/metainfo/types.ts';
import * as encoder from '../../src/wire/encoder.ts';
import { encodeExtendedHandshake } from '../../src/wire/extended.ts';
import type { HashQuery } from '../../src/wire/hash-query.ts';
import { decodeMetadata, encodeMetadataData, encodeMetadataReject } from '../../src/wire/metadata.ts';
import { RawPeer } from './raw-peer.ts';
import { SimSwarm } from './swarm.ts';

const MIB = 1 << 20;
const FAST = { upBytesPerSecond: 50_000_000, downBytesPerSecond: 50_000_000, latencyMs: 5 };
const NEAR = { ...FAST, latencyMs: 1 };
const THEIR_ID = 3;
const OUR_ID = 1;

type Answer = 'good' | 'bad' | 'reject' | 'silence';

const claim = (metadataBytes: number): Uint8Array =>
  encoder.encodeExtended(0, encodeExtendedHandshake({ ids: new Map([['ut_metadata', THEIR_ID]]), metadataBytes }));

/** A remote that has metadata, and answers the n-th request as it is told. */
function remote(
  swarm: SimSwarm,
  answer: (request: number) => Answer,
  ready: (peer: RawPeer) => void = () => undefined,
) {
  const { infoHashV1, infoHashV2, bytes } = swarm.metainfo.info;
  let requests = 0;
  return {
    infoHash: (infoHashV1 ?? infoHashV2)!.slice(0, 20),
    id: 1,
    v2: infoHashV2 !== null,
    ready: (peer: RawPeer) => {
      peer.send(claim(bytes.length));
      ready(peer);
    },
    heard: (peer: RawPeer, name: string, args: readonly unknown[]) => {
      const asked = name === 'Extended' && args[0] === THEIR_ID ? decodeMetadata(args[1] as Uint8Array) : null;
      if (asked?.kind !== 'request') return;
      const how = answer(requests++);
      const data = bytes.slice(asked.piece * 16384, (asked.piece + 1) * 16384);
      if (how === 'bad') data.fill(0);
      const message = how === 'reject' ? encodeMetadataReject : null;
      if (message) peer.send(encoder.encodeExtended(OUR_ID, message(asked.piece)));
      else if (how !== 'silence') {
        peer.send(encoder.encodeExtended(OUR_ID, encodeMetadataData(asked.piece, bytes.length, data)));
      }
    },
  };
}

function magnet(swarm: SimSwarm): Magnet {
  const { infoHashV1, infoHashV2 } = swarm.metainfo.info;
  const none = { name: null, lengthBytes: null, trackers: [], webSeeds: [], peers: [], select: null };
  return { ...none, infoHashV1, infoHashV2 } as unknown as Magnet;
}

it.each([
  ['sends one bad piece and no more', (request: number): Answer => (request === 0 ? 'bad' : 'silence')],
  ['sends bad pieces only', (): Answer => 'bad'],
  ['never answers', (): Answer => 'silence'],
])('among honest peers one that %s is got round', async (_what, answer) => {
  const swarm = await SimSwarm.make({ seed: 1, lengthBytes: 16 * MIB, pieceLengthBytes: 16384 });
  const honest = [await swarm.seed(swarm.host('one', FAST)), await swarm.seed(swarm.host('two', FAST))];
  const liar = await swarm.world.run(RawPeer.listen(swarm.host('liar', NEAR), 7000, remote(swarm, answer)));
  const peers = [liar, ...honest.flatMap((member) => member.session.listening)];
  const leech = await swarm.join(swarm.host('leech', FAST), { saveFolder: '/got', magnet: magnet(swarm), peers });
  await swarm.world.run(leech.torrent.metadata(), 60_000);
  await swarm.complete([leech]);
});

it('one that claims ever new lengths does not keep the true one out', async () => {
  const swarm = await SimSwarm.make({ seed: 1, lengthBytes: 64 * MIB, pieceLengthBytes: 16384 });
  const honest = await swarm.seed(swarm.host('honest', { ...FAST, upBytesPerSecond: 100_000 }));
  const host = swarm.host('liar', NEAR);
  let claims = 0;
  const goOn = (peer: RawPeer): void => {
    if (peer.isClosed) return;
    peer.send(claim(60 * MIB + claims++));
    host.env.clock.after(50, () => goOn(peer));
  };
  const silent = remote(swarm, () => 'silence', goOn);
  const liar = await swarm.world.run(RawPeer.listen(host, 7000, silent));
  const peers = [liar, ...honest.session.listening];
  const leech = await swarm.join(swarm.host('leech', FAST), { saveFolder: '/got', magnet: magnet(swarm), peers });
  await swarm.world.run(leech.torrent.metadata(), 30_000);
  expect(claims).toBeGreaterThan(5);
  expect(leech.torrent.snapshot().name).toBe('content.bin');
});

it('the only one is asked again when it refused once', async () => {
  const swarm = await SimSwarm.make({ seed: 1, lengthBytes: MIB, pieceLengthBytes: 16384 });
  const options = remote(swarm, (request) => (request === 0 ? 'reject' : 'good'));
  const only = await swarm.world.run(RawPeer.listen(swarm.host('only', FAST), 7000, options));
  const request = { saveFolder: '/got', magnet: magnet(swarm), peers: [only] };
  const leech = await swarm.join(swarm.host('leech', FAST), request);
  await swarm.world.run(leech.torrent.metadata(), 60_000);
});

it('hashes that everybody refuses are asked for now and then, not as fast as they are refused', async () => {
  const swarm = await SimSwarm.make({ seed: 1, lengthBytes: 64 * MIB, pieceLengthBytes: 16384, meta: 'v2' });
  const options = remote(swarm, () => 'good');
  let asked = 0;
  const heard = (peer: RawPeer, name: string, args: readonly unknown[]): void => {
    options.heard(peer, name, args);
    if (name !== 'HashRequest') return;
    asked++;
    peer.send(encoder.encodeHashReject(args[0] as HashQuery));
  };
  const only = await swarm.world.run(RawPeer.listen(swarm.host('only', FAST), 7000, { ...options, heard }));
  const request = { saveFolder: '/got', magnet: magnet(swarm), peers: [only] };
  await swarm.join(swarm.host('leech', FAST), request);
  await swarm.world.advance(20_000);
  expect(asked).toBeGreaterThan(8);
  expect(asked).toBeLessThan(50);
});
