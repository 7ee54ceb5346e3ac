// The `.mtorrent` format: two trackers and the SHA-1 of each 512 KiB piece of one file.
//
//   http://one.example/announce LF
//   http://two.example/announce LF      may be empty
//   name of the file LF
//   1048577 LF                          its length in decimal
//   20 raw bytes a piece, to the end

import { concatBytes, equalBytes, fromHex, fromUtf8, latin1, utf8 } from '../base/bytes.ts';
import { ShoalError } from '../base/errors.ts';
import type { Hashes } from '../ports/hashes.ts';
import { buildInfo, layOut } from './build.ts';
import { MAX_METAINFO_BYTES, MAX_NAME_BYTES, MAX_PIECES } from './limits.ts';
import { isUrl, metainfoFromInfo } from './parse.ts';
import type { Metainfo } from './types.ts';

/** An `.mtorrent` file, read and checked. */
export interface Mtorrent {
  /** URLs; the second may be missing. Both are always told. */
  readonly trackers: readonly [first: string, second: string | null];
  /** As written; may need to be made safe before it is used as a file name. */
  readonly name: string;
  readonly lengthBytes: number;
  /** SHA-1 of each piece, concatenated. */
  readonly hashes: Uint8Array;
}

export const MTORRENT_PIECE_BYTES: number = 512 * 1024;

const LF = 0x0a;
const CR = 0x0d;
const LINES = 4;

/** Longest line: a URL of 2,048 characters with room. Found before the text is decoded. */
const MAX_LINE_BYTES = 8192;

/**
 * Reads a file. Besides the exact form it takes CRLF, one final line end, and hashes in hex (told apart by their length).
 * Throws MTORRENT_INVALID, nothing else. Nothing of `bytes` is kept.
 */
export function parseMtorrent(bytes: Uint8Array): Mtorrent {
  if (bytes.length > MAX_METAINFO_BYTES) throw invalid(`it is longer than ${MAX_METAINFO_BYTES} bytes`);
  const { lines, rest } = splitHeader(bytes);
  const [first, second, name, size] = lines as [string, string, string, string];
  const lengthBytes = readSize(size);
  const mtorrent: Mtorrent = {
    trackers: [first, second === '' ? null : second],
    name,
    lengthBytes,
    hashes: readHashes(rest, Math.ceil(lengthBytes / MTORRENT_PIECE_BYTES)),
  };
  check(mtorrent);
  return mtorrent;
}

/** The exact bytes of a file. Throws MTORRENT_INVALID for what the format cannot hold. */
export function formatMtorrent(mtorrent: Mtorrent): Uint8Array {
  check(mtorrent);
  const { trackers, name, lengthBytes } = mtorrent;
  return concatBytes([utf8(`${trackers[0]}\n${trackers[1] ?? ''}\n${name}\n${lengthBytes}\n`), mtorrent.hashes]);
}

/** The one v1 torrent that it stands for, the trackers a tier each: any client that has the info hash can join. */
export function mtorrentToMetainfo(mtorrent: Mtorrent, hashes: Hashes): Metainfo {
  check(mtorrent);
  const [first, second] = mtorrent.trackers;
  const tiers = second === null || second === first ? [[first]] : [[first], [second]];
  return metainfoFromInfo(infoBytes(mtorrent), tiers, [], hashes);
}

/**
 * The `.mtorrent` of a torrent with the first two of its trackers. Throws MTORRENT_INVALID where the torrent is not what
 * the format describes: one file, v1, pieces of 512 KiB, a tracker, and nothing else in the info dictionary (the info
 * hash, and so the swarm, would not be the same).
 */
