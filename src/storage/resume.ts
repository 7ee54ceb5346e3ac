// Which journaled pieces can be trusted when a torrent is taken up again: the files must be as the journal left them.

import { Bitfield } from '../base/bitfield.ts';
import type { ContentFileState } from '../ports/content-states.ts';
import type { Content } from '../ports/piece-io.ts';
import type { FileRecord, JournalState } from './journal-state.ts';
import type { Layout } from './layout.ts';

/** What is known about a torrent's content when it is taken up again. */
export interface ResumeState {
  /** Pieces that need no look: verified, and their files are as they were left. */
  readonly verified: Bitfield;
  /** Pieces that were verified once, but a file of theirs has changed: hash them again before use. */
  readonly recheck: Bitfield;
  /** The last run did not end cleanly. */
  readonly unclean: boolean;
  readonly uploaded: number;
  readonly downloaded: number;
  /** There was no journal: nothing is known, whatever is on disk. */
  readonly fresh: boolean;
}

/**
 * After an unclean stop a file that was being written may be newer than the journal's last word, by no more than this:
 * a second between flushes, and the sync of 64 MiB on a slow disk (10 MB/s). Later than that, someone else wrote.
 */
export const LATE_WRITE_MS = 10_000;

/** What a look at the files has shown. */
export interface Findings {
  /** Verified pieces that can no longer be trusted, because a file of theirs is not as it was recorded. */
  readonly doubtful: Bitfield;
  /** The files that can be trusted, as they are now. */
  readonly trusted: readonly FileRecord[];
}

/**
 * Compares the files of the verified pieces of `state` with what was recorded of them.
 *
 * - After a clean stop length and modification time must be the recorded ones.
 * - After an unclean stop so must those of files that were complete: nobody wrote to them any more.
 * - An unfinished file may have grown and be newer, up to {@link LATE_WRITE_MS} after the journal's last record: those
 *   are the writes that the journal had no time to tell of, and they touch no verified piece.
 */
export async function compareFiles(state: JournalState, layout: Layout, content: Content): Promise<Findings> {
  const doubtful = new Bitfield(state.verified.length);
  const neededBytes = neededLengths(state.verified, layout);
  const files: number[] = [];
  for (let file = 0; file < neededBytes.length; file++) if (neededBytes[file]! > 0) files.push(file);
  const unfinished = state.clean ? null : unfinishedFiles(state.verified, layout);
  const states = files.length === 0 ? null : await content.states(files);
  const changed = new Uint8Array(neededBytes.length);
  const trusted: FileRecord[] = [];
  for (const index of files) {
    const found = states!.at(index);
    const lateWrites = unfinished !== null && unfinished[index] === 1;
    if (isAsRecorded(state, index, found, neededBytes[index]!, lateWrites)) {
      trusted.push({ index, lengthBytes: found.lengthBytes, mtimeMs: found.mtimeMs });
    } else {
      changed[index] = 1;
    }
  }
  state.verified.forEach((piece) => {
    for (let file = layout.firstFileOf(piece); file <= layout.lastFileOf(piece); file++) {
      if (changed[file] === 1) doubtful.set(piece);
    }
  });
  return { doubtful, trusted };
}

function isAsRecorded(
  state: JournalState,
  file: number,
  found: ContentFileState,
  neededBytes: number,
  lateWrites: boolean,
): boolean {
  const lengthBytes = state.lengthBytes[file]!;
  const mtimeMs = state.mtimeMs[file]!;
  if (!found.exists || Number.isNaN(lengthBytes) || found.lengthBytes < neededBytes) return false;
  if (found.lengthBytes === lengthBytes && found.mtimeMs === mtimeMs) return true;
  return (
    lateWrites &&
    found.lengthBytes >= lengthBytes &&
    found.mtimeMs >= mtimeMs &&
    found.mtimeMs <= state.wallMs + LATE_WRITE_MS
  );
}

/** By content file: how long it must be to hold its verified pieces; 0 where it has none. */
function neededLengths(verified: Bitfield, layout: Layout): Float64Array {
  const out = new Float64Array(layout.files.length);
  verified.forEach((piece) => {
    for (let file = layout.firstFileOf(piece); file <= layout.lastFileOf(piece); file++) {
      out[file] = Math.max(out[file]!, layout.endInFile(piece, file));
    }
  });
  return out;
}

/** By content file: 1 where a piece of it is not verified, so that it may have been written to. */
function unfinishedFiles(verified: Bitfield, layout: Layout): Uint8Array {
  const out = new Uint8Array(layout.files.length);
  for (let piece = 0; piece < verified.length; piece++) {
    if (verified.has(piece)) continue;
    const first = layout.firstFileOf(piece);
    const last = layout.lastFileOf(piece);
    if (first <= last) out.fill(1, first, last + 1);
  }
  return out;
}
