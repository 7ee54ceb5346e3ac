// Many files in one call, by the optional native module (native/file_batch.c). Each call does its files in order as long as
// all is as it should be, and says how many it did: 0 where the module is not there. The next one is the caller's, who does
// it by Node's own calls and so says what is wrong with it.

import { utf8 } from '../../../base/bytes.ts';
import { loadNative } from '../native.ts';
import type { FileTable } from './file-table.ts';

/** Of calls and layout; a module of another one is left alone. */
const VERSION = 1;

/** Fewer files are done as fast one by one. */
export const MANY_FILES = 4;

interface FileBatchModule {
  readonly version: number;
  look(...files: [...Table, files: Uint32Array, states: Float64Array]): number;
  read(...files: [...Table, spans: Float64Array, into: Uint8Array, at: number, lengths: Float64Array]): number;
  make(...files: [...Columns, spans: Float64Array, bytes: Uint8Array]): number;
  finished(...files: [...Columns, executables: Uint8Array, firstFile: number, endFile: number]): number;
  sync(...files: [...Table, files: Uint32Array]): Promise<number>;
  syncFolders(paths: Uint8Array): Promise<number>;
}

/** The root, paths below it, and where each begins. */
type Table = readonly [root: Uint8Array, paths: Uint8Array, starts: Uint32Array];

type Columns = [...Table, lengths: Float64Array, whole: Uint8Array];

let loaded: FileBatchModule | null | undefined;

function module(): FileBatchModule | null {
  if (loaded === undefined) loaded = loadNative<FileBatchModule>('file_batch', VERSION);
  return loaded;
}

function packed({ packed: { root, paths, starts } }: FileTable): Table {
  return [root, paths, starts];
}

/** Whether the calls do anything. */
export function hasFileBatches(): boolean {
  return module() !== null;
}

/** Looks at files through links; what it sees of them goes into the numbers of a ContentStates, which hold zeros. */
export function lookAtFiles(table: FileTable, files: Uint32Array, states: Float64Array): number {
  return module()?.look(...packed(table), files, states) ?? 0;
}

/**
 * Fills `into`, which stands at `at` of what the spans describe, with the whole of each span, and with zeros between them.
 * `lengths` gets how long the file of each is.
 */
export function readFiles(
  table: FileTable,
  spans: Float64Array,
  into: Uint8Array,
  at: number,
  lengths: Float64Array,
): number {
  return module()?.read(...packed(table), spans, into, at, lengths) ?? 0;
}

/**
 * Makes the files, and the folders above them, that spans of `bytes` are the whole of, and notes that they are; follows no
 * link below the root.
 */
export function makeFiles(table: FileTable, spans: Float64Array, bytes: Uint8Array): number {
  const { lengths, whole } = table.packed;
  return module()?.make(...packed(table), lengths, whole, spans, bytes) ?? 0;
}

/** How many files from the first one on are as `finish` leaves them. */
export function countFinished(table: FileTable, firstFile: number, endFile: number): number {
  const { lengths, whole, executables } = table.packed;
  return module()?.finished(...packed(table), lengths, whole, executables, firstFile, endFile) ?? 0;
}

/** What {@link syncFilesAside} and {@link syncFoldersAside} throw where the disk could not be written. */
export interface SyncFailure extends Error {
  /** Which of them. */
  readonly at: number;
}

/** Puts files onto stable storage, on a thread of libuv. Throws a SyncFailure. */
export function syncFilesAside(table: FileTable, files: Uint32Array): Promise<number> {
  return module()?.sync(...packed(table), files) ?? Promise.resolve(0);
}

/** The same for folders, by their whole paths. */
export function syncFoldersAside(paths: readonly string[]): Promise<number> {
  return module()?.syncFolders(utf8(paths.map((path) => `${path}\0`).join(''))) ?? Promise.resolve(0);
}
