// Hashing files that are about to become a torrent: SHA-1 of pieces, roots of trees, or both in one pass.

import { toHex } from '../base/bytes.ts';
import { isShoalError, ShoalError } from '../base/errors.ts';
import { Geometry } from '../metainfo/geometry.ts';
import { rootOfLayer } from '../metainfo/layers.ts';
import { NODE_BYTES } from '../metainfo/merkle.ts';
import { PieceChecks } from '../metainfo/piece-check.ts';
import type { TorrentInfo } from '../metainfo/types.ts';
import type { Hashes } from '../ports/hashes.ts';
import type { PieceIo } from '../ports/piece-io.ts';
import { hashJob, hashPieces } from '../storage/hash-run.ts';
import { Layout } from '../storage/layout.ts';
import type { FoundFile, MeasuredFile } from './walk.ts';

const SHA1_BYTES = 20;

export interface HashSource {
  /** The path that was walked. */
  readonly root: string;
  /** The torrent with placeholders for digests: where every file stands in the piece space. */
  readonly outline: TorrentInfo;
  /** What is on disk, by content file of the outline. */
  readonly found: readonly MeasuredFile[];
  onProgress(doneBytes: number): void;
  readonly signal?: AbortSignal | undefined;
}

export interface Digests {
  /** SHA-1 of every piece, concatenated; null without v1. */
  readonly pieceHashes: Uint8Array | null;
  /** Root of the tree of every piece, concatenated; null without v2. */
  readonly pieceRoots: Uint8Array | null;
}

/**
 * Hashes all pieces. The files must be at the end as they were found: CREATE_CHANGED, CREATE_VANISHED; else what the
 * content throws, or the signal's reason.
 */
export async function hashFiles(
  env: { readonly pieceIo: PieceIo; readonly hashes: Hashes },
  source: HashSource,
): Promise<Digests> {
  const { root, outline, found } = source;
  const geometry = new Geometry(outline);
  const layout = new Layout(outline, geometry);
  const places = new PieceChecks(outline, new Map(), env.hashes.sha256);
  const pieceHashes = outline.hasV1 ? new Uint8Array(geometry.pieceCount * SHA1_BYTES) : null;
  const pieceRoots = outline.hasV2 ? new Uint8Array(geometry.pieceCount * NODE_BYTES) : null;
  const content = env.pieceIo.open({ root, files: found, writable: false, preallocate: false });
  const mustBeUnchanged = async (): Promise<void> => {
    const states = await content.states();
    for (const [i, file] of found.entries()) {
      const now = states.at(i);
      if (!now.exists) {
        const path = onDisk(root, file);
        throw new ShoalError('CREATE_VANISHED', `"${path}" vanished while it was hashed: start again`);
      }
      if (now.lengthBytes !== file.lengthBytes || now.mtimeMs !== file.mtimeMs) throw changed(onDisk(root, file));
    }
  };
  try {
    await hashPieces({
      content,
      parallel: env.pieceIo.parallel,
      pieceCount: geometry.pieceCount,
      job(piece) {
        const { treeBytes, leafCount } = places.of(piece);
        const digests = { sha1: outline.hasV1, treeBytes, leafCount };
        return hashJob(layout.pieceSpans(piece), geometry.pieceBytes(piece), digests);
      },
      onOutcome(piece, outcome) {
        if (!outcome.present) throw changed(onDisk(root, found[layout.firstFileOf(piece)]!));
        if (outcome.sha1) pieceHashes?.set(outcome.sha1, piece * SHA1_BYTES);
        if (outcome.root) pieceRoots?.set(outcome.root, piece * NODE_BYTES);
      },
      onProgress: source.onProgress,
      signal: source.signal,
    }).catch(async (error: unknown) => {
      if (isShoalError(error, 'CREATE_CHANGED')) await mustBeUnchanged(); // says whether it vanished
      throw error;
    });
    await mustBeUnchanged();
  } finally {
    await content.close();
  }
  return { pieceHashes, pieceRoots };
}

/**
 * Writes the pieces roots of the files of a v2 torrent where its outline has zeros; returns the piece layers of those
 * longer than a piece.
 */
export function fillRoots(
  outline: TorrentInfo,
  pieceRoots: Uint8Array,
  hashes: Hashes,
): ReadonlyMap<string, Uint8Array> {
  const { pieceLengthBytes } = outline;
  const pieceLayers = new Map<string, Uint8Array>();
  for (const file of outline.files) {
    if (file.piecesRoot === null) continue;
    const first = file.offsetBytes / pieceLengthBytes;
    const pieces = Math.ceil(file.lengthBytes / pieceLengthBytes);
    const layer = pieceRoots.slice(first * NODE_BYTES, (first + pieces) * NODE_BYTES);
    file.piecesRoot.set(pieces === 1 ? layer : rootOfLayer(layer, pieceLengthBytes, hashes.sha256));
    if (pieces > 1) pieceLayers.set(toHex(file.piecesRoot), layer);
  }
  return pieceLayers;
}

function onDisk(root: string, file: FoundFile): string {
  return [root, ...file.path].join('/');
}

function changed(path: string): ShoalError {
  return new ShoalError(
    'CREATE_CHANGED',
    `"${path}" changed while it was hashed: start again when nothing writes to it`,
  );
}
