// What a journal says in sum, and what a flush adds to it.

import { Bitfield } from '../base/bitfield.ts';

/** A content file as it was when its pieces were journaled. */
export interface FileRecord {
  readonly index: number;
  /** -1: there was no file. */
  readonly lengthBytes: number;
  readonly mtimeMs: number;
}

/** What one flush adds. */
export interface JournalBatch {
  readonly wallMs: number;
  readonly uploaded: number;
  readonly downloaded: number;
  readonly won: readonly number[];
  readonly lost: readonly number[];
  readonly files: readonly FileRecord[];
}

/** What a journal says in sum. Mutable: batches are applied to it as they are written. */
export class JournalState {
  /** Pieces that were verified and on stable storage. */
  readonly verified: Bitfield;
  /** Pieces that were verified, in files that have changed since: to be hashed again. */
  readonly doubtful: Bitfield;
  /** By content file; NaN: not recorded, -1: there was no file. */
  readonly lengthBytes: Float64Array;
  readonly mtimeMs: Float64Array;
  uploaded = 0;
  downloaded = 0;
  /** When the journal was last written. */
  wallMs = 0;
  /** Nothing was written to the content since. */
  clean = true;

  constructor(pieceCount: number, fileCount: number) {
    this.verified = new Bitfield(pieceCount);
    this.doubtful = new Bitfield(pieceCount);
    this.lengthBytes = new Float64Array(fileCount).fill(Number.NaN);
    this.mtimeMs = new Float64Array(fileCount).fill(Number.NaN);
  }

  apply(batch: JournalBatch): void {
    if (batch.won.length > 0 || batch.lost.length > 0 || batch.files.length > 0) this.clean = false;
    for (const piece of batch.won) {
      this.verified.set(piece);
      this.doubtful.clear(piece);
    }
    for (const piece of batch.lost) {
      this.verified.clear(piece);
      this.doubtful.clear(piece);
    }
    this.applyFiles(batch.files);
    this.uploaded = batch.uploaded;
    this.downloaded = batch.downloaded;
    this.wallMs = batch.wallMs;
  }

  applyFiles(files: readonly FileRecord[]): void {
    for (const file of files) {
      this.lengthBytes[file.index] = file.lengthBytes;
      this.mtimeMs[file.index] = file.mtimeMs;
    }
  }

  recordedFiles(): FileRecord[] {
    const files: FileRecord[] = [];
    for (let index = 0; index < this.mtimeMs.length; index++) {
      const lengthBytes = this.lengthBytes[index]!;
      if (!Number.isNaN(lengthBytes)) files.push({ index, lengthBytes, mtimeMs: this.mtimeMs[index]! });
    }
    return files;
  }
}
