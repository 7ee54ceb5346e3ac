// One process that does everything: makes a torrent, runs a tracker, seeds, and fetches the content again.
//   node examples/share-and-get.mjs
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createNodeEnv, createTorrent, Session } from 'shoal';
import { parseMetainfo } from 'shoal/metainfo';
import { TrackerServer } from 'shoal/tracker';

const loopback = Uint8Array.of(127, 0, 0, 1);
const folder = await mkdtemp(join(tmpdir(), 'shoal-example-'));
const path = join(folder, 'hello.txt');
await writeFile(path, 'Hello, swarm!\n'.repeat(50_000));

// An Env is all that Shoal needs from the world. Two of them here, because one state folder is one user of the torrent.
const [seedEnv, leechEnv] = ['seed', 'leech'].map((name) =>
  createNodeEnv({ stateFolder: join(folder, 'state', name) }),
);

const tracker = await TrackerServer.open(seedEnv, { listen: [{ ip: loopback, port: 0 }] });
const announce = `http://${tracker.addresses[0]}/announce`;

const { bytes } = await createTorrent(seedEnv, {
  path,
  meta: 'hybrid',
  trackers: [[announce]],
  webSeeds: [],
  private: false,
  symlinks: 'follow',
});
const metainfo = parseMetainfo(bytes, seedEnv.hashes);

const seeds = await Session.open(seedEnv, { listen: { ip: loopback, port: 0 } });
await seeds.add({ metainfo, contentPath: path, mode: 'seed', recheck: 'as-needed' });

const leeches = await Session.open(leechEnv, { listen: { ip: loopback, port: 0 } });
const torrent = await leeches.add({ metainfo, saveFolder: join(folder, 'got'), mode: 'get', recheck: 'as-needed' });
await torrent.completed();

const same = (await readFile(join(folder, 'got', 'hello.txt'))).equals(await readFile(path));
const { lengthBytes, piecesVerified } = torrent.snapshot();
console.log(
  `${lengthBytes} bytes in ${piecesVerified} verified pieces, ${same ? 'the same as the source' : 'DIFFERENT'}`,
);

await leeches.close({ deadlineMs: 1000 });
await seeds.close({ deadlineMs: 1000 });
await tracker.close();
await Promise.all([seedEnv.close(), leechEnv.close()]);
await rm(folder, { recursive: true });
process.exitCode = same ? 0 : 1;
