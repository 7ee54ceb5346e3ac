// Remotes that do what no honest client would: each may cost what it brings, and no more.

import { describe, expect, it, vi } from 'vitest';
import { concatBytes } from '../../src/base/bytes.ts';
import { encode as encodeBencode } from '../../src/bencode/encode.ts';
import { Outbox } from '../../src/peer/outbox.ts';
import { ContentReader } from '../../src/storage/read.ts';
import { Upload } from '../../src/torrent/upload.ts';
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

it('one that says again and again to have nothing is closed, but bitfields may be many', async () => {
  const swarm = await SimSwarm.make({ seed: 1, lengthBytes: MIB, pieceLengthBytes: 16384 });
  const source = await swarm.seed(swarm.host('seed', FAST));
  const remote = RawPeer.dial(swarm.host('remote', FAST), source.session.listening[0]!, {
    infoHash: swarm.metainfo.info.infoHashV1!,
    id: 1,
    ready: (peer) => {
      peer.send(repeated(message(encoder.putHaveNone), 4));
      peer.send(repeated(encoder.encodeBitfield(new Uint8Array(8)), 100));
    },
  });
  await swarm.world.advance(1000);
  expect(remote.isClosed).toBe(false);
  remote.put(encoder.putHaveNone);
  await swarm.world.advance(1000);
  expect(remote.isClosed).toBe(true);
  await swarm.close();
});

/** A remote that has everything and answers requests as it is told. */
function giver(swarm: SimSwarm, answer: (peer: RawPeer, piece: number, begin: number, length: number) => void) {
  return {
    infoHash: swarm.metainfo.info.infoHashV1!,
    id: 1,
    ready: (peer: RawPeer) => {
      peer.put(encoder.putHaveAll);
      peer.put(encoder.putUnchoke);
    },
    heard: (peer: RawPeer, name: string, args: readonly unknown[]) => {
      if (name === 'Request') answer(peer, args[0] as number, args[1] as number, args[2] as number);
    },
  };
}

it('one that sends a byte of a block now and then keeps it from nobody', async () => {
  const swarm = await SimSwarm.make({ seed: 1, lengthBytes: MIB, pieceLengthBytes: 131072 });
  const source = await swarm.seed(swarm.host('seed', FAST));
  const host = swarm.host('remote', FAST);
  let isBegun = false;
  const trickle = (peer: RawPeer): void => {
    if (peer.isClosed) return;
    peer.send(new Uint8Array(1));
    host.env.clock.after(500, () => trickle(peer));
  };
  const options = giver(swarm, (peer, piece, begin, length) => {
    if (isBegun) return;
    isBegun = true;
    peer.sendBlock(piece, begin, new Uint8Array(length), 0);
    trickle(peer);
  });
  const remote = await swarm.world.run(RawPeer.listen(host, 7000, options));
  const leech = await swarm.leech(swarm.host('leech', FAST), [], { peers: [remote] });
  await swarm.world.advance(2000);
  leech.torrent.addPeers(source.session.listening);
  const beganMs = swarm.world.nowMs;
  await swarm.complete([leech]);
  expect(isBegun).toBe(true);
  expect(swarm.world.nowMs - beganMs).toBeLessThan(10_000);
  expect(leech.torrent.snapshot().wastedBytes).toBeLessThan(65536);
});

it('one that forgot what it was asked for is asked again', async () => {
  const swarm = await SimSwarm.make({ seed: 1, lengthBytes: 65536, pieceLengthBytes: 16384 });
  let dropped = 0;
  const options = giver(swarm, (peer, piece, begin, length) => {
    const at = piece * 16384 + begin;
    if (dropped < 4) dropped++;
    else peer.sendBlock(piece, begin, swarm.content.subarray(at, at + length));
  });
  const remote = await swarm.world.run(RawPeer.listen(swarm.host('remote', FAST), 7000, options));
  const leech = await swarm.leech(swarm.host('leech', FAST), [], { peers: [remote] });
  await swarm.complete([leech], 60_000);
  expect(dropped).toBe(4);
});

it('a line of 500 bytes a second brings blocks, if slowly', async () => {
  const swarm = await SimSwarm.make({ seed: 1, lengthBytes: 32768, pieceLengthBytes: 16384 });
  const host = swarm.host('remote', FAST);
  const queue: Uint8Array[] = [];
  const options = giver(swarm, (peer, piece, begin, length) => {
    const block = new Uint8Array(encoder.PIECE_HEADER_BYTES + length);
    encoder.putPieceHeader(block, 0, piece, begin, length);
    block.set(swarm.content.subarray(piece * 16384 + begin).subarray(0, length), encoder.PIECE_HEADER_BYTES);
    for (let at = 0; at < block.length; at += 500) queue.push(block.subarray(at, at + 500));
    if (queue.length < 40) drain(peer);
  });
  const drain = (peer: RawPeer): void => {
    const next = queue.shift();
    if (!next) return;
    peer.send(next);
    host.env.clock.after(1000, () => drain(peer));
  };
  const remote = await swarm.world.run(RawPeer.listen(host, 7000, options));
  const leech = await swarm.leech(swarm.host('leech', FAST), [], { peers: [remote] });
  await swarm.complete([leech], 120_000);
  expect(leech.torrent.snapshot().wastedBytes).toBe(0);
});

