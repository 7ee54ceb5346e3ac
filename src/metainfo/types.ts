// What a torrent is, once read and checked: plain readonly data.

/** One file of a torrent, padding and symlinks included, in the torrent's order. */
export interface TorrentFile {
  /** Safe components below the torrent's folder (a single-file torrent: just the name). Unique, ignoring case. */
  readonly path: readonly string[];
  /** Without padding: for a symlink 0. */
  readonly lengthBytes: number;
  /** Where it begins in the piece space (all files and padding one after the other). */
  readonly offsetBytes: number;
  /** BEP 47 attributes. */
  readonly padding: boolean;
  readonly executable: boolean;
  readonly hidden: boolean;
  /** Target components below the torrent's folder; null for a regular file. */
  readonly symlink: readonly string[] | null;
  /** Root of the file's merkle tree (BEP 52); null without v2 and for an empty file. */
  readonly piecesRoot: Uint8Array | null;
}

/** The info dictionary, read and checked. */
export interface TorrentInfo {
  /** The exact bytes that the info hash was taken of. */
  readonly bytes: Uint8Array;
  readonly hasV1: boolean;
  readonly hasV2: boolean;
  /** SHA-1 of the info dictionary, 20 bytes; null for v2-only. */
  readonly infoHashV1: Uint8Array | null;
  /** SHA-256 of the info dictionary, 32 bytes; null for v1-only. */
  readonly infoHashV2: Uint8Array | null;
  /** Safe to use as a file name. */
  readonly name: string;
  readonly singleFile: boolean;
  readonly files: readonly TorrentFile[];
  readonly pieceLengthBytes: number;
  readonly pieceCount: number;
  /** The whole piece space: padding between files included. */
  readonly spaceBytes: number;
  /** The content alone: no padding. */
  readonly lengthBytes: number;
  /** SHA-1 of every piece, concatenated; null for v2-only. */
  readonly pieceHashes: Uint8Array | null;
  readonly private: boolean;
  readonly source: string | null;
  /** BEP 38. */
  readonly similar: readonly Uint8Array[];
  readonly collections: readonly string[];
}

/** A `.torrent` file, read and checked. */
export interface Metainfo {
  readonly info: TorrentInfo;
  /**
   * BEP 52 piece layers by hex of the file's pieces root: 32 bytes a piece of that file. Only files longer than a piece
   * have one. Empty for v1.
   */
  readonly pieceLayers: ReadonlyMap<string, Uint8Array>;
  /** Tiers of URLs (BEP 12); `announce` alone is one tier. */
  readonly trackers: readonly (readonly string[])[];
  /** BEP 19 and BEP 17. */
  readonly webSeeds: readonly string[];
  readonly httpSeeds: readonly string[];
  /** DHT nodes (BEP 5). */
  readonly nodes: readonly { readonly host: string; readonly port: number }[];
  readonly comment: string | null;
  readonly createdBy: string | null;
  /** Seconds since 1970-01-01 UTC. */
  readonly creationDate: number | null;
}

/** A magnet link (BEP 9, BEP 53), read and checked. */
export interface Magnet {
  readonly infoHashV1: Uint8Array | null;
  readonly infoHashV2: Uint8Array | null;
  readonly name: string | null;
  /** Content length that the link claims (xl), in bytes. */
  readonly lengthBytes: number | null;
  readonly trackers: readonly string[];
  readonly webSeeds: readonly string[];
  /** `x.pe`: addresses of peers, host names allowed. */
  readonly peers: readonly { readonly host: string; readonly port: number }[];
  /** BEP 53: indices of selected files, ranges kept; null: all. */
  readonly selectOnly: readonly (readonly [first: number, last: number])[] | null;
}
