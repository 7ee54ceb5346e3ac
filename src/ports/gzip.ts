// Compression for replies: at once, or as a stream that is fed part by part.

export interface Gzip {
  /** Compresses some KiB at once, in the caller's turn; the result is the caller's. */
  whole(bytes: Uint8Array): Uint8Array;
  /** A stream whose output is one gzip file (RFC 1952). */
  start(): GzipStream;
}

export interface GzipStream {
  /**
   * Compresses another part, which is lent until `done` is called with what has come out since the last call (owned; may
   * be empty). One part at a time; the last one ends the stream, and all that is left comes out.
   */
  push(part: Uint8Array, isLast: boolean, done: (out: readonly Uint8Array[]) => void): void;
  /** Gives up, if it has not ended: `done` is not called any more. Idempotent. */
  close(): void;
}
