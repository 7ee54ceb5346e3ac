// What is on disk of the files of a content, in one column of numbers: of a hundred thousand files nobody wants objects.

export interface ContentFileState {
  /** Whether a regular file is there. */
  readonly exists: boolean;
  readonly lengthBytes: number;
  readonly mtimeMs: number;
  /** Whether anybody may run it. */
  readonly executable: boolean;
}

/** Numbers a file: 1 where it exists, its length, its modification time, 1 where it may be run. */
const STRIDE = 4;

/** By content file; of those that nobody looked at it says that they are not there. */
export class ContentStates {
  /** Shared memory, so that threads write into it what they see. */
  readonly numbers: Float64Array;

  constructor(numbers: Float64Array) {
    this.numbers = numbers;
  }

  static blank(fileCount: number): ContentStates {
    return new ContentStates(new Float64Array(new SharedArrayBuffer(8 * STRIDE * fileCount)));
  }

  static of(states: readonly ContentFileState[]): ContentStates {
    const out = ContentStates.blank(states.length);
    for (const [file, state] of states.entries()) out.set(file, state);
    return out;
  }

  get count(): number {
    return this.numbers.length / STRIDE;
  }

  at(file: number): ContentFileState {
    const { numbers } = this;
    const at = file * STRIDE;
    return {
      exists: numbers[at] === 1,
      lengthBytes: numbers[at + 1]!,
      mtimeMs: numbers[at + 2]!,
      executable: numbers[at + 3] === 1,
    };
  }

  set(file: number, { exists, lengthBytes, mtimeMs, executable }: ContentFileState): void {
    this.numbers.set([exists ? 1 : 0, lengthBytes, mtimeMs, executable ? 1 : 0], file * STRIDE);
  }
}
