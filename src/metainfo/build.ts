// A description of a torrent -> the bytes of its info dictionary and of its .torrent file, byte for byte what
// libtorrent makes of the same input (BEP 3, 12, 19, 27, 47, 52).

import { assert } from '../base/assert.ts';
import { fromHex, latin1, utf8 } from '../base/bytes.ts';
import { BencodeRaw } from '../bencode/dict.ts';
import { BencodeEach, type Encodable, encode } from '../bencode/encode.ts';
import { compareNames } from './names.ts';
import type { Metainfo } from './types.ts';

export type MetaKind = 'v1' | 'v2' | 'hybrid';

/** A file as it shall stand in the torrent. */
export interface BuildFile {
  /** Components below the torrent's folder; for a single-file torrent just its name. */
  readonly path: readonly string[];
  /** 0 for a symlink. */
  readonly lengthBytes: number;
  readonly executable?: boolean;
  readonly hidden?: boolean;
  /** Target components below the torrent's folder (BEP 47); null or left out: a regular file. */
  readonly symlink?: readonly string[] | null;
  /** Root of the merkle tree of a file that is not empty; needed for v2 and hybrid. */
  readonly piecesRoot?: Uint8Array | null;
}

/** A file or padding with its place in the piece space. */
export interface LaidOutFile extends BuildFile {
  readonly padding: boolean;
  readonly offsetBytes: number;
  /** Which of the files that were laid out it is; -1 for padding. */
  readonly from: number;
}

export interface BuildLayout {
  /** In the torrent's order. Hybrid: with padding. */
  readonly files: readonly LaidOutFile[];
  /** Padding included. */
  readonly spaceBytes: number;
  readonly pieceCount: number;
}

export interface InfoSpec {
  readonly kind: MetaKind;
  readonly name: string;
  readonly singleFile: boolean;
  readonly pieceLengthBytes: number;
  /** As {@link layOut} returned them, with `piecesRoot` filled in for v2 and hybrid. */
  readonly files: readonly LaidOutFile[];
  /** SHA-1 of every piece, concatenated; null for v2. */
  readonly pieceHashes: Uint8Array | null;
  readonly private?: boolean;
  readonly source?: string | null;
  /** BEP 38: info hashes, and names of collections. */
  readonly similar?: readonly Uint8Array[];
  readonly collections?: readonly string[];
}

export interface MetainfoSpec extends Partial<Omit<Metainfo, 'info'>> {
  /** The encoded info dictionary. */
  readonly info: Uint8Array;
}

/**
 * Puts files in order (by raw UTF-8 bytes, component by component: the order of the v2 file tree) and gives each its
 * place in the piece space. Hybrid: padding follows every file that ends within a piece, the last one too (as BEP 52's
 * own creator and libtorrent do), unless there is one file alone. v2: files begin at pieces without padding entries.
 */
export function layOut(files: readonly BuildFile[], kind: MetaKind, pieceLengthBytes: number): BuildLayout {
  const out: LaidOutFile[] = [];
  let offset = 0;
  let end = 0;
  for (const index of treeOrder(files)) {
    const file = files[index]!;
    out.push(laidOut(file, index, file.lengthBytes === 0 ? end : offset));
    if (file.lengthBytes === 0) continue;
    offset += file.lengthBytes;
    end = offset;
    const rest = kind === 'v1' || files.length === 1 ? 0 : offset % pieceLengthBytes;
    if (rest === 0) continue;
    const padding = pieceLengthBytes - rest;
    if (kind === 'hybrid') {
      out.push({ path: ['.pad', String(padding)], lengthBytes: padding, padding: true, offsetBytes: offset, from: -1 });
      end += padding;
    }
    offset += padding;
  }
  assert(Number.isSafeInteger(offset), 'content is shorter than 2^53 bytes');
  return { files: out, spaceBytes: end, pieceCount: Math.ceil(end / pieceLengthBytes) };
}

/** Written out: with a hundred thousand files, spreading takes longer than all the rest. */
function laidOut(file: BuildFile, from: number, offsetBytes: number): LaidOutFile {
  const { path, lengthBytes, executable = false, hidden = false, symlink = null, piecesRoot = null } = file;
  return { path, lengthBytes, executable, hidden, symlink, piecesRoot, padding: false, offsetBytes, from };
}

/** Files sorted by raw UTF-8 bytes, component by component. */
export function inTreeOrder<T extends { readonly path: readonly string[] }>(files: readonly T[]): T[] {
  return treeOrder(files).map((index) => files[index]!);
}

function treeOrder(files: readonly { readonly path: readonly string[] }[]): number[] {
  return Array.from(files.keys()).sort((a, b) => comparePaths(files[a]!.path, files[b]!.path));
}

