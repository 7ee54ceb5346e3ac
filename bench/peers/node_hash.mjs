// The floor for Node: piece hashes by plain crypto, without any BitTorrent. node_hash.mjs FILE PIECE_LENGTH THREADS ALGORITHM
import { createHash } from 'node:crypto';
import { openSync, readSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { isMainThread, Worker, workerData } from 'node:worker_threads';

/** @param {{ path: string, pieceLength: number, from: number, to: number, algorithm: string }} share */
function hashShare({ path, pieceLength, from, to, algorithm }) {
  const file = openSync(path, 'r');
  const piece = Buffer.allocUnsafe(pieceLength);
  for (let at = from; at < to; at += pieceLength) {
    const length = readSync(file, piece, 0, pieceLength, at);
    createHash(algorithm).update(piece.subarray(0, length)).digest();
  }
}

if (isMainThread) {
  const [, , path, piece, threads, algorithm] = process.argv;
  const length = statSync(String(path)).size;
  const pieceLength = Number(piece);
  const each = Math.ceil(length / pieceLength / Number(threads)) * pieceLength;
  for (let from = 0; from < length; from += each) {
    const share = { path, pieceLength, from, to: Math.min(length, from + each), algorithm };
    new Worker(fileURLToPath(import.meta.url), { workerData: share });
  }
} else {
  hashShare(workerData);
}
