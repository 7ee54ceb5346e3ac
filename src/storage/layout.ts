// Which bytes of which files a piece is made of: from the piece space of a torrent to files on disk and back.

import { BLOCK_BYTES, type Geometry } from '../metainfo/geometry.ts';
import type { TorrentFile, TorrentInfo } from '../metainfo/types.ts';
import type { ContentFile, ContentSpec, Spans } from '../ports/piece-io.ts';
import { checkPaths } from './safe-path.ts';
import { SpanTable } from './span-table.ts';

export interface ContentSymlink {
  readonly path: readonly string[];
  readonly target: readonly string[];
}

/**
 * The files of a torrent that exist on disk, and the spans of its pieces in them.
 *
 * ```
 * torrent files   0:a   1:padding   2:b   3:symlink   4:c (empty)   5:d
 * content files   0:a               1:b               2:c           3:d
 * ```
 * Padding and symlinks are no content files; empty files are, but no piece spans them.
 */
export class Layout {
  /** What is on disk, by content file index, as spans name them. */
  readonly files: readonly ContentFile[];
  /** Symlinks to be made when the content is complete. */
  readonly symlinks: readonly ContentSymlink[];
  readonly #geometry: Geometry;
  readonly #table: SpanTable;
  readonly #starts: Float64Array;
  readonly #torrentFiles: Uint32Array;
  readonly #contentFiles: Int32Array;

  /** UNSAFE_PATH where a path would leave the torrent's folder. */
  constructor(info: TorrentInfo, geometry: Geometry) {
    checkPaths(info);
    const files: ContentFile[] = [];
    const symlinks: ContentSymlink[] = [];
    const torrentFiles: number[] = [];
    this.#contentFiles = new Int32Array(info.files.length).fill(-1);
    for (const [index, file] of info.files.entries()) {
      if (file.padding) continue;
      if (file.symlink !== null) {
        symlinks.push({ path: file.path, target: file.symlink });
        continue;
      }
      this.#contentFiles[index] = files.length;
      torrentFiles.push(index);
      files.push(info.singleFile ? rootFile(file) : file);
    }
    this.files = files;
    this.symlinks = symlinks;
    this.#geometry = geometry;
    this.#torrentFiles = Uint32Array.from(torrentFiles);
    this.#starts = Float64Array.from(torrentFiles, (index) => info.files[index]!.offsetBytes);
    this.#table = new SpanTable(
      this.#starts,
      files.map((file) => file.lengthBytes),
    );
  }

  /** The content as PieceIo opens it. */
  spec(root: string, options: { writable: boolean; preallocate: boolean }): ContentSpec {
    return { root, files: this.files, writable: options.writable, preallocate: options.preallocate };
  }

  /** Index in the torrent's file list of a content file. */
  torrentFileOf(contentFile: number): number {
    return this.#torrentFiles[contentFile]!;
  }

  /** Content file of an index in the torrent's file list; -1 for padding and symlinks. */
  contentFileOf(torrentFile: number): number {
    return this.#contentFiles[torrentFile]!;
  }

  /** Spans of a whole piece, padding left out. */
  pieceSpans(piece: number): Spans {
    return this.rangeSpans(piece, 0, this.#geometry.pieceBytes(piece));
  }

  /** Spans of `lengthBytes` from `begin` of a piece on, in a buffer from `bufferOffset` on. */
  rangeSpans(piece: number, begin: number, lengthBytes: number, bufferOffset = 0): Spans {
    return this.#table.spans(this.#geometry.pieceOffset(piece) + begin, lengthBytes, bufferOffset);
  }

  /** Like {@link rangeSpans}, with `gapBytes` of the buffer left free before every block of 16 KiB. */
  gappedSpans(piece: number, begin: number, lengthBytes: number, gapBytes: number): Spans {
    const start = this.#geometry.pieceOffset(piece) + begin;
    return this.#table.spans(start, lengthBytes, gapBytes, BLOCK_BYTES, gapBytes);
  }

  /**
   * First and last content file with bytes in a piece; `first > last` where the piece is padding only.
   * Empty files may lie between them.
   */
  firstFileOf(piece: number): number {
    const first = this.#table.fileEndingAfter(this.#geometry.pieceOffset(piece));
    return first < 0 ? this.files.length : first;
  }

  lastFileOf(piece: number): number {
    return this.#table.fileStartingBefore(this.#geometry.pieceOffset(piece) + this.#geometry.pieceBytes(piece));
  }

  /** First and last piece with bytes of a content file; null for an empty file. */
  piecesOfFile(contentFile: number): readonly [first: number, last: number] | null {
    const lengthBytes = this.files[contentFile]!.lengthBytes;
    if (lengthBytes === 0) return null;
    const start = this.#starts[contentFile]!;
    const pieceLengthBytes = this.#geometry.pieceLengthBytes;
    return [Math.floor(start / pieceLengthBytes), Math.floor((start + lengthBytes - 1) / pieceLengthBytes)];
  }

  /** Where in a content file a piece's bytes end: how long the file must be to hold them. */
  endInFile(piece: number, contentFile: number): number {
    const pieceEnd = this.#geometry.pieceOffset(piece) + this.#geometry.pieceBytes(piece);
    return Math.min(this.files[contentFile]!.lengthBytes, pieceEnd - this.#starts[contentFile]!);
  }
}

/** The one file of a torrent, which is the content's root itself. */
function rootFile({ lengthBytes, executable }: TorrentFile): ContentFile {
  return { path: [], lengthBytes, executable };
}
