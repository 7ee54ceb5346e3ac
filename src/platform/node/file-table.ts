// The files of a content as the worker threads know them: flat, so that a hundred thousand of them are three values to
// send and take no objects to keep.

import type { ContentSpec } from '../../ports/piece-io.ts';

/** A ContentSpec as a message. No component of a path holds a zero byte: they were checked to be safe. */
export interface PackedSpec {
  readonly root: string;
  readonly writable: boolean;
  /** Paths below the root with `/` between components and a zero byte between paths. */
  readonly paths: string;
  readonly lengths: Float64Array;
  /** 1 for an executable file. */
  readonly executables: Uint8Array;
}

/** Each worker is told of the same content. */
const packedSpecs = new WeakMap<ContentSpec, PackedSpec>();

export function packSpec(spec: ContentSpec): PackedSpec {
  const packed = packedSpecs.get(spec) ?? packedOf(spec);
  packedSpecs.set(spec, packed);
  return packed;
}

function packedOf({ root, writable, files }: ContentSpec): PackedSpec {
  return {
    root,
    writable,
    paths: files.map(({ path }) => path.join('/')).join('\0'),
    lengths: Float64Array.from(files, ({ lengthBytes }) => lengthBytes),
    executables: Uint8Array.from(files, ({ executable }) => (executable ? 1 : 0)),
  };
}

export class FileTable {
  readonly root: string;
  readonly writable: boolean;
  readonly #paths: readonly string[];
  readonly #lengths: Float64Array;
  readonly #executables: Uint8Array;

  constructor(packed: PackedSpec) {
    this.root = packed.root;
    this.writable = packed.writable;
    this.#paths = packed.paths.split('\0');
    this.#lengths = packed.lengths;
    this.#executables = packed.executables;
  }

  get count(): number {
    return this.#lengths.length;
  }

  /** Where a file is on disk. */
  path(file: number): string {
    return pathBelow(this.root, this.#paths[file]!);
  }

  /** Its components below the root; none where the root is the file. */
  components(file: number): readonly string[] {
    const path = this.#paths[file]!;
    return path === '' ? [] : path.split('/');
  }

  lengthBytes(file: number): number {
    return this.#lengths[file]!;
  }

  isExecutable(file: number): boolean {
    return this.#executables[file] === 1;
  }
}

/** Where a file of a content is on disk. */
export function filePath(spec: ContentSpec, file: number): string {
  return pathBelow(spec.root, spec.files[file]!.path.join('/'));
}

function pathBelow(root: string, path: string): string {
  if (path === '') return root;
  return root.endsWith('/') ? `${root}${path}` : `${root}/${path}`;
}
