// A concrete --listen address: everything leaves from it.

import { createSocket } from 'node:dgram';
import { readFile } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { afterEach, describe, expect } from 'vitest';
import { encode } from '../../src/bencode/encode.ts';
import { get, it, json, startReady, startTracker, until, writeFiles } from './stage.ts';

const OWN = '127.0.0.7';
/** Only Linux has all of 127.0.0.0/8 without being asked. */
const onLinux = process.platform === 'linux';

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** A peer that only notes where connections come from. */
async function startPeer(seen: Set<string>): Promise<{ address: string; compact: Uint8Array }> {
  const server = createServer((socket) => {
    seen.add(`peer ${socket.remoteAddress}`);
    socket.on('error', () => undefined).destroy();
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  closers.push(() => server.close());
  const { port } = server.address() as AddressInfo;
  return { address: `127.0.0.1:${port}`, compact: Uint8Array.of(127, 0, 0, 1, port >> 8, port & 255) };
}

/** A web server: a tracker that names one peer, and a torrent file to be fetched. */
async function startWeb(seen: Set<string>, peers: Uint8Array, file: () => Promise<Uint8Array>): Promise<string> {
  const server = createHttpServer((request, response) => {
    seen.add(`${request.url!.split('?')[0]} ${request.socket.remoteAddress}`);
    if (request.url!.startsWith('/announce')) response.end(encode({ interval: 1800, peers }));
    else void file().then((bytes) => response.end(bytes));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  closers.push(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A UDP tracker that notes where a packet comes from and answers the first one (BEP 15), to see the announce, too. */
async function startDatagrams(seen: Set<string>): Promise<string> {
  const socket = createSocket('udp4', (packet, from) => {
    seen.add(`udp action ${packet.readUInt32BE(8)} ${from.address}`);
    if (packet.readUInt32BE(8) !== 0) return;
    const reply = Buffer.alloc(16);
    packet.copy(reply, 4, 12, 16);
    socket.send(reply, from.port, from.address);
  });
  await new Promise<void>((done) => socket.bind(0, '127.0.0.1', done));
  closers.push(() => socket.close());
  return `udp://127.0.0.1:${socket.address().port}`;
}

describe.runIf(onLinux)('a concrete --listen address', () => {
  it('is where connections to peers, announces by HTTP and UDP, and requests for torrent files leave from', async ({
    place,
  }) => {
    const seen = new Set<string>();
    const peer = await startPeer(seen);
    const udp = await startDatagrams(seen);
    await writeFiles(place.folder, { content: 100_000 });
    const web = await startWeb(seen, peer.compact, () => readFile(place.path('content.torrent')));
    await place.run('create', 'content', '--tracker', `${web}/announce`);
    await place.run('create', 'content', '--tracker', udp, '-o', 'udp.torrent');
    const args = ['--listen', `${OWN}:0`, '--keep-seeding', '-o', 'here'];
    const first = await startReady(place, 'a', 'get', `${web}/content.torrent`, ...args);
    expect(first.ready.listen).toEqual([expect.stringMatching(/^127\.0\.0\.7:\d+$/)]);
    await startReady(place, 'b', 'get', 'udp.torrent', ...args);
    await until('all have heard of it', () => seen.size >= 5);
    expect([...seen].sort()).toEqual([
      `/announce ${OWN}`,
      `/content.torrent ${OWN}`,
      `peer ${OWN}`,
      `udp action 0 ${OWN}`,
      `udp action 1 ${OWN}`,
    ]);
  });

  it('is where others find it', async ({ place }) => {
    await writeFiles(place.folder, { content: 100_000 });
    const { url } = await startTracker(place);
    await place.run('create', 'content', '--tracker', url);
    const { address } = await startReady(place, 'a', 'seed', 'content.torrent', 'content', '--listen', `${OWN}:0`);
    expect(json(await place.run('peers', 'content.torrent', '--json'))).toMatchObject({ trackers: [{ seeds: 1 }] });
    const asked = json(await place.run('peers', 'content.torrent', '--json'));
    expect(JSON.stringify(asked.peers)).toContain(address);
    expect(json(await get(place, 'leech', 'content.torrent', '-o', 'here'))).toMatchObject({ peers: 1 });
  });
});