function comparePaths(a: readonly string[], b: readonly string[]): number {
  for (let level = 0; level < a.length && level < b.length; level++) {
    const order = compareNames(a[level]!, b[level]!);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

/** The encoded info dictionary. Wants what the kind needs: `pieceHashes` for v1 and hybrid, roots for v2 and hybrid. */
export function buildInfo(spec: InfoSpec): Uint8Array {
  const hasV1 = spec.kind !== 'v2';
  const hasV2 = spec.kind !== 'v1';
  const only = spec.files[0];
  assert(only !== undefined, 'a torrent has files');
  assert(hasV1 === (spec.pieceHashes !== null), 'v1 and hybrid have piece hashes, v2 has none');
  const single = hasV1 && spec.singleFile;
  return encode({
    attr: single ? attributes(only) : undefined,
    collections: spec.collections?.length ? spec.collections : undefined,
    'file tree': hasV2 ? fileTree(spec) : undefined,
    files: hasV1 && !spec.singleFile ? new BencodeEach(fileEntries(spec.files)) : undefined,
    length: single ? only.lengthBytes : undefined,
    'meta version': hasV2 ? 2 : undefined,
    name: spec.name,
    'piece length': spec.pieceLengthBytes,
    pieces: spec.pieceHashes ?? undefined,
    private: spec.private ? 1 : undefined,
    similar: spec.similar?.length ? spec.similar : undefined,
    source: spec.source ?? undefined,
  });
}

/** The encoded `.torrent` file around an info dictionary. Everything but `info` may be left out. */
export function buildMetainfo(spec: MetainfoSpec): Uint8Array {
  const trackers = (spec.trackers ?? []).filter((tier) => tier.length > 0);
  const webSeeds = spec.webSeeds ?? [];
  const layers = spec.pieceLayers ?? new Map<string, Uint8Array>();
  return encode({
    announce: trackers[0]?.[0],
    'announce-list': trackers.flat().length > 1 ? trackers : undefined,
    comment: spec.comment || undefined,
    'created by': spec.createdBy || undefined,
    'creation date': spec.creationDate ?? undefined,
    httpseeds: spec.httpSeeds?.length ? spec.httpSeeds : undefined,
    info: new BencodeRaw(spec.info),
    nodes: spec.nodes?.length ? spec.nodes.map(({ host, port }) => [host, port]) : undefined,
    'piece layers': spec.pieceLayers ? layersByRoot(layers) : undefined,
    'url-list': webSeeds.length > 1 ? webSeeds : webSeeds[0],
  });
}

/** The `piece layers` dictionary has raw roots for keys; {@link Metainfo.pieceLayers} has them in hex. */
function layersByRoot(layers: ReadonlyMap<string, Uint8Array>): ReadonlyMap<string, Encodable> {
  const out = new Map<string, Encodable>();
  for (const [root, layer] of layers) {
    const raw = fromHex(root);
    assert(raw !== null && raw.length === 32, 'piece layers are keyed by the hex of a root');
    out.set(latin1(raw), layer);
  }
  return out;
}

function* fileEntries(files: readonly LaidOutFile[]): Iterable<Encodable> {
  for (const file of files) yield fileEntry(file);
}

/** One member of the v1 `files` list. */
function fileEntry(file: LaidOutFile): Encodable {
  return {
    attr: attributes(file),
    length: file.lengthBytes,
    path: file.path,
    'symlink path': file.symlink ?? undefined,
  };
}

function fileTree(spec: InfoSpec): Encodable {
  const root: TreeFolder = new Map();
  for (const file of spec.files) {
    if (file.padding) continue;
    let folder = root;
    for (const part of file.path) folder = subfolder(folder, latin1(utf8(part)));
    assert(folder.size === 0, 'no path is a file twice, or a file and a folder');
    folder.set('', treeEntry(file));
  }
  return root;
}

/** Encodable in itself: a folder maps names to folders, and a file is the entry with the empty name. */
type TreeFolder = Map<string, Encodable>;

function subfolder(folder: TreeFolder, name: string): TreeFolder {
  assert(!folder.has(''), 'no path is a file and a folder');
  const existing = folder.get(name);
  if (existing instanceof Map) return existing;
  const made: TreeFolder = new Map();
  folder.set(name, made);
  return made;
}

function treeEntry(file: LaidOutFile): Encodable {
  if (file.symlink) return { attr: attributes(file), 'symlink path': file.symlink };
  const root = file.lengthBytes > 0 ? file.piecesRoot : undefined;
  assert(file.lengthBytes === 0 || root?.length === 32, 'a file of v2 has a pieces root');
  return { attr: attributes(file), length: file.lengthBytes, 'pieces root': root ?? undefined };
}

/** BEP 47 flags in the order that libtorrent writes them. */
function attributes(file: LaidOutFile): string | undefined {
  if (!file.padding && !file.hidden && !file.executable && !file.symlink) return undefined;
  const text = `${file.padding ? 'p' : ''}${file.hidden ? 'h' : ''}${file.executable ? 'x' : ''}${file.symlink ? 'l' : ''}`;
  return text;
}