export function metainfoToMtorrent(metainfo: Metainfo): Mtorrent {
  const { info } = metainfo;
  if (info.hasV2 || info.pieceHashes === null) throw invalid('the format holds v1 torrents only');
  if (!info.singleFile) throw invalid('the format holds a single file, and the torrent is a folder');
  if (info.pieceLengthBytes !== MTORRENT_PIECE_BYTES) throw invalid('the format needs a piece length of 512 KiB');
  const [first, second] = metainfo.trackers.flat();
  if (first === undefined) throw invalid('the format needs a tracker, and the torrent has none');
  const mtorrent: Mtorrent = {
    trackers: [first, second ?? null],
    name: info.name,
    lengthBytes: info.lengthBytes,
    hashes: info.pieceHashes,
  };
  check(mtorrent);
  if (!equalBytes(infoBytes(mtorrent), info.bytes)) {
    throw invalid('the torrent says more than name, length and pieces, and without that its info hash would change');
  }
  return mtorrent;
}

function infoBytes(mtorrent: Mtorrent): Uint8Array {
  const file = { path: [mtorrent.name], lengthBytes: mtorrent.lengthBytes };
  return buildInfo({
    kind: 'v1',
    name: mtorrent.name,
    singleFile: true,
    pieceLengthBytes: MTORRENT_PIECE_BYTES,
    files: layOut([file], 'v1', MTORRENT_PIECE_BYTES).files,
    pieceHashes: mtorrent.hashes,
  });
}

function invalid(problem: string): ShoalError {
  return new ShoalError('MTORRENT_INVALID', `not a usable .mtorrent: ${problem}`);
}

function check({ trackers, name, lengthBytes, hashes }: Mtorrent): void {
  for (const url of trackers) if (url !== null && !isUrl(url)) throw invalid('a tracker is no URL');
  if (name === '' || name === '.' || name === '..' || /[/\r\n\0]/.test(name)) {
    throw invalid('the file name is empty, or has a slash or a line end in it');
  }
  if (utf8(name).length > MAX_NAME_BYTES) throw invalid(`the file name is longer than ${MAX_NAME_BYTES} bytes`);
  if (!Number.isSafeInteger(lengthBytes) || lengthBytes < 1) throw invalid('the size is no number from 1 up');
  const pieceCount = Math.ceil(lengthBytes / MTORRENT_PIECE_BYTES);
  if (pieceCount > MAX_PIECES) throw invalid(`the file has more than ${MAX_PIECES} pieces`);
  if (hashes.length !== 20 * pieceCount) throw invalid('the number of hashes does not fit the size');
}

function splitHeader(bytes: Uint8Array): { lines: string[]; rest: Uint8Array } {
  const lines: string[] = [];
  let at = 0;
  while (lines.length < LINES) {
    const end = bytes.subarray(at, at + MAX_LINE_BYTES).indexOf(LF);
    if (end < 0) throw invalid('it does not begin with four lines: tracker, tracker, file name, size');
    const ended = bytes.subarray(at, at + end);
    const line = fromUtf8(ended.at(-1) === CR ? ended.subarray(0, -1) : ended);
    if (line === null) throw invalid('its lines are not UTF-8');
    lines.push(line);
    at += end + 1;
  }
  return { lines, rest: bytes.subarray(at) };
}

function readSize(text: string): number {
  const size = /^[1-9]\d{0,15}$/.test(text) ? Number(text) : 0;
  if (size < 1 || !Number.isSafeInteger(size)) throw invalid('the size is no decimal number from 1 up');
  return size;
}

/** Raw or hex, with or without a line end: no two of the six lengths are the same. */
function readHashes(rest: Uint8Array, pieceCount: number): Uint8Array {
  const rawLength = 20 * pieceCount;
  for (const length of [rawLength, 2 * rawLength]) {
    const tail = latin1(rest.subarray(length, length + 3));
    if (rest.length < length || (tail !== '' && tail !== '\n' && tail !== '\r\n')) continue;
    const body = rest.subarray(0, length);
    const hashes = length === rawLength ? body.slice() : fromHex(latin1(body));
    if (hashes === null) throw invalid('its hashes are not hexadecimal');
    return hashes;
  }
  throw invalid(`${rest.length} bytes of hashes do not fit the size: ${pieceCount} pieces need ${rawLength}`);
}
