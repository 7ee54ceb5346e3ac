// What a torrent file says, without any network: name, hashes, files, magnet link.
//   node examples/read-a-torrent.mjs FILE.torrent
import { readFile } from 'node:fs/promises';
import { createNodeEnv, isShoalError } from 'shoal';
import { formatMagnet, magnetOf, parseMetainfo } from 'shoal/metainfo';

const file = process.argv[2];
if (!file) {
  console.error('usage: node examples/read-a-torrent.mjs FILE.torrent');
  process.exit(2);
}
const { hashes } = createNodeEnv({ stateFolder: '.' });
try {
  const metainfo = parseMetainfo(await readFile(file), hashes);
  const { info } = metainfo;
  console.log(`${info.name}: ${info.lengthBytes} bytes, ${info.pieceCount} pieces of ${info.pieceLengthBytes}`);
  for (const { path, lengthBytes, padding } of info.files)
    if (!padding) console.log(`  ${path.join('/')}  ${lengthBytes}`);
  console.log(formatMagnet(magnetOf(metainfo)));
} catch (error) {
  if (!isShoalError(error)) throw error;
  console.error(`${error.code}: ${error.message}`);
  process.exitCode = 1;
}
