// Digests of small things, synchronous: info hashes, merkle nodes. Pieces are hashed by PieceIo, off the main thread.

export interface Hashes {
  /** 20 bytes. */
  sha1(bytes: Uint8Array): Uint8Array;
  /** 32 bytes. */
  sha256(bytes: Uint8Array): Uint8Array;
}
