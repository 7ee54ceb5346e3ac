// The content of torrents: pooled piece slots, hash-and-write in one message, batch hashing, reading.
//
//   acquire -> slot --blocks copied in--> commit(slot) -> hash -> good: write  -> release
//                                                          `---> bad: discard -> release
//
// In Node the slots are shared memory and commit, hash and read run on worker threads.

import type { CopyBytes } from '../base/block-copy.ts';
import type { ContentStates } from './content-states.ts';

/**
 * Which bytes of files stand where in a buffer: four numbers a span, flat:
 * file index, offset in the file, offset in the buffer, length. Ordered by buffer offset, none empty.
 * Bytes of the buffer that no span covers are padding: they are zero and exist in no file.
 */
export type Spans = Float64Array;

export const SPAN_STRIDE = 4;

/** Memory for one piece while it is fetched. Owned by who acquired it until `release`. */
export interface PieceSlot {
  /** Exactly the length asked for; all zero when acquired, unless it was said that it may be dirty. */
  readonly bytes: Uint8Array;
}

export interface ContentFile {
  /** Components below the root; checked to be safe before. Empty for a root that is itself the file. */
  readonly path: readonly string[];
  readonly lengthBytes: number;
  readonly executable: boolean;
}

export interface ContentSpec {
  /** The file or folder that is the content. */
  readonly root: string;
  /** Files by index, as spans name them. Padding files are not among them. */
  readonly files: readonly ContentFile[];
  /** False: only reads; files are never made or changed. */
  readonly writable: boolean;
  /** True: reserve the disk space of a file when it is first written; else files are sparse. */
  readonly preallocate: boolean;
}

/** What a piece must hash to. Both given (hybrid): both must match. */
export interface PieceCheck {
  /** SHA-1 of the whole piece (BEP 3), 20 bytes. */
  readonly sha1: Uint8Array | null;
  /** Root of the piece's merkle tree (BEP 52), 32 bytes. */
  readonly root: Uint8Array | null;
  /** Bytes the tree covers: the piece without padding. */
  readonly treeBytes: number;
  /** Leaves of the tree, a power of two; those past the data are 32 zero bytes. */
  readonly leafCount: number;
}

export type CommitOutcome =
  | { readonly good: true; readonly root: Uint8Array | null }
  /** `leaves`: SHA-256 of each 16 KiB block in `treeBytes`, concatenated; null where no tree was asked for. */
  | { readonly good: false; readonly leaves: Uint8Array | null };

export interface HashJob {
  readonly spans: Spans;
  readonly lengthBytes: number;
  readonly sha1: boolean;
  /** 0: no tree. As in PieceCheck. */
  readonly treeBytes: number;
  readonly leafCount: number;
  /** Return the leaves as well as the root. */
  readonly wantLeaves: boolean;
}

export interface HashOutcome {
  /** False where a file is missing or shorter than a span needs; then there are no digests. */
  readonly present: boolean;
  readonly sha1: Uint8Array | null;
  readonly root: Uint8Array | null;
  readonly leaves: Uint8Array | null;
}

/** The open content of one torrent. Errors are ShoalErrors: DISK_FULL, READ_ONLY, PERMISSION, FILE_IN_THE_WAY, UNSAFE_PATH, IO. */
export interface Content {
  /**
   * Hashes `slot` and, where it matches `check`, writes its spans; a bad piece is written nowhere.
   * The slot must not change meanwhile and still belongs to the caller afterwards.
   */
  commit(slot: PieceSlot, check: PieceCheck, spans: Spans): Promise<CommitOutcome>;
  /**
   * Hashes what is on disk, jobs spread over all workers; outcomes in the order of the jobs. `lengths`, where given, gets
   * by file index how long the files were that were opened for it: they need no other look.
   */
  hash(jobs: readonly HashJob[], lengths?: Float64Array): Promise<readonly HashOutcome[]>;
  /** Fills `into` as the spans say (padding becomes zero). A missing or short file is FILE_CHANGED. `into` is lent meanwhile. */
  read(spans: Spans, into: Uint8Array): Promise<void>;
  /** What is on disk now, by file index, links followed; lengths in the spec do not matter. Where `files` is given only their entries are wanted: others need no look. */
  states(files?: readonly number[]): Promise<ContentStates>;
  /** Puts all that was committed before the call onto stable storage, modification times included (fsync, not fdatasync). */
  sync(): Promise<void>;
  /** Makes the folders and the empty files, sets lengths and executable bits, makes `symlinks` (checked before; path and target components below the root). */
  finish(symlinks: readonly { path: readonly string[]; target: readonly string[] }[]): Promise<void>;
  close(): Promise<void>;
}

export interface PieceIo {
  /** How many hash jobs run side by side. */
  readonly parallel: number;
  /** How bytes get into slots soonest. */
  readonly copy: CopyBytes;
  /** Memory for a piece, or null while the pool's budget is used up (one slot is always given to an empty pool). */
  acquire(lengthBytes: number, mayBeDirty?: boolean): PieceSlot | null;
  release(slot: PieceSlot): void;
  /** Touches no disk. */
  open(spec: ContentSpec): Content;
  close(): Promise<void>;
}
