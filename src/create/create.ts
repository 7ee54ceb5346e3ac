// From a file or folder to a torrent file: look, lay out, hash, write down.

import { describeError, isShoalError, ShoalError } from '../base/errors.ts';
import { encode } from '../bencode/encode.ts';
import { buildInfo, buildMetainfo, type LaidOutFile, layOut, type MetaKind } from '../metainfo/build.ts';
import { parseInfo } from '../metainfo/info.ts';
import { NODE_BYTES } from '../metainfo/merkle.ts';
import { formatMtorrent, MTORRENT_PIECE_BYTES, mtorrentToMetainfo } from '../metainfo/mtorrent.ts';
import { isUrl, metainfoAround } from '../metainfo/parse.ts';
import type { Metainfo, TorrentInfo } from '../metainfo/types.ts';
import type { Env } from '../ports/env.ts';
import { type Digests, fillRoots, hashFiles } from './hash.ts';
import { checkPieceLength, choosePieceLength } from './piece-length.ts';
import { type MeasuredFile, measure, type SymlinkRule, walk } from './walk.ts';

export type CreateEnv = Pick<Env, 'files' | 'pieceIo' | 'hashes' | 'clock'>;

/** `looking`: nothing to count yet; then bytes hashed, of all. */
export type CreatePhase = 'looking' | 'hashing';

interface CommonOptions {
  /** The file or folder. */
  readonly path: string;
  /** Default: the name of the file or folder. */
  readonly name?: string;
  onProgress?(doneBytes: number, totalBytes: number, phase: CreatePhase): void;
  readonly signal?: AbortSignal;
}

export interface CreateOptions extends CommonOptions {
  readonly meta: MetaKind;
  /** A power of two from 16 KiB to 128 MiB; without it one is chosen for the size. */
  readonly pieceLengthBytes?: number;
  /** Takes a `/`-separated path below `path`; a folder it says yes to is left out with all that is in it. */
  readonly exclude?: (relativePath: string) => boolean;
  readonly symlinks: SymlinkRule;
  readonly trackers: readonly (readonly string[])[];
  readonly webSeeds: readonly string[];
  readonly private: boolean;
  readonly comment?: string;
  readonly source?: string;
  readonly createdBy?: string;
  /** Seconds since 1970-01-01 UTC; null: none, so that the same input gives the same bytes; left out: now. */
  readonly creationDate?: number | null;
}

export interface CreateMtorrentOptions extends CommonOptions {
  /** One or two URLs. */
  readonly trackers: readonly string[];
}

export interface Created {
  /** The file to write. */
  readonly bytes: Uint8Array;
  /** What it says. */
  readonly metainfo: Metainfo;
  /** Paths that are not in the torrent because no torrent can hold them. */
  readonly ignored: readonly string[];
  /** Paths that readers of the torrent will change, because not all systems can hold them as they are. */
  readonly altered: readonly string[];
}

/**
 * Makes a torrent of a file or folder; the same content under the same options gives the same info hash everywhere.
 * CREATE_* for what cannot be shared, USAGE for wrong options, FILE_NOT_FOUND, PERMISSION, IO; the signal's reason.
 */
export async function createTorrent(env: CreateEnv, options: CreateOptions): Promise<Created> {
  for (const url of [...options.trackers.flat(), ...options.webSeeds]) {
    if (!isUrl(url)) throw new ShoalError('USAGE', `"${url}" is no URL that a torrent may name`);
  }
  if (options.pieceLengthBytes !== undefined) checkPieceLength(options.pieceLengthBytes);
  const found = await look(env, options, options.symlinks, options.exclude);
  const plan = planOf(
    env,
    found,
    options.meta,
    options.pieceLengthBytes ?? choosePieceLength(found.lengthBytes),
    options,
  );
  const { info, pieceLayers } = filledIn(env, plan.outline, await hashPlan(env, plan, options));
  const date = options.creationDate === undefined ? Math.floor(env.clock.wallMs() / 1000) : options.creationDate;
  const outer = {
    trackers: options.trackers,
    webSeeds: options.webSeeds,
    comment: options.comment ?? null,
    createdBy: options.createdBy ?? null,
    creationDate: date,
  };
  const bytes = buildMetainfo({ ...outer, info: info.bytes, ...(info.hasV2 ? { pieceLayers } : {}) });
  const metainfo = metainfoAround(info, pieceLayers, buildMetainfo({ ...outer, info: EMPTY_DICT }));
  return { bytes, metainfo, ignored: found.ignored, altered: alteredPaths(plan) };
}