it('a seed does not dial seeds', async () => {
  const swarm = await SimSwarm.make({ seed: 1, lengthBytes: MIB, pieceLengthBytes: 131072 });
  const source = await swarm.seed(swarm.host('seed', FAST));
  const host = swarm.host('leech', FAST);
  const leech = await swarm.leech(host, [source]);
  await swarm.complete([leech]);
  const slow = swarm.host('slow', { upBytesPerSecond: 1000, downBytesPerSecond: 1000, latencyMs: 5 });
  await swarm.leech(slow, [leech]);
  const dial = vi.spyOn(host.env.sockets, 'connect');
  await swarm.world.advance(60_000);
  expect(leech.torrent.snapshot().peers).toBe(1);
  expect(dial).not.toHaveBeenCalled();
  await swarm.close();
});

/** What one session thinks of a remote that sends this once it is connected, and how often it looked at `method`. */
async function flood(swarm: SimSwarm, bytes: Uint8Array, chunks: number, advanceMs = 3000) {
  const banned: string[] = [];
  const log = {
    write: (_: unknown, text: string, fields?: { why?: unknown }) =>
      void (text === 'peer closed' && banned.push(String(fields?.why))),
  };
  const source = await swarm.seed(swarm.host('seed', { ...FAST, log }));
  const { infoHashV1, infoHashV2 } = swarm.metainfo.info;
  const remote = RawPeer.dial(swarm.host('remote', FAST), source.session.listening[0]!, {
    infoHash: (infoHashV1 ?? infoHashV2!).subarray(0, 20),
    id: 1,
    v2: infoHashV1 === null,
    ready: (peer) => {
      for (let i = 0; i < chunks; i++) peer.send(bytes);
    },
  });
  await swarm.world.advance(advanceMs);
  return { why: banned[0] ?? null, remote, source };
}

describe('a remote whose messages cost us more than it', () => {
  const interest = concatBytes([message(encoder.putInterested), message(encoder.putNotInterested)]);
  const cancel = message(encoder.putCancel, 1, 0, 16384);
  const extended = encoder.encodeExtended(0, encodeBencode({ m: {} }));
  it.each([
    ['takes its interest back again and again', interest, 200_000],
    ['cancels what it never asked for', cancel, 600_000],
    ['chokes and unchokes', concatBytes([message(encoder.putUnchoke), message(encoder.putChoke)]), 30_000],
    ['refuses what it was never asked for', message(encoder.putReject, 1, 0, 16384), 300_000],
    ['sends bytes that nobody asked for', Uint8Array.of(0, 0, 0, 10, 7, 0, 0, 0, 0, 0, 0, 0, 0, 1), 300_000],
    ['shakes hands again and again', extended, 30_000],
    ['sends bitfield after bitfield', encoder.encodeBitfield(new Uint8Array(8)), 500_000],
  ])('is closed with that reason where it %s', async (_what, bytes, count) => {
    const swarm = await SimSwarm.make({ seed: 1, lengthBytes: MIB, pieceLengthBytes: 16384 });
    const { why, remote } = await flood(swarm, repeated(bytes, count), 1);
    expect(why).toContain('its messages cost too much');
    remote.stream.destroy();
    await swarm.close();
  });

  it('is closed where hashes that nobody asked for come again and again', async () => {
    const swarm = await SimSwarm.make({ seed: 1, lengthBytes: MIB, pieceLengthBytes: 16384, meta: 'v2' });
    const { files } = swarm.metainfo.info;
    const query = { piecesRoot: files[0]!.piecesRoot!, baseLayer: 0, index: 0, length: 2, proofLayers: 0 };
    const { why, remote } = await flood(swarm, repeated(encoder.encodeHashes(query, new Uint8Array(64)), 120_000), 1);
    expect(why).toContain('its messages cost too much');
    remote.stream.destroy();
    await swarm.close();
  });

  it('is refused hashes that have to be read beyond a share of our time', async () => {
    const swarm = await SimSwarm.make({ seed: 1, lengthBytes: 8 * MIB, pieceLengthBytes: 4 * MIB, meta: 'v2' });
    const source = await swarm.seed(swarm.host('seed', FAST));
    const { files, infoHashV2 } = swarm.metainfo.info;
    const query = { piecesRoot: files[0]!.piecesRoot!, baseLayer: 0, index: 0, length: 256, proofLayers: 0 };
    let [answers, refusals] = [0, 0];
    const ask = (peer: RawPeer): void => peer.send(encoder.encodeHashRequest(query));
    const remote = RawPeer.dial(swarm.host('remote', FAST), source.session.listening[0]!, {
      infoHash: infoHashV2!.slice(0, 20),
      id: 1,
      v2: true,
      ready: ask,
      heard: (peer, name) => {
        if (name === 'Hashes') answers++;
        else if (name === 'HashReject') refusals++;
        else return;
        ask(peer);
      },
    });
    await swarm.world.advance(20_000);
    expect(answers).toBeGreaterThan(100);
    expect(answers).toBeLessThan(500);
    expect(refusals).toBeGreaterThan(answers);
    remote.stream.destroy();
    await swarm.close();
  });
});

it('interest is decided upon once a turn', async () => {
  const swarm = await SimSwarm.make({ seed: 1, lengthBytes: MIB, pieceLengthBytes: 16384 });
  const decide = vi.spyOn(Upload.prototype, 'onInterest');
  const toggles = concatBytes([message(encoder.putNotInterested), message(encoder.putInterested)]);
  const { remote, source } = await flood(swarm, repeated(toggles, 10_000), 1);
  expect(decide.mock.calls.length).toBeLessThan(100);
  expect(source.torrent.snapshot().peerList[0]).toMatchObject({ isInterested: true, amChoking: false });
  decide.mockRestore();
  remote.stream.destroy();
  await swarm.close();
});
