// Remotes that do what no honest client would: each may cost what it brings, and no more.

import { expect, it, vi } from 'vitest';
import { Outbox } from '../../src/peer/outbox.ts';
import { ContentReader } from '../../src/storage/read.ts';
import * as encoder from '../../src/wire/encoder.ts';
import { message, RawPeer, repeated } from './raw-peer.ts';
import { SimSwarm } from './swarm.ts';

const MIB = 1 << 20;
const FAST = { upBytesPerSecond: 50_000_000, downBytesPerSecond: 50_000_000, latencyMs: 5 };

it('requests of odd sizes are read a few at a time', async () => {
  const swarm = await SimSwarm.make({ seed: 1, lengthBytes: 4 * MIB, pieceLengthBytes: MIB });
  const source = await swarm.seed(swarm.host('seed', FAST));
  let reading = 0;
  let most = 0;
  const { readRange } = ContentReader.prototype;
  const spy = vi.spyOn(ContentReader.prototype, 'readRange').mockImplementation(async function (
    this: ContentReader,
    ...range
  ) {
    most = Math.max(most, ++reading);
    return readRange.apply(this, range).finally(() => reading--);
  });
  const remote = RawPeer.dial(swarm.host('remote', FAST), source.session.listening[0]!, {
    infoHash: swarm.metainfo.info.infoHashV1!,
    id: 1,
    ready: (peer) => peer.put(encoder.putInterested),
    heard: (peer, name) => {
      if (name === 'Unchoke') peer.send(repeated(message(encoder.putRequest, 1, 0, 131072), 1000));
    },
  });
  await swarm.world.advance(10_000);
  spy.mockRestore();
  expect(most).toBeLessThan((4 * MIB) / 131072 + 2);
  expect(remote.heardBytes).toBeGreaterThan(500 * 131072);
  remote.stream.destroy();
  await swarm.close();
});

it('requests of odd sizes keep to the rate limit', async () => {
  const swarm = await SimSwarm.make({ seed: 1, lengthBytes: 4 * MIB, pieceLengthBytes: MIB });
  const source = await swarm.seed(swarm.host('seed', FAST), { maxUploadBytesPerSecond: 200_000 });
  const remote = RawPeer.dial(swarm.host('remote', FAST), source.session.listening[0]!, {
    infoHash: swarm.metainfo.info.infoHashV1!,
    id: 1,
    ready: (peer) => peer.put(encoder.putInterested),
    heard: (peer, name) => {
      if (name === 'Unchoke') peer.send(repeated(message(encoder.putRequest, 1, 0, 131072), 100));
    },
  });
  await swarm.world.advance(10_000);
  expect(remote.heardBytes).toBeGreaterThan(1_800_000);
  expect(remote.heardBytes).toBeLessThan(2_300_000);
  remote.stream.destroy();
  await swarm.close();
});

it('one that asks and does not read is closed', async () => {
  const swarm = await SimSwarm.make({ seed: 1, lengthBytes: MIB, pieceLengthBytes: 131072 });
  const source = await swarm.seed(swarm.host('seed', FAST));
  const remote = RawPeer.dial(swarm.host('remote', FAST), source.session.listening[0]!, {
    infoHash: swarm.metainfo.info.infoHashV1!,
    id: 1,
    ready: (peer) => {
      peer.stream.pause();
      for (let i = 0; i < 12; i++) peer.send(repeated(message(encoder.putRequest, 1, 0, 16384), 100_000));
    },
  });
  await swarm.world.advance(200);
  expect(source.torrent.snapshot().peers).toBe(1);
  await swarm.world.advance(5000);
  expect(source.torrent.snapshot().peers).toBe(0);
  remote.stream.destroy();
  await swarm.close();
});

it('hashes are refused to one that does not read them', async () => {
  const swarm = await SimSwarm.make({ seed: 1, lengthBytes: 16 * MIB, pieceLengthBytes: 16384, meta: 'v2' });
  const source = await swarm.seed(swarm.host('seed', FAST));
  const { infoHashV2, files } = swarm.metainfo.info;
  const query = { piecesRoot: files[0]!.piecesRoot!, baseLayer: 0, index: 0, length: 512, proofLayers: 0 };
  let most = 0;
  const say = Outbox.prototype.message;
  const spy = vi.spyOn(Outbox.prototype, 'message').mockImplementation(function (this: Outbox, bytes) {
    say.call(this, bytes);
    most = Math.max(most, this.pendingBytes);
  });
  const remote = RawPeer.dial(swarm.host('remote', FAST), source.session.listening[0]!, {
    infoHash: infoHashV2!.slice(0, 20),
    id: 1,
    v2: true,
    ready: (peer) => {
      peer.stream.pause();
      peer.send(repeated(encoder.encodeHashRequest(query), 1000));
    },
  });
  await swarm.world.advance(2000);
  spy.mockRestore();
  expect(most).toBeGreaterThan(4 * MIB);
  expect(most).toBeLessThan(5 * MIB);
  remote.stream.destroy();
  await swarm.close();
});