/** Instead of an info dictionary, where only what stands around it counts. */
const EMPTY_DICT: Uint8Array = encode({});

/**
 * The outline with digests where it had zeros. All its digests are views into its bytes, so that writing them there is
 * as good as encoding and reading it all again, and with very many files much faster.
 */
function filledIn(
  env: CreateEnv,
  outline: TorrentInfo,
  digests: Digests,
): { readonly info: TorrentInfo; readonly pieceLayers: ReadonlyMap<string, Uint8Array> } {
  if (digests.pieceHashes) outline.pieceHashes!.set(digests.pieceHashes);
  const pieceLayers = digests.pieceRoots ? fillRoots(outline, digests.pieceRoots, env.hashes) : new Map();
  const infoHashV1 = outline.hasV1 ? env.hashes.sha1(outline.bytes) : null;
  const infoHashV2 = outline.hasV2 ? env.hashes.sha256(outline.bytes) : null;
  return { info: { ...outline, infoHashV1, infoHashV2 }, pieceLayers };
}

/** Makes an `.mtorrent` of a file. As {@link createTorrent}; MTORRENT_INVALID for a name that the format cannot hold. */
export async function createMtorrent(env: CreateEnv, options: CreateMtorrentOptions): Promise<Created> {
  const [first, second, third] = options.trackers;
  if (first === undefined || third !== undefined) {
    throw new ShoalError('USAGE', 'an .mtorrent names one or two trackers: give as many with --tracker');
  }
  const found = await look(env, options, 'follow');
  if (!found.isFile) {
    throw new ShoalError('CREATE_UNSUPPORTED', `"${options.path}" is a folder, and an .mtorrent holds one file only`);
  }
  const draft = { trackers: [first, second ?? null] as const, name: found.name, lengthBytes: found.lengthBytes };
  const pieceCount = Math.ceil(found.lengthBytes / MTORRENT_PIECE_BYTES);
  formatMtorrent({ ...draft, hashes: new Uint8Array(20 * pieceCount) }); // refuses names and URLs before the work
  const plan = planOf(env, found, 'v1', MTORRENT_PIECE_BYTES, { private: false });
  const mtorrent = { ...draft, hashes: (await hashPlan(env, plan, options)).pieceHashes! };
  const metainfo = mtorrentToMetainfo(mtorrent, env.hashes);
  return { bytes: formatMtorrent(mtorrent), metainfo, ignored: [], altered: alteredPaths(plan) };
}

interface Found {
  readonly root: string;
  readonly name: string;
  readonly isFile: boolean;
  readonly ignored: readonly string[];
  readonly files: readonly MeasuredFile[];
  readonly lengthBytes: number;
}

async function look(
  env: CreateEnv,
  options: CommonOptions,
  symlinks: SymlinkRule,
  exclude?: (relativePath: string) => boolean,
): Promise<Found> {
  options.onProgress?.(0, 0, 'looking');
  const found = await walk(env.files, options.path, {
    symlinks,
    ...(exclude ? { exclude } : {}),
    signal: options.signal,
  });
  const files = await measure(env.pieceIo, options.path, found.files);
  let lengthBytes = 0;
  for (const file of files) lengthBytes += file.lengthBytes;
  if (lengthBytes === 0) {
    const what = files.length === 0 ? 'no file' : 'nothing but empty files';
    throw new ShoalError('CREATE_EMPTY', `there is ${what} to share at "${options.path}"`);
  }
  const name = options.name ?? (await nameOf(env, options.path));
  if (name === '' || name === '.' || name === '..' || /[/\0]/.test(name)) {
    throw new ShoalError(
      'CREATE_NAME',
      `${JSON.stringify(name)} cannot be the name of a torrent: choose another --name`,
    );
  }
  return { root: options.path, name, isFile: found.isFile, ignored: found.ignored, files, lengthBytes };
}

