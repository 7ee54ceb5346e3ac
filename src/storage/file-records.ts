// Content files as a journal notes them: which ones pieces lie in, and how they are on disk now.

import { Bitfield } from '../base/bitfield.ts';
import type { Content } from '../ports/piece-io.ts';
import type { FileRecord } from './journal-state.ts';
import type { Layout } from './layout.ts';

/** Content files with bytes of any of these pieces (and empty ones between them). */
export function filesOfPieces(layout: Layout, pieces: readonly number[]): number[] {
  const seen = new Bitfield(layout.files.length);
  const files: number[] = [];
  for (const piece of pieces) {
    const last = layout.lastFileOf(piece);
    for (let file = layout.firstFileOf(piece); file <= last; file++) if (seen.set(file)) files.push(file);
  }
  return files;
}

/** The records of `files` as they are on disk now. */
export async function recordFiles(content: Content, files: readonly number[]): Promise<FileRecord[]> {
  if (files.length === 0) return [];
  const states = await content.states(files);
  return files.map((index) => {
    const { exists, lengthBytes, mtimeMs } = states.at(index);
    return { index, lengthBytes: exists ? lengthBytes : -1, mtimeMs: exists ? mtimeMs : 0 };
  });
}
