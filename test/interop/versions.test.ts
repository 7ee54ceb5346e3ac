// v2 and hybrid torrents with libtorrent, made by either side; and what folders hold beside plain files.

import { chmod, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type Content, describeContent, expectSameContent, makeFile, makeFolder } from './harness/content.ts';
import { leechWithLibtorrent, libtorrent, makeWithLibtorrent } from './harness/libtorrent.ts';
import { interop, ownNetwork } from './harness/needs.ts';
import { createTorrent, getWithShoal, seedWithShoal } from './harness/shoal.ts';
import { onStage } from './harness/stage.ts';

const METAS = ['v2', 'hybrid'] as const;
const CONTENTS: readonly [string, (parent: string) => Promise<Content>][] = [
  ['a single file', (parent) => makeFile(parent)],
  ['a folder', (parent) => makeFolder(parent)],
];
const CASES = METAS.flatMap((meta) => CONTENTS.map(([what, make]) => [what, meta, make] as const));

interop('v2 and hybrid torrents with libtorrent', [ownNetwork, libtorrent.need], () => {
  it.each(CASES)('shoal fetches %s as %s, the torrent made by libtorrent', (_, meta, make) =>
    onStage(async (stage) => {
      const [source, target] = [await stage.newFolder('source'), await stage.newFolder('target')];
      const content = await make(source);
      const file = join(stage.folder, 'made.torrent');
      await makeWithLibtorrent(stage, [{ path: content.path, output: file, meta, pieceLength: 65_536 }]);
      const seed = await libtorrent.seed(stage, { torrent: file, parent: source });
      const get = await getWithShoal(stage, file, target, { peers: [seed.place.text] });
      const report = await get.finished();
      expect(report.verified).toBe(report.pieces);
      expect(await describeContent(target)).toEqual(await describeContent(source));
    }),
  );

  it.each(CASES)('shoal seeds %s as %s', (_, meta, make) =>
    onStage(async (stage) => {
      const [source, target] = [await stage.newFolder('source'), await stage.newFolder('target')];
      const content = await make(source);
      const { file } = await createTorrent(stage, content.path, ['--meta', meta, '--piece-length', '32KiB']);
      const seed = await seedWithShoal(stage, file, content.path);
      const leech = await leechWithLibtorrent(stage, { source: file, parent: target, peers: [seed.place.text] });
      await leech.completed();
      await expectSameContent(source, target, libtorrent.habits);
    }),
  );

  it.each(['v1', ...METAS] as const)('shoal fetches symlinks and executable bits of a %s torrent', (meta) =>
    onStage(async (stage) => {
      const [source, target] = [await stage.newFolder('source'), await stage.newFolder('target')];
      const content = await folderWithLinks(source);
      const file = join(stage.folder, 'made.torrent');
      const job = { path: content.path, output: file, meta, pieceLength: 16_384, keepSymlinks: true };
      await makeWithLibtorrent(stage, [job]);
      const seed = await libtorrent.seed(stage, { torrent: file, parent: source });
      const get = await getWithShoal(stage, file, target, { peers: [seed.place.text] });
      await get.finished();
      expect(await describeContent(target)).toEqual(await describeContent(source));
    }),
  );

  it.each(['v1', ...METAS] as const)('shoal seeds symlinks and executable bits as %s', (meta) =>
    onStage(async (stage) => {
      const [source, target] = [await stage.newFolder('source'), await stage.newFolder('target')];
      const content = await folderWithLinks(source);
      const { file } = await createTorrent(stage, content.path, ['--meta', meta, '--symlinks', 'keep']);
      const seed = await seedWithShoal(stage, file, content.path);
      const leech = await leechWithLibtorrent(stage, { source: file, parent: target, peers: [seed.place.text] });
      await leech.completed();
      await expectSameContent(source, target, libtorrent.habits);
    }),
  );
});

async function folderWithLinks(parent: string): Promise<Content> {
  const content = await makeFolder(parent, 'folder');
  await chmod(join(content.path, 'a/block'), 0o755);
  await symlink('../README.txt', join(content.path, 'a/link to README'));
  return content;
}
