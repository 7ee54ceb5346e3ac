// What a torrent or a magnet link says, as the JSON documents of inspect and create have it.

import { toHex } from '../base/bytes.ts';
import { formatMagnet, magnetOf } from '../metainfo/magnet.ts';
import type { Magnet, Metainfo, TorrentFile } from '../metainfo/types.ts';

export interface FileFacts {
  /** `/`-separated, without the torrent's name for a folder. */
  readonly path: string;
  readonly length: number;
  readonly padding?: true;
  /** The target, from the torrent's folder. */
  readonly symlink?: string;
  readonly executable?: true;
  readonly hidden?: true;
}

/** Keys stay as they are once published. Null: not known (a magnet link says little). */
export interface TorrentFacts {
  readonly name: string | null;
  readonly infoHashV1: string | null;
  readonly infoHashV2: string | null;
  readonly pieceLength: number | null;
  readonly pieceCount: number | null;
  /** Bytes of content, without padding. */
  readonly length: number | null;
  readonly private: boolean | null;
  readonly trackers: readonly (readonly string[])[];
  readonly webSeeds: readonly string[];
  readonly comment: string | null;
  readonly createdBy: string | null;
  readonly creationDate: number | null;
  readonly source: string | null;
  readonly files: readonly FileFacts[] | null;
  readonly magnet: string;
}

export function hexOrNull(hash: Uint8Array | null): string | null {
  return hash === null ? null : toHex(hash);
}

export function factsOf(metainfo: Metainfo): TorrentFacts {
  const { info } = metainfo;
  return {
    name: info.name,
    infoHashV1: hexOrNull(info.infoHashV1),
    infoHashV2: hexOrNull(info.infoHashV2),
    pieceLength: info.pieceLengthBytes,
    pieceCount: info.pieceCount,
    length: info.lengthBytes,
    private: info.private,
    trackers: metainfo.trackers,
    webSeeds: metainfo.webSeeds,
    comment: metainfo.comment,
    createdBy: metainfo.createdBy,
    creationDate: metainfo.creationDate,
    source: info.source,
    files: info.files.map(fileFacts),
    magnet: formatMagnet(magnetOf(metainfo)),
  };
}

export function factsOfMagnet(magnet: Magnet, text: string): TorrentFacts {
  return {
    name: magnet.name,
    infoHashV1: hexOrNull(magnet.infoHashV1),
    infoHashV2: hexOrNull(magnet.infoHashV2),
    pieceLength: null,
    pieceCount: null,
    length: magnet.lengthBytes,
    private: null,
    trackers: magnet.trackers.map((url) => [url]),
    webSeeds: magnet.webSeeds,
    comment: null,
    createdBy: null,
    creationDate: null,
    source: null,
    files: null,
    magnet: text,
  };
}

function fileFacts(file: TorrentFile): FileFacts {
  return {
    path: file.path.join('/'),
    length: file.lengthBytes,
    ...(file.padding ? { padding: true } : {}),
    ...(file.symlink ? { symlink: file.symlink.join('/') } : {}),
    ...(file.executable ? { executable: true } : {}),
    ...(file.hidden ? { hidden: true } : {}),
  };
}

/** What the pieces were checked by: `SHA-1`, `SHA-256`, or both. */
export function algorithmOf(metainfo: Metainfo): string {
  const { hasV1, hasV2 } = metainfo.info;
  return hasV1 && hasV2 ? 'SHA-1 and SHA-256' : hasV2 ? 'SHA-256' : 'SHA-1';
}
