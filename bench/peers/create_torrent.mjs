// The npm package create-torrent as a program: create_torrent.mjs MODULE PATH OUTPUT PIECE_LENGTH TRACKER
import { writeFileSync } from 'node:fs';

const [, , module, path, output, pieceLength, tracker] = process.argv;
const { default: createTorrent } = await import(String(module));
const options = { pieceLength: Number(pieceLength), announceList: [[tracker]] };
createTorrent(path, options, (/** @type {unknown} */ error, /** @type {Uint8Array} */ torrent) => {
  if (error) throw error;
  writeFileSync(String(output), torrent);
});
