// bittorrent-tracker's client, the one that WebTorrent has, finds others through Shoal's tracker.

import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { bittorrentTrackerHere, interop, ownNetwork } from './harness/needs.ts';
import type { Place } from './harness/network.ts';
import type { Program } from './harness/program.ts';
import { trackWithShoal } from './harness/shoal.ts';
import { onStage, type Stage } from './harness/stage.ts';
import { npmPeersFolder } from './npm/install.mjs';

const CLIENT = fileURLToPath(new URL('./peers/tracker_client.mjs', import.meta.url));
/** Bytes of all kinds, as hexadecimal digits. */
const INFO_HASH = 'aa80ff00225c0a7fc3c3aa80ff00225c0a7fc3c3';
const peerId = (n: number): string => `2d5757303030312d${'80ff220c5c00aa'}${String(n).padStart(10, '0')}`;

function start(stage: Stage, url: string, n: number, left: number): Program {
  const module = new URL('node_modules/bittorrent-tracker/client.js', npmPeersFolder()).href;
  const options = { infoHash: INFO_HASH, peerId: peerId(n), announce: [url], left, port: portOf(n) };
  return stage.start(`client ${n}`, process.execPath, [CLIENT, module, JSON.stringify(options)]);
}

const portOf = (n: number): number => 6880 + n;

/** Where a tracker is to serve, and where clients of this machine are seen to come from. */
function placeOf(stage: Stage, family: string): Place {
  const four = stage.network.localPlace();
  return family === 'IPv4' ? four : { family: 'IPv6', ip: '::1', port: four.port, text: `[::1]:${four.port}` };
}

async function has(stage: Stage, program: Program, event: Record<string, unknown>): Promise<void> {
  await stage.until(`${program.name} to say ${JSON.stringify(event)}`, [program], () =>
    program.said.some((said) => Object.entries(event).every(([key, value]) => said[key] === value)),
  );
}

interop('the client of bittorrent-tracker', [ownNetwork, bittorrentTrackerHere], () => {
  // Over UDP it has IPv4 alone.
  it.each([
    ['http', 'IPv4'],
    ['http', 'IPv6'],
    ['udp', 'IPv4'],
  ])('is told of others and of their number over %s, %s', (protocol, family) =>
    onStage(async (stage) => {
      const place = await trackWithShoal(stage, placeOf(stage, family));
      const url = `${protocol}://${place.text}/announce`;
      const ip = family === 'IPv4' ? place.ip : `[${place.ip}]`;
      const seed = start(stage, url, 1, 0);
      await has(stage, seed, { event: 'update', complete: 1, incomplete: 0 });
      const leech = start(stage, url, 2, 1000);
      await has(stage, leech, { event: 'peer', at: `${ip}:${portOf(1)}` });
      await has(stage, seed, { event: 'peer', at: `${ip}:${portOf(2)}` });
      for (const one of [seed, leech]) {
        // Over HTTP it names the info hash in digits of its digits.
        await has(stage, one, { event: 'scrape', complete: 1, incomplete: 1, downloaded: 0 });
        expect(one.said.filter(({ event }) => event === 'warning' || event === 'error')).toEqual([]);
      }
    }),
  );

  it.each(['IPv4', 'IPv6'])('offers, answers and scrapes over WebSocket, %s', (family) =>
    onStage(async (stage) => {
      const place = await trackWithShoal(stage, placeOf(stage, family));
      const url = `ws://${place.text}/announce`;
      const seed = start(stage, url, 1, 0);
      const leech = start(stage, url, 2, 1000);
      for (const [one, other] of [
        [seed, 2],
        [leech, 1],
      ] as const) {
        await has(stage, one, { event: 'offer', sdp: `v=0\r\noffer of ${peerId(other)}` });
        await has(stage, one, { event: 'answer', sdp: `v=0\r\nanswer of ${peerId(other)}` });
        await has(stage, one, { event: 'update', complete: 1, incomplete: 1 });
        await has(stage, one, { event: 'scrape', infoHash: INFO_HASH, complete: 1, incomplete: 1, downloaded: 0 });
      }
      await seed.stop();
      await stage.until('the seed to be gone', [leech], () => {
        const last = leech.said.findLast(({ event }) => event === 'update');
        return last?.complete === 0 && last.incomplete === 1;
      });
      expect(leech.said.filter(({ event }) => event === 'warning' || event === 'error')).toEqual([]);
    }),
  );
});
