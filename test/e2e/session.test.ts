import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { createTorrent } from '../../src/create/create.ts';
import { parseMetainfo } from '../../src/metainfo/parse.ts';
import { createNodeEnv, type NodeEnv } from '../../src/platform/node/env.ts';
import { Session } from '../../src/session/session.ts';

const LOOPBACK = Uint8Array.of(127, 0, 0, 1);
const closers: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'shoal-session-'));
  closers.push(() => rm(path, { recursive: true, force: true }));
  return path;
}

async function session(): Promise<{ env: NodeEnv; session: Session; dir: string }> {
  const dir = await folder();
  const env = createNodeEnv({ stateFolder: join(dir, 'state') });
  const opened = await Session.open(env, { listen: { ip: LOOPBACK, port: 0 } });
  closers.push(async () => {
    await opened.close({ deadlineMs: 1000 });
    await env.close();
  });
  return { env, session: opened, dir };
}

describe.each(['v1', 'v2', 'hybrid'] as const)('a %s torrent', (meta) => {
  it('goes from one session to another, by a peer address, from torrent file and from magnet link', async () => {
    const seed = await session();
    const content = randomBytes(5_000_000);
    const path = join(seed.dir, 'payload.bin');
    await writeFile(path, content);
    const { bytes } = await createTorrent(seed.env, {
      path,
      meta,
      symlinks: 'follow',
      trackers: [],
      webSeeds: [],
      private: false,
      pieceLengthBytes: 262144,
    });
    const metainfo = parseMetainfo(bytes, seed.env.hashes);
    await seed.session.add({ metainfo, contentPath: path, mode: 'seed', recheck: 'as-needed' });
    const leech = await session();
    const torrent = await leech.session.add({
      metainfo,
      saveFolder: leech.dir,
      mode: 'get',
      recheck: 'as-needed',
      peers: seed.session.listening,
    });
    await torrent.completed();
    expect((await readFile(join(leech.dir, 'payload.bin'))).equals(content)).toBe(true);

    const second = await session();
    const { infoHashV1, infoHashV2 } = metainfo.info;
    const magnet = {
      infoHashV1,
      infoHashV2,
      name: null,
      lengthBytes: null,
      trackers: [],
      webSeeds: [],
      peers: [],
      selectOnly: null,
    };
    const byMagnet = await second.session.add({
      magnet,
      saveFolder: second.dir,
      mode: 'get',
      recheck: 'as-needed',
      peers: [...leech.session.listening, ...seed.session.listening],
    });
    await byMagnet.completed();
    expect((await readFile(join(second.dir, 'payload.bin'))).equals(content)).toBe(true);
  });
});