/** The last component of the path as it was given; of where it leads to, where it ends in `.` or `..`. */
async function nameOf(env: CreateEnv, path: string): Promise<string> {
  const last = (text: string): string => text.replace(/\/+$/, '').split('/').at(-1)!;
  const given = last(path);
  return given === '' || given === '.' || given === '..' ? last(await env.files.realPath(path)) : given;
}

interface Plan {
  readonly found: Found;
  readonly meta: MetaKind;
  readonly pieceLengthBytes: number;
  readonly laidOut: readonly LaidOutFile[];
  /** The torrent with zeros for digests, read back: it is known to be readable before hours of hashing begin. */
  readonly outline: TorrentInfo;
  /** What is on disk, by content file of the outline. */
  readonly content: readonly MeasuredFile[];
  readonly extras: InfoExtras;
}

interface InfoExtras {
  readonly private: boolean;
  readonly source?: string;
}

function planOf(env: CreateEnv, found: Found, meta: MetaKind, pieceLengthBytes: number, extras: InfoExtras): Plan {
  const isFile = found.isFile;
  const laid = layOut(
    isFile ? found.files.map((file) => ({ ...file, path: [found.name] })) : found.files,
    meta,
    pieceLengthBytes,
  );
  const blank = new Uint8Array(NODE_BYTES);
  const files = meta === 'v1' ? laid.files : laid.files.map((file) => ({ ...file, piecesRoot: blank }));
  const pieceHashes = meta === 'v2' ? null : new Uint8Array(20 * laid.pieceCount);
  const draft = { found, meta, pieceLengthBytes, extras };
  let outline: TorrentInfo;
  try {
    const bytes = encodeInfo(draft, files, pieceHashes);
    outline = parseInfo(bytes, env.hashes, { caseSensitive: true });
  } catch (error) {
    if (!isShoalError(error, 'METAINFO_INVALID')) throw error;
    const problem = describeError(error).replace(/^[^:]*: /, '');
    throw new ShoalError('CREATE_UNSUPPORTED', `"${found.root}" cannot become one torrent: ${problem}`, error);
  }
  const content = laid.files.filter((file) => !file.padding && !file.symlink).map((file) => found.files[file.from]!);
  return { ...draft, laidOut: laid.files, outline, content };
}

function encodeInfo(
  plan: Pick<Plan, 'found' | 'meta' | 'pieceLengthBytes' | 'extras'>,
  files: readonly LaidOutFile[],
  pieceHashes: Uint8Array | null,
): Uint8Array {
  return buildInfo({
    kind: plan.meta,
    name: plan.found.name,
    singleFile: plan.found.isFile,
    pieceLengthBytes: plan.pieceLengthBytes,
    files,
    pieceHashes,
    private: plan.extras.private,
    source: plan.extras.source ?? null,
  });
}

function hashPlan(env: CreateEnv, plan: Plan, options: CommonOptions): ReturnType<typeof hashFiles> {
  const totalBytes = plan.outline.hasV1 ? plan.outline.spaceBytes : plan.found.lengthBytes;
  options.onProgress?.(0, totalBytes, 'hashing');
  return hashFiles(env, {
    root: plan.found.root,
    outline: plan.outline,
    found: plan.content,
    onProgress: (doneBytes) => options.onProgress?.(doneBytes, totalBytes, 'hashing'),
    signal: options.signal,
  });
}

function alteredPaths(plan: Plan): string[] {
  const out: string[] = [];
  for (let i = 0; i < plan.laidOut.length; i++) {
    const file = plan.laidOut[i]!;
    if (!file.padding && !isSamePath(file.path, plan.outline.files[i]!.path)) out.push(file.path.join('/'));
  }
  return out;
}

function isSamePath(path: readonly string[], other: readonly string[]): boolean {
  if (path.length !== other.length) return false;
  for (let level = 0; level < path.length; level++) if (path[level] !== other[level]) return false;
  return true;
}
