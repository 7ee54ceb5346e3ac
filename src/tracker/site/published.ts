// An uploaded .torrent or .mtorrent, checked by the parser of all our programs -> what the catalogue keeps of it.

import { concatBytes } from '../../base/bytes.ts';
import { ShoalError } from '../../base/errors.ts';
import { encode } from '../../bencode/encode.ts';
import { buildMetainfo } from '../../metainfo/build.ts';
import { mtorrentToMetainfo, parseMtorrent } from '../../metainfo/mtorrent.ts';
import { parseMetainfo } from '../../metainfo/parse.ts';
import type { Metainfo } from '../../metainfo/types.ts';
import { nodeHashes } from '../../platform/node/hashes.ts';

export interface PublishedFile {
  readonly path: string;
  readonly lengthBytes: number;
}

export interface Published {
  /** 20 bytes; null for v2-only. */
  readonly hashV1: Uint8Array | null;
  /** 32 bytes; null for v1-only. */
  readonly hashV2: Uint8Array | null;
  readonly name: string;
  readonly comment: string;
  readonly lengthBytes: number;
  readonly pieceLengthBytes: number;
  readonly private: boolean;
  /** Seconds since 1970; null where it does not say. */
  readonly createdAt: number | null;
  /** Trackers of the file, in tiers. */
  readonly trackers: readonly (readonly string[])[];
  /** Padding left out. */
  readonly files: readonly PublishedFile[];
  /** The torrent file without its trackers and its first byte; see {@link servedFile}. */
  readonly body: Uint8Array;
  /** The words of the files' paths that are searched. */
  readonly fileText: string;
}

/** Of a comment; one that is longer is cut. */
const MAX_COMMENT = 4000;
/** Of the paths; a quarter of a megabyte has the names of some ten thousand files. */
const MAX_FILE_TEXT = 256 * 1024;
/** So that the served file is not a way to have others announce everywhere. */
const MAX_TRACKERS = 20;

/** Reads an upload. METAINFO_INVALID, MTORRENT_INVALID. */
export function readUpload(bytes: Uint8Array): Published {
  const metainfo = parse(bytes);
  const { info } = metainfo;
  const files = info.files
    .filter((file) => !file.padding)
    .map((file) => ({ path: file.path.join('/'), lengthBytes: file.lengthBytes }));
  return {
    hashV1: info.infoHashV1,
    hashV2: info.infoHashV2,
    name: plain(info.name),
    comment: plain(metainfo.comment ?? '').slice(0, MAX_COMMENT),
    lengthBytes: info.lengthBytes,
    pieceLengthBytes: info.pieceLengthBytes,
    private: info.private,
    createdAt: metainfo.creationDate,
    trackers: metainfo.trackers.map((tier) => tier.slice(0, MAX_TRACKERS)).slice(0, MAX_TRACKERS),
    files,
    body: bodyOf(metainfo),
    fileText: fileTextOf(files),
  };
}

/** The torrent file with these trackers: keys are sorted, so that what names trackers comes first in any case. */
export function servedFile(body: Uint8Array, trackers: readonly (readonly string[])[]): Uint8Array {
  const head = encode({
    announce: trackers[0]?.[0],
    'announce-list': trackers.flat().length > 1 ? trackers : undefined,
  });
  return concatBytes([head.subarray(0, head.length - 1), body]);
}

function parse(bytes: Uint8Array): Metainfo {
  if (bytes[0] === 'd'.charCodeAt(0)) return parseMetainfo(bytes, nodeHashes);
  if (/^(https?|udp|wss?):\/\//.test(String.fromCharCode(...bytes.subarray(0, 10)))) {
    return mtorrentToMetainfo(parseMtorrent(bytes), nodeHashes);
  }
  throw new ShoalError('METAINFO_INVALID', 'this is neither a .torrent nor a .mtorrent file');
}

function bodyOf(metainfo: Metainfo): Uint8Array {
  // Piece layers are written for v2 only: a v1 file must stay free of them.
  const { pieceLayers, ...rest } = metainfo;
  const layers = metainfo.info.hasV2 ? { pieceLayers } : {};
  return buildMetainfo({ ...rest, ...layers, trackers: [], info: metainfo.info.bytes }).subarray(1);
}

/** Each part of a path once: folders would weigh as often as they have files. */
function fileTextOf(files: readonly PublishedFile[]): string {
  const parts = new Set<string>();
  let length = 0;
  for (const { path } of files) {
    for (const part of path.split('/')) {
      if (parts.has(part)) continue;
      length += part.length + 1;
      if (length > MAX_FILE_TEXT) return plain([...parts].join('\n'));
      parts.add(part);
    }
  }
  return plain([...parts].join('\n'));
}

/** Without control characters (but line ends) and halves of characters, which XML cannot say and terminals obey. */
function plain(text: string): string {
  return text.replace(/[^\P{Cc}\n]|[\p{Cs}\uFFFE\uFFFF]/gu, ' ').trim();
}
