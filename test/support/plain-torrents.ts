// Torrent files of plain members, right or wrong in any one of them, and what the parser says to them: for tests.

import { isShoalError } from '../../src/base/errors.ts';
import { type Encodable, encode } from '../../src/bencode/encode.ts';
import { parseMetainfo } from '../../src/metainfo/parse.ts';
import type { Metainfo } from '../../src/metainfo/types.ts';
import { noise, type SampleFile, testHashes } from './sample-torrents.ts';

export type Members = { readonly [key: string]: Encodable | undefined };

const HASH: Uint8Array = new Uint8Array(20).fill(7);

/** A valid v1 info dictionary of one file. */
export const single: Members = { name: 'n', length: 5, 'piece length': 16384, pieces: HASH };

/** A torrent file. */
export const torrent = (info: Members, outer: Members = {}): Uint8Array => encode({ ...outer, info });

/** A v1 torrent file of one piece with a `files` list. */
export const folder = (files: readonly Members[], more: Members = {}): Uint8Array =>
  torrent({ name: 'n', 'piece length': 16384, pieces: HASH, files: files as Encodable[], ...more });

export const parse = (bytes: Uint8Array): Metainfo => parseMetainfo(bytes, testHashes);

export const pathsOf = (meta: Metainfo): string[] => meta.info.files.map((file) => file.path.join('/'));

/** What the parser says to a torrent file: a sentence, or `fine`. Any error but METAINFO_INVALID is thrown on. */
export function problem(bytes: Uint8Array): string {
  try {
    parse(bytes);
  } catch (error) {
    if (isShoalError(error, 'METAINFO_INVALID')) return error.message;
    throw error;
  }
  return 'fine';
}

/** Files of every sort: executable, hidden, empty, symlink, longer and shorter than a piece. */
export const someFiles: readonly SampleFile[] = [
  { path: ['b', 'x'], bytes: noise(40_000, 1), executable: true },
  { path: ['b.txt'], bytes: noise(5, 2) },
  { path: ['empty'], bytes: new Uint8Array(0) },
  { path: ['a'], bytes: noise(100_000, 3), hidden: true },
  { path: ['link'], bytes: new Uint8Array(0), symlink: ['b', 'x'] },
];
