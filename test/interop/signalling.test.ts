// bittorrent-tracker's client, the one that WebTorrent has, finds others through Shoal's tracker over WebSocket.

import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { bittorrentTrackerHere, interop, ownNetwork } from './harness/needs.ts';
import type { Place } from './harness/network.ts';
import type { Program } from './harness/program.ts';
import { trackWithShoal } from './harness/shoal.ts';
import { onStage, type Stage } from './harness/stage.ts';
import { npmPeersFolder } from './npm/install.mjs';

const SIGNALLER = fileURLToPath(new URL('./peers/webtorrent_signaller.mjs', import.meta.url));
/** Bytes of all kinds, as hexadecimal digits. */
const INFO_HASH = 'aa80ff00225c0a7fc3c3aa80ff00225c0a7fc3c3';
const peerId = (n: number): string => `2d5757303030312d${'80ff220c5c00aa'}${String(n).padStart(10, '0')}`;

function signaller(stage: Stage, place: Place, n: number, left: number): Program {
  const module = new URL('node_modules/bittorrent-tracker/client.js', npmPeersFolder()).href;
  const options = { infoHash: INFO_HASH, peerId: peerId(n), announce: [`ws://${place.text}/announce`], left };
  return stage.start(`client ${n}`, process.execPath, [SIGNALLER, module, JSON.stringify(options)]);
}

async function has(stage: Stage, program: Program, event: Record<string, unknown>): Promise<void> {
  await stage.until(`${program.name} to say ${JSON.stringify(event)}`, [program], () =>
    program.said.some((said) => Object.entries(event).every(([key, value]) => said[key] === value)),
  );
}

interop('through WebSocket', [ownNetwork, bittorrentTrackerHere], () => {
  it.each(['IPv4', 'IPv6'])('clients of WebTorrent offer, answer and scrape over %s', (family) =>
    onStage(async (stage) => {
      const four = stage.network.place();
      const six: Place = { ip: '::1', port: four.port, text: `[::1]:${four.port}` };
      const place = await trackWithShoal(stage, family === 'IPv6' ? six : four);
      const seed = signaller(stage, place, 1, 0);
      const leech = signaller(stage, place, 2, 1000);
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
