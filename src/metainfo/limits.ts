// How large a torrent may be, and why. Above a limit the torrent is refused with METAINFO_INVALID.

import { ShoalError } from '../base/errors.ts';

/** Piece hashes of 100 TB at 16 MiB are 120 MiB; what is larger is no torrent that anyone shares. */
export const MAX_METAINFO_BYTES: number = 128 * 1024 * 1024;

/** Decoded, a value costs up to 150 bytes, one that is a folder of its own up to 240 (measured): a hostile file stays below 0.75 GB. */
export const MAX_METAINFO_ITEMS = 3_000_000;

/** Padding included. Every file costs state in the session, on screen and on disk; real trees stay far below. */
export const MAX_FILES = 500_000;

/** A bitfield of as many pieces is 512 KiB, and every peer has one. */
export const MAX_PIECES: number = 4 * 1024 * 1024;

/** A piece is held in memory while it is fetched. */
export const MAX_PIECE_BYTES: number = 512 * 1024 * 1024;

/** Components of a path; beyond this no tool for files is at ease. */
export const MAX_PATH_DEPTH = 100;

/** PATH_MAX of Linux with room for the folder that the content is put in. */
export const MAX_PATH_BYTES = 3072;

/** NAME_MAX of nearly every file system. */
export const MAX_NAME_BYTES = 255;

/** Addresses to announce to or to fetch from: each one costs connections, and a hostile list must not make us a weapon. */
export const MAX_URLS = 256;
export const MAX_URL_LENGTH = 2048;

/** DHT nodes, and hints of BEP 38. */
export const MAX_HINTS = 256;

/** The error of this folder. `problem` is a clause that completes "the torrent is broken: ". */
export function metainfoInvalid(problem: string, cause?: unknown): ShoalError {
  return new ShoalError('METAINFO_INVALID', `the torrent is broken: ${problem}`, cause);
}
