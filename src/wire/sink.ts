// What the decoder tells, message by message, in plain numbers: declared here, implemented by the peer.

import type { CopyBytes } from '../base/block-copy.ts';
import type { HashQuery } from './hash-query.ts';

/** Where a block's bytes go: a record that the sink owns and uses again; the decoder reads it at once. */
export interface BlockPlace {
  bytes: Uint8Array;
  /** The block's first byte in `bytes`; from here on there is room for all of it. */
  offset: number;
  /** What is fastest for memory such as this; where there is none, plain JavaScript. */
  readonly copy?: CopyBytes;
}

/**
 * Calls come in the order of the stream, the same for every split of it. Pieces, begins, lengths are from 0 to 2^32 - 1
 * as the remote sent them: nothing is checked against the torrent. What is borrowed lives for the call only.
 * Any call may `stop()` the decoder.
 */
export interface WireSink {
  onKeepAlive(): void;
  onChoke(): void;
  onUnchoke(): void;
  onInterested(): void;
  onNotInterested(): void;
  onHave(piece: number): void;
  /** `wire` is borrowed. Spare bits are not checked here. */
  onBitfield(wire: Uint8Array): void;
  onRequest(piece: number, begin: number, length: number): void;
  onCancel(piece: number, begin: number, length: number): void;

  /**
   * The header of a piece message has arrived: where the block belongs, or null to drop its bytes. `length` is at most
   * the limit; it may be 0, which some clients send for a reject.
   */
  placeBlock(piece: number, begin: number, length: number): BlockPlace | null;
  /** So many more bytes of the block are in their place or dropped. How they are told apart depends on the split. */
  onBlockBytes(count: number): void;
  /** The end of the block: all of it is in its place (`placed`), or it was dropped. */
  onBlock(piece: number, begin: number, length: number, placed: boolean): void;

  onPort(port: number): void;
  onSuggest(piece: number): void;
  onHaveAll(): void;
  onHaveNone(): void;
  onReject(piece: number, begin: number, length: number): void;
  onAllowedFast(piece: number): void;
  /** `id` is 0 for the handshake, else one that we offered; `payload` is borrowed. */
  onExtended(id: number, payload: Uint8Array): void;
  /** `query` is owned by the sink. */
  onHashRequest(query: HashQuery): void;
  onHashReject(query: HashQuery): void;
  /** `hashes` is borrowed, a whole number of 32-byte hashes: those of the base layer, then the uncles, lowest first. */
  onHashes(query: HashQuery, hashes: Uint8Array): void;
  /** A message that we do not know; its `lengthBytes` behind the id are skipped. */
  onUnknown(id: number, lengthBytes: number): void;
}
