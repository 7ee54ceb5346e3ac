// One leech of ours among many programs: it takes from five seeds at once, and gives to another leech meanwhile.

import { expect, it } from 'vitest';
import { aria2 } from './harness/aria2.ts';
import { describeContent, makeFile } from './harness/content.ts';
import { leechWithLibtorrent, libtorrent } from './harness/libtorrent.ts';
import { interop, ownNetwork } from './harness/needs.ts';
import { createTorrent, getWithShoal, seedWithShoal } from './harness/shoal.ts';
import { onStage } from './harness/stage.ts';
import { transmission } from './harness/transmission.ts';

/** Transmission begins to serve after more than 10 s: at this rate the other four are not done by then. */
const UPLOAD_BYTES_PER_SECOND = 250_000;
const CONTENT_BYTES = 20_000_000;

interop('five seeds', [ownNetwork, transmission.need, aria2.need, libtorrent.need], () => {
  it('all give to one leech, that uploads while it downloads', () =>
    onStage(async (stage) => {
      const [source, target] = [await stage.newFolder('source'), await stage.newFolder('target')];
      const content = await makeFile(source, CONTENT_BYTES);
      const { file } = await createTorrent(stage, content.path, ['--piece-length', '64KiB']);
      const job = { torrent: file, parent: source, uploadBytesPerSecond: UPLOAD_BYTES_PER_SECOND };
      const seeds = await Promise.all([
        transmission.seed(stage, job),
        aria2.seed(stage, job),
        libtorrent.seed(stage, job),
        libtorrent.seed(stage, job),
        seedWithShoal(stage, file, content.path, { maxUpload: UPLOAD_BYTES_PER_SECOND }),
      ]);
      const get = await getWithShoal(stage, file, target, { peers: seeds.map((seed) => seed.place.text) });
      await stage.listening(get.program, get.place);
      await leechWithLibtorrent(stage, {
        source: file,
        parent: await stage.newFolder('other'),
        peers: [get.place.text],
      });
      const report = await get.finished();
      expect(report.peers).toBeGreaterThanOrEqual(5);
      expect(report.uploaded).toBeGreaterThan(1_000_000);
      expect(await describeContent(target)).toEqual(await describeContent(source));
    }));
});
