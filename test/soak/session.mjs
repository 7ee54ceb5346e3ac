// A program that uses the library: one session for its whole life, into which torrents come and out of which they go.
// Its argument is JSON: library (URL of the built index), torrents, folder, ip. Says a JSON line for each torrent it has fetched.
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const job = JSON.parse(process.argv[2]);
const { createNodeEnv, Session } = await import(new URL('index.js', job.library).href);
const { parseMetainfo } = await import(new URL('metainfo/index.js', job.library).href);

const env = createNodeEnv({ stateFolder: join(job.folder, 'state') });
const ip = Uint8Array.from(job.ip.split('.').map(Number));
const session = await Session.open(env, { listen: { ip, port: 0 } });
const files = job.torrents.map((path) => parseMetainfo(readFileSync(path), env.hashes));
const stopped = new AbortController();
process.once('SIGTERM', () => stopped.abort());

for (let turn = 0; !stopped.signal.aborted; turn++) {
  const saveFolder = join(job.folder, `turn-${turn}`);
  mkdirSync(saveFolder);
  const metainfo = files[turn % files.length];
  const torrent = await session.add({ metainfo, saveFolder, mode: 'get', recheck: 'as-needed' });
  try {
    await torrent.completed({ signal: stopped.signal });
    console.log(JSON.stringify({ event: 'complete', torrent: turn % files.length, folder: saveFolder }));
    // Who started this program compares the copy, and says when it is done.
    await once(process.stdin, 'data', { signal: stopped.signal });
  } catch (error) {
    if (!stopped.signal.aborted) throw error;
  }
  await session.remove(torrent, { deadlineMs: 1000 });
  rmSync(saveFolder, { recursive: true, force: true });
}
process.stdin.destroy();
await session.close({ deadlineMs: 1000 });
await env.close();
