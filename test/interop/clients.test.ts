// Shoal fetches from and seeds to the clients of others: a single file and an awkward folder, v1, by torrent file.
// Shoal is the one that connects; with trackers (trackers.test.ts) it is the others.

import { expect, it } from 'vitest';
import { aria2 } from './harness/aria2.ts';
import { type Content, describeContent, expectSameContent, makeFile, makeFolder } from './harness/content.ts';
import { libtorrent } from './harness/libtorrent.ts';
import { interop, ownNetwork } from './harness/needs.ts';
import { createTorrent, getWithShoal, seedWithShoal } from './harness/shoal.ts';
import { onStage } from './harness/stage.ts';
import { transmission } from './harness/transmission.ts';

const CONTENTS: readonly [string, (parent: string) => Promise<Content>][] = [
  ['a single file', (parent) => makeFile(parent)],
  ['a folder with empty files and names in many scripts', (parent) => makeFolder(parent)],
];

for (const client of [transmission, aria2, libtorrent]) {
  interop(`shoal and ${client.name}`, [ownNetwork, client.need], () => {
    it.each(CONTENTS)('shoal fetches %s', (_, make) =>
      onStage(async (stage) => {
        const [source, target] = [await stage.newFolder('source'), await stage.newFolder('target')];
        const content = await make(source);
        const { file } = await createTorrent(stage, content.path);
        const seed = await client.seed(stage, { torrent: file, parent: source });
        const get = await getWithShoal(stage, file, target, { peers: [seed.place.text] });
        const report = await get.finished();
        expect(report.verified).toBe(report.pieces);
        expect(await describeContent(target)).toEqual(await describeContent(source));
      }),
    );

    it.each(CONTENTS)('shoal seeds %s', (_, make) =>
      onStage(async (stage) => {
        const [source, target] = [await stage.newFolder('source'), await stage.newFolder('target')];
        const content = await make(source);
        const { file } = await createTorrent(stage, content.path);
        const leech = await client.leech(stage, { source: file, parent: target });
        const seed = await seedWithShoal(stage, file, content.path, { peers: [leech.place.text] });
        await leech.completed();
        await expectSameContent(source, target, client.habits);
        expect(await seed.program.stop()).toBe(0);
      }),
    );
  });
}
