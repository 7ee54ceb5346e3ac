// The files of a content as all threads know them: columns in shared memory, so that a hundred thousand of them cost
// nothing to send and take no objects to keep.
//
//   paths    a / b . t x t 0 c . b i n 0        in UTF-8, below the root; an empty one where the root is the file
//   starts   0               8           14     one more than there are files

import type { ContentSpec } from '../../../ports/piece-io.ts';

/** A ContentSpec as a message, and as native code reads it. No path holds a zero byte: they were checked to be safe. */
export interface PackedSpec {
  /** UTF-8, with a zero byte at its end. */
  readonly root: Uint8Array;
  readonly paths: Uint8Array;
  readonly starts: Uint32Array;
  readonly lengths: Float64Array;
  /** 1 for an executable file. */
  readonly executables: Uint8Array;
  /** Set to 1 by the thread that has made the file with its whole length: the end needs no look at it. */
  readonly whole: Uint8Array;
}

/** All threads are told of the same content. */
const packedSpecs = new WeakMap<ContentSpec, PackedSpec>();

export function packSpec(spec: ContentSpec): PackedSpec {
  const packed = packedSpecs.get(spec) ?? packedOf(spec);
  packedSpecs.set(spec, packed);
  return packed;
}

function packedOf({ root, files }: ContentSpec): PackedSpec {
  const paths = sharedText(`${files.map(({ path }) => path.join('/')).join('\0')}\0`);
  const starts = new Uint32Array(new SharedArrayBuffer(4 * (files.length + 1)));
  for (let at = 0, file = 0; at < paths.length; at++) if (paths[at] === 0) starts[++file] = at + 1;
  const lengths = new Float64Array(new SharedArrayBuffer(8 * files.length));
  const executables = new Uint8Array(new SharedArrayBuffer(files.length));
  for (let file = 0; file < files.length; file++) {
    lengths[file] = files[file]!.lengthBytes;
    executables[file] = files[file]!.executable ? 1 : 0;
  }
  const whole = new Uint8Array(new SharedArrayBuffer(files.length));
  return { root: sharedText(`${root}\0`), paths, starts, lengths, executables, whole };
}

function sharedText(text: string): Uint8Array {
  const memory = new SharedArrayBuffer(Buffer.byteLength(text));
  Buffer.from(memory).write(text);
  return new Uint8Array(memory);
}

export class FileTable {
  readonly packed: PackedSpec;
  readonly #root: string;
  readonly #paths: Buffer;

  constructor(packed: PackedSpec) {
    this.packed = packed;
    this.#root = Buffer.from(packed.root.buffer).toString('utf8', 0, packed.root.length - 1);
    this.#paths = Buffer.from(packed.paths.buffer);
  }

  get root(): string {
    return this.#root;
  }

  /** Where a file is on disk. */
  path(file: number): string {
    return pathBelow(this.#root, this.#below(file));
  }

  /** Its components below the root; none where the root is the file. */
  components(file: number): readonly string[] {
    const path = this.#below(file);
    return path === '' ? [] : path.split('/');
  }

  lengthBytes(file: number): number {
    return this.packed.lengths[file]!;
  }

  isExecutable(file: number): boolean {
    return this.packed.executables[file] === 1;
  }

  #below(file: number): string {
    const { starts } = this.packed;
    return this.#paths.toString('utf8', starts[file]!, starts[file + 1]! - 1);
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
