// Piece layers that no peer sent (a hybrid torrent fetched by its magnet link): made from the content once it is complete.

import { NODE_BYTES } from '../metainfo/merkle.ts';
import type { HashJob } from '../ports/piece-io.ts';
import type { Core } from './core.ts';

/** Pieces hashed by one call: enough for all workers, bounded in memory. */
const BATCH = 64;

/** Fills in every missing layer by hashing the pieces of its file. Needs all pieces; stops early when aborted. */
export async function completeLayers(core: Core, signal: AbortSignal): Promise<void> {
  for (const file of core.checks.missingLayers()) {
    if (core.checks.hasLayerOf(file)) continue;
    const layer = await layerOf(core, file, signal);
    if (layer === null) return;
    core.checks.addLayer(file, layer);
  }
}

async function layerOf(core: Core, file: number, signal: AbortSignal): Promise<Uint8Array | null> {
  const { checks, info, content } = core;
  const first = checks.firstPieceOf(file)!;
  const pieces = Math.ceil(info.files[file]!.lengthBytes / info.pieceLengthBytes);
  const layer = new Uint8Array(pieces * NODE_BYTES);
  for (let at = 0; at < pieces; at += BATCH) {
    if (signal.aborted) return null;
    const jobs: HashJob[] = [];
    for (let i = at; i < Math.min(pieces, at + BATCH); i++) jobs.push(treeJob(core, first + i));
    const outcomes = await content.hash(jobs);
    for (const [i, outcome] of outcomes.entries()) {
      if (outcome.root === null) return null;
      layer.set(outcome.root, (at + i) * NODE_BYTES);
    }
  }
  return layer;
}

function treeJob(core: Core, piece: number): HashJob {
  const { treeBytes, leafCount } = core.checks.of(piece);
  const spans = core.layout.rangeSpans(piece, 0, treeBytes);
  return { spans, lengthBytes: treeBytes, sha1: false, treeBytes, leafCount, wantLeaves: false };
}
