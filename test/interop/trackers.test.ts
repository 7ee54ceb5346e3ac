// Shoal and the clients of others find each other through opentracker, bittorrent-tracker and Shoal's own tracker.
// Who comes last connects: here it is the others who connect to Shoal's seed.

import { expect, it } from 'vitest';
import { aria2 } from './harness/aria2.ts';
import type { Client } from './harness/client.ts';
import { type Content, describeContent, expectSameContent, makeFile } from './harness/content.ts';
import { libtorrent } from './harness/libtorrent.ts';
import { interop, ownNetwork } from './harness/needs.ts';
import { createTorrent, getWithShoal, knownToTrackers, seedWithShoal } from './harness/shoal.ts';
import { onStage, type Stage } from './harness/stage.ts';
import { bittorrentTracker, opentracker, shoalTracker, type Tracker, type Way } from './harness/trackers.ts';
import { transmission } from './harness/transmission.ts';

const CLIENTS = [transmission, aria2, libtorrent];

/** aria2 asks UDP trackers over IPv4 alone, and Transmission 3 takes what they answer for addresses of IPv4. */
function clientsOf({ protocol, family }: Way): readonly Client[] {
  return protocol === 'udp' && family === 'IPv6' ? [libtorrent] : CLIENTS;
}

interface Shared {
  readonly content: Content;
  readonly file: string;
}

async function shareThrough(stage: Stage, tracker: Tracker, protocol: string): Promise<Shared> {
  const content = await makeFile(await stage.newFolder('source'));
  const place = stage.network.place();
  const { file, infoHashV1 } = await createTorrent(stage, content.path, [
    '--tracker',
    `${protocol}://${place.text}/announce`,
  ]);
  await tracker.start(stage, place, [infoHashV1!]);
  return { content, file };
}

for (const tracker of [opentracker, bittorrentTracker, shoalTracker]) {
  const needs = [ownNetwork, tracker.need, ...CLIENTS.map((client) => client.need)];
  interop(`through ${tracker.name}`, needs, () => {
    it.each(tracker.ways)('clients find a seed of shoal over $protocol, $family', (way) =>
      onStage(async (stage) => {
        const { content, file } = await shareThrough(stage, tracker, way.protocol);
        const seed = await seedWithShoal(stage, file, content.path);
        await knownToTrackers(stage, file, seed.place);
        await Promise.all(
          clientsOf(way).map(async (client) => {
            const parent = await stage.newFolder('target');
            const leech = await client.leech(stage, { source: file, parent });
            await leech.completed();
            await expectSameContent(content.parent, parent, client.habits);
          }),
        );
      }, way.family),
    );

    it.each(tracker.ways)('shoal finds the seeds of clients over $protocol, $family', (way) =>
      onStage(async (stage) => {
        const { content, file } = await shareThrough(stage, tracker, way.protocol);
        const seeds = clientsOf(way).map((client) => client.seed(stage, { torrent: file, parent: content.parent }));
        for (const seed of await Promise.all(seeds)) await knownToTrackers(stage, file, seed.place);
        const target = await stage.newFolder('target');
        const get = await getWithShoal(stage, file, target);
        await get.finished();
        expect(await describeContent(target)).toEqual(await describeContent(content.parent));
      }, way.family),
    );
  });
}
