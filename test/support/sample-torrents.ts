// Torrents made from content in memory, of every kind, for tests: slow and plain on purpose, so that it can be trusted.

import { createHash } from 'node:crypto';
import { concatBytes, toHex } from '../../src/base/bytes.ts';
import {
  type BuildFile,
  buildInfo,
  buildMetainfo,
  type InfoSpec,
  layOut,
  type MetaKind,
} from '../../src/metainfo/build.ts';
import type { Hashes } from '../../src/ports/hashes.ts';

export const testHashes: Hashes = {
  sha1: (bytes) => new Uint8Array(createHash('sha1').update(bytes).digest()),
  sha256: (bytes) => new Uint8Array(createHash('sha256').update(bytes).digest()),
};

export interface SampleFile extends Omit<BuildFile, 'lengthBytes' | 'piecesRoot'> {
  readonly bytes: Uint8Array;
}

export interface Sample {
  /** The `.torrent` file. */
  readonly metainfo: Uint8Array;
  /** The info dictionary alone. */
  readonly info: Uint8Array;
  /** The piece space: content and padding, one after the other. */
  readonly space: Uint8Array;
  readonly pieceLayers: ReadonlyMap<string, Uint8Array>;
}

export interface SampleOptions extends Partial<Pick<InfoSpec, 'private' | 'source' | 'similar' | 'collections'>> {
  readonly kind: MetaKind;
  readonly name?: string;
  readonly singleFile?: boolean;
  readonly pieceLengthBytes?: number;
  readonly trackers?: readonly (readonly string[])[];
}

/** Bytes that look random and are the same for the same seed. */
export function noise(lengthBytes: number, seed: number): Uint8Array {
  const out = new Uint8Array(lengthBytes);
  let state = (seed * 2654435761 + 1) >>> 0;
  for (let i = 0; i < lengthBytes; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    out[i] = state >>> 24;
  }
  return out;
}

export function sampleTorrent(files: readonly SampleFile[], options: SampleOptions): Sample {
  const { kind, name = 'sample', singleFile = false, pieceLengthBytes = 16384 } = options;
  const content = new Map(files.map((file) => [file.path.join('/'), file.bytes]));
  const pieceLayers = new Map<string, Uint8Array>();
  const described = files.map(({ bytes, ...file }): BuildFile => {
    const tree = kind === 'v1' || bytes.length === 0 ? null : plainTree(bytes, pieceLengthBytes);
    if (tree && bytes.length > pieceLengthBytes) pieceLayers.set(toHex(tree.root), tree.layer);
    return { ...file, lengthBytes: bytes.length, piecesRoot: tree?.root ?? null };
  });
  const layout = layOut(described, kind, pieceLengthBytes);
  const space = new Uint8Array(layout.spaceBytes);
  for (const file of layout.files) if (!file.padding) space.set(content.get(file.path.join('/'))!, file.offsetBytes);
  const info = buildInfo({
    ...options,
    name,
    singleFile,
    pieceLengthBytes,
    files: layout.files,
    pieceHashes: kind === 'v2' ? null : sha1Pieces(space, pieceLengthBytes),
  });
  const metainfo = buildMetainfo({
    info,
    trackers: options.trackers ?? [['http://127.0.0.1:6969/announce']],
    ...(kind === 'v1' ? {} : { pieceLayers }),
  });
  return { metainfo, info, space, pieceLayers };
}

/** SHA-1 of every piece, concatenated. */
export function sha1Pieces(space: Uint8Array, pieceLengthBytes: number): Uint8Array {
  const out: Uint8Array[] = [];
  for (let at = 0; at < space.length; at += pieceLengthBytes) {
    out.push(testHashes.sha1(space.subarray(at, at + pieceLengthBytes)));
  }
  return concatBytes(out);
}

/** SHA-256 of every block, concatenated. */
export function leavesOf(bytes: Uint8Array): Uint8Array {
  const out: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += 16384) out.push(testHashes.sha256(bytes.subarray(at, at + 16384)));
  return concatBytes(out);
}

/** The tree of BEP 52 as it is defined: all leaves, zeros up to a power of two, pair by pair up to the root. */
export function plainTree(bytes: Uint8Array, pieceLengthBytes: number): { root: Uint8Array; layer: Uint8Array } {
  let nodes: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += 16384) nodes.push(testHashes.sha256(bytes.subarray(at, at + 16384)));
  while (!Number.isInteger(Math.log2(nodes.length))) nodes.push(new Uint8Array(32));
  let layer = nodes;
  for (let covered = 16384; nodes.length > 1; covered *= 2) {
    if (covered === pieceLengthBytes) layer = nodes;
    nodes = nodes
      .filter((_, i) => i % 2 === 0)
      .map((left, i) => testHashes.sha256(concatBytes([left, nodes[2 * i + 1]!])));
  }
  const pieces = Math.ceil(bytes.length / pieceLengthBytes);
  return { root: nodes[0]!, layer: concatBytes(layer.slice(0, pieces)) };
}
