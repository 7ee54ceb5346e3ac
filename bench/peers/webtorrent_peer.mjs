// A WebTorrent peer: webtorrent_peer.mjs MODULE JSON, with `WebtorrentPeer` of bench/clients/webtorrent.ts. Runs until it is ended.
import { writeFileSync } from 'node:fs';

const [, , module, text] = process.argv;
const { default: WebTorrent } = await import(String(module));
const job = JSON.parse(String(text));
const client = new WebTorrent({
  dht: false,
  lsd: false,
  utPex: false,
  natUpnp: false,
  natPmp: false,
  utp: false,
  webSeeds: false,
  secure: 0,
  tracker: { wrtc: false },
  torrentPort: job.port,
  maxConns: 500,
  ...(job.uploadBytesPerSecond > 0 ? { uploadLimit: job.uploadBytesPerSecond } : {}),
});
client.on('error', (/** @type {unknown} */ error) => {
  console.error(error);
  process.exit(1);
});
let left = job.torrents.length;
const complete = () => {
  left--;
  if (left === 0) writeFileSync(job.done, '');
};
for (const path of job.torrents) {
  client.add(path, { path: job.folder, uploads: 100, skipVerify: job.trust }, (/** @type {any} */ torrent) => {
    if (torrent.done) complete();
    else torrent.on('done', complete);
  });
}
