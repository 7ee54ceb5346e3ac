// Magnet links both ways: the metadata travels between Shoal and the clients of others, then the content.

import { join } from 'node:path';
import { expect, it } from 'vitest';
import { aria2 } from './harness/aria2.ts';
import { describeContent, expectSameContent, makeFolder } from './harness/content.ts';
import { leechWithLibtorrent, libtorrent } from './harness/libtorrent.ts';
import { interop, ownNetwork } from './harness/needs.ts';
import { createTorrent, getWithShoal, knownToTrackers, seedWithShoal, trackWithShoal } from './harness/shoal.ts';
import { onStage } from './harness/stage.ts';
import { transmission } from './harness/transmission.ts';

for (const client of [transmission, aria2, libtorrent]) {
  interop(`magnet links between shoal and ${client.name}`, [ownNetwork, client.need], () => {
    it('shoal fetches by magnet link', () =>
      onStage(async (stage) => {
        const [source, target] = [await stage.newFolder('source'), await stage.newFolder('target')];
        const content = await makeFolder(source);
        const { file, magnet } = await createTorrent(stage, content.path);
        const seed = await client.seed(stage, { torrent: file, parent: source });
        const get = await getWithShoal(stage, magnet, target, { peers: [seed.place.text] });
        await get.finished();
        expect(await describeContent(target)).toEqual(await describeContent(source));
      }));

    it('shoal seeds to who has a magnet link', () =>
      onStage(async (stage) => {
        const [source, target] = [await stage.newFolder('source'), await stage.newFolder('target')];
        const content = await makeFolder(source);
        const tracker = await trackWithShoal(stage);
        const { file, magnet } = await createTorrent(stage, content.path, [
          '--tracker',
          `http://${tracker.text}/announce`,
        ]);
        const seed = await seedWithShoal(stage, file, content.path);
        await knownToTrackers(stage, file, seed.place);
        const leech = await client.leech(stage, { source: magnet, parent: target });
        await leech.completed();
        await expectSameContent(source, target, client.habits);
      }));
  });
}

interop('magnet links of v2 and hybrid torrents between shoal and libtorrent', [ownNetwork, libtorrent.need], () => {
  it.each(['v2', 'hybrid'])('shoal fetches by the magnet link of a %s torrent', (meta) =>
    onStage(async (stage) => {
      const [source, target] = [await stage.newFolder('source'), await stage.newFolder('target')];
      const content = await makeFolder(source);
      const { file, magnet, infoHashV1, infoHashV2 } = await createTorrent(stage, content.path, ['--meta', meta]);
      expect(magnet.includes(`xt=urn:btih:${infoHashV1}`)).toBe(meta === 'hybrid');
      expect(magnet).toContain(`xt=urn:btmh:1220${infoHashV2}`);
      const seed = await libtorrent.seed(stage, { torrent: file, parent: source });
      const get = await getWithShoal(stage, magnet, target, { peers: [seed.place.text] });
      await get.finished();
      expect(await describeContent(target)).toEqual(await describeContent(source));
    }),
  );

  it.each(['v2', 'hybrid'])('libtorrent fetches by the magnet link of a %s torrent', (meta) =>
    onStage(async (stage) => {
      const [source, target] = [await stage.newFolder('source'), await stage.newFolder('target')];
      const content = await makeFolder(source);
      const { file, magnet } = await createTorrent(stage, content.path, ['--meta', meta]);
      const seed = await seedWithShoal(stage, file, content.path);
      const leech = await leechWithLibtorrent(stage, { source: magnet, parent: target, peers: [seed.place.text] });
      await leech.completed();
      await expectSameContent(source, target, libtorrent.habits);
    }),
  );

  it.each(['btih', 'btmh'])('shoal fetches a hybrid torrent by a link with its %s hash alone', (kind) =>
    onStage(async (stage) => {
      const [source, target] = [await stage.newFolder('source'), await stage.newFolder('target')];
      const content = await makeFolder(source);
      const { file, infoHashV1, infoHashV2 } = await createTorrent(stage, content.path, ['--meta', 'hybrid']);
      const magnet = `magnet:?xt=urn:${kind}:${kind === 'btih' ? infoHashV1 : `1220${infoHashV2}`}`;
      const seed = await libtorrent.seed(stage, { torrent: file, parent: source });
      const get = await getWithShoal(stage, magnet, target, { peers: [seed.place.text] });
      await get.finished();
      expect(await describeContent(join(target, content.name))).toEqual(await describeContent(content.path));
    }),
  );
});
