// Content files as a journal notes them: which ones pieces lie in, and how they are on disk now.

import type { Content, ContentFileState } from '../ports/piece-io.ts';
import type { FileRecord } from './journal-state.ts';
import type { Layout } from './layout.ts';

/** Content files with bytes of any of these pieces (and empty ones between them). */
export function filesOfPieces(layout: Layout, pieces: readonly number[]): Set<number> {
  const files = new Set<number>();
  for (const piece of pieces) {
    for (let file = layout.firstFileOf(piece); file <= layout.lastFileOf(piece); file++) files.add(file);
  }
  return files;
}

/** What is on disk of `files`, in their order. */
export async function statesOf(content: Content, files: readonly number[]): Promise<readonly ContentFileState[]> {
  if (files.length === 0) return [];
  const states = await content.states(files);
  return files.map((file) => states[file]!);
}

/** The records of `files` as they are on disk now. */
export async function recordFiles(content: Content, files: ReadonlySet<number>): Promise<FileRecord[]> {
  const indices = [...files];
  const states = await statesOf(content, indices);
  return indices.map((index, i) => {
    const { exists, lengthBytes, mtimeMs } = states[i]!;
    return { index, lengthBytes: exists ? lengthBytes : -1, mtimeMs: exists ? mtimeMs : 0 };
  });
}
