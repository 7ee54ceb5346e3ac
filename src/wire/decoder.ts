// A stream of messages, taken apart as its chunks arrive: calls to a sink, blocks copied straight to where they belong.

import { assert } from '../base/assert.ts';
import { type CopyBytes, copyBytes, view } from '../base/block-copy.ts';
import { EMPTY, readU16, readU32 } from '../base/bytes.ts';
import { HASH_QUERY_BYTES, readHashQuery } from './hash-query.ts';
import { lengthFault, type WireFault, type WireLimits } from './limits.ts';
import * as ids from './messages.ts';
import type { WireSink } from './sink.ts';

/** What the next byte of the stream belongs to. */
const HEAD = 0; // the length, the id, and the fields of a short message or before a block
const BLOCK = 1; // the block of a piece message
const BODY = 2; // what follows the id in a message that is handed over whole
const SKIP = 3; // what follows an unknown id
type State = typeof HEAD | typeof BLOCK | typeof BODY | typeof SKIP;

/** Length and id: without them no message can be told from another. */
const TELLING_BYTES: number = ids.LENGTH_BYTES + 1;

/** A body in several chunks gets this much memory at first, then twice what has arrived: never what is only claimed. */
const FIRST_BODY_BYTES = 1024;

/**
 * Decodes one direction of one connection, from behind the handshake on.
 *
 * ```
 * chunk  |len 4 piece|len 6 piece begin length|len 7 piece begin|block ...........|len 5 bit|  next chunk
 *          onHave()        onRequest()            placeBlock()   one copy, to its     a head or body cut by the
 *                                                                place, then onBlock() end waits in own memory
 * ```
 * Any split of a stream gives the same calls. Nothing throws on any input. Memory for a message cut by the end of a
 * chunk is 17 bytes for heads and, for bodies, at most 1 KiB or twice what has arrived. The sink must not call `push`.
 */
export class Decoder {
  readonly #sink: WireSink;
  readonly #limits: WireLimits;
  /** Bytes of a bitfield; -1 while the number of pieces is unknown. */
  #bitfieldBytes = -1;

  #state: State = HEAD;
  #ended = false;
  #fault: WireFault | null = null;

  /** A head cut by the end of a chunk: what has arrived, and how much there must be for another look at it. */
  readonly #head: Uint8Array = new Uint8Array(ids.REQUEST_MESSAGE_BYTES);
  #headBytes = 0;
  #headWanted = 0;

  /** Of the block, body or bytes to skip: all of it, and how much is done. */
  #length = 0;
  #done = 0;

  #piece = 0;
  #begin = 0;
  #place: Uint8Array | null = null;
  #placeOffset = 0;
  #copy: CopyBytes = copyBytes;

  #bodyId = 0;
  #body: Uint8Array = EMPTY;

  constructor(sink: WireSink, limits: WireLimits) {
    this.#sink = sink;
    this.#limits = limits;
  }

  /** From now on a bitfield must have exactly the bytes that `count` pieces need. Call when the metadata is known. */
  setPieceCount(count: number): void {
    this.#bitfieldBytes = Math.ceil(count / 8);
  }

  /** Forgets the place of the block in progress, if there is one: its other bytes are dropped, it ends as not placed. */
  dropBlock(): void {
    this.#place = null;
  }

  /** Takes nothing more, not even the rest of the chunk in hand, and lets go of all places and bodies. Idempotent. */
  stop(): void {
    this.#ended = true;
    this.#place = null;
    this.#body = EMPTY;
  }

  /**
   * Feeds a chunk (borrowed for the call). Returns the fault that ends the connection, or null. After a fault, which
   * it returns again, and after `stop()` it takes nothing.
   */
  push(chunk: Uint8Array): WireFault | null {
    const end = chunk.length;
    let at = 0;
    while (at < end && !this.#ended) {
      switch (this.#state) {
        case HEAD:
          at += this.#headBytes === 0 ? this.#takeHead(chunk, at, end) : this.#continueHead(chunk, at, end);
          break;
        case BLOCK:
          at += this.#takeBlock(chunk, at, end);
          break;
        case BODY:
          at += this.#takeBody(chunk, at, end);
          break;
        case SKIP:
          at += this.#skip(end - at);
          break;
      }
    }
    return this.#fault;
  }

  /** The common case, a head that begins in this chunk: read in place, kept if it is cut off. Returns bytes taken. */
  #takeHead(chunk: Uint8Array, at: number, end: number): number {
    const used = this.#readHead(chunk, at, end - at);
    if (used > 0) return used;
    this.#headWanted = -used;
    for (let i = at; i < end; i++) this.#head[i - at] = chunk[i]!;
    this.#headBytes = end - at;
    return this.#headBytes;
  }

  /** Adds to a head that was cut off, never more than was wanted: so a head that is read is used up. */
  #continueHead(chunk: Uint8Array, at: number, end: number): number {
    const count = Math.min(this.#headWanted - this.#headBytes, end - at);
    for (let i = 0; i < count; i++) this.#head[this.#headBytes + i] = chunk[at + i]!;
    this.#headBytes += count;
    if (this.#headBytes < this.#headWanted) return count;
    const used = this.#readHead(this.#head, 0, this.#headBytes);
    if (used > 0) this.#headBytes = 0;
    else this.#headWanted = -used;
    return count;
  }

  /** Acts on a head if it is all there. Returns its bytes, or minus the bytes there must be for another look. */
  #readHead(bytes: Uint8Array, at: number, available: number): number {
    if (available < ids.LENGTH_BYTES) return -ids.LENGTH_BYTES;
    const length = readU32(bytes, at);
    if (length === 0) {
      this.#sink.onKeepAlive();
      return ids.LENGTH_BYTES;
    }
    if (available < TELLING_BYTES) return -TELLING_BYTES;
    const id = bytes[at + ids.LENGTH_BYTES]!;
    const fault = lengthFault(id, length, this.#limits, this.#bitfieldBytes);
    if (fault !== null) {
      this.#fault = fault;
      this.stop();
      return TELLING_BYTES;
    }
    const fields = at + TELLING_BYTES;
    if (id === ids.PIECE) {
      if (available < ids.PIECE_HEADER_BYTES) return -ids.PIECE_HEADER_BYTES;
      const blockBytes = ids.LENGTH_BYTES + length - ids.PIECE_HEADER_BYTES;
      this.#beginBlock(readU32(bytes, fields), readU32(bytes, fields + 4), blockBytes);
      return ids.PIECE_HEADER_BYTES;
    }
    const short = ids.SHORT_LENGTHS[id]!;
    if (short === 0) {
      this.#beginLong(id, length - 1);
      return TELLING_BYTES;
    }
    const size = ids.LENGTH_BYTES + short;
    if (available < size) return -size;
    this.#tellShort(id, short, bytes, fields);
    return size;
  }

  #tellShort(id: number, length: number, bytes: Uint8Array, at: number): void {
    if (length === 1) tellPlain(this.#sink, id);
    else if (length === 5) tellPiece(this.#sink, id, readU32(bytes, at));
    else if (length === 3) this.#sink.onPort(readU16(bytes, at));
    else tellBlock(this.#sink, id, readU32(bytes, at), readU32(bytes, at + 4), readU32(bytes, at + 8));
  }

  #beginBlock(piece: number, begin: number, length: number): void {
    this.#state = BLOCK;
    this.#piece = piece;
    this.#begin = begin;
    this.#length = length;
    this.#done = 0;
    const place = this.#sink.placeBlock(piece, begin, length);
    if (this.#ended) return;
    if (place !== null) {
      assert(place.offset + length <= place.bytes.length, 'a block fits its place');
      this.#place = place.bytes;
      this.#placeOffset = place.offset;
      this.#copy = place.copy ?? copyBytes;
    }
    if (length === 0) this.#endBlock();
  }

  #takeBlock(chunk: Uint8Array, at: number, end: number): number {
    const count = Math.min(this.#length - this.#done, end - at);
    if (this.#place !== null) this.#copy(this.#place, this.#placeOffset + this.#done, chunk, at, count);
    this.#done += count;
    this.#sink.onBlockBytes(count);
    if (this.#done === this.#length && !this.#ended) this.#endBlock();
    return count;
  }

  #endBlock(): void {
    const placed = this.#place !== null;
    this.#place = null;
    this.#state = HEAD;
    this.#sink.onBlock(this.#piece, this.#begin, this.#length, placed);
  }

  /** A message of which `length` bytes follow the id: they are gathered or, if nobody knows the id, skipped. */
  #beginLong(id: number, length: number): void {
    const unknown = !isBodyKnown(id);
    this.#state = length === 0 ? HEAD : unknown ? SKIP : BODY;
    this.#bodyId = id;
    this.#length = length;
    this.#done = 0;
    if (unknown) this.#sink.onUnknown(id, length);
    else if (length === 0) this.#endBody(EMPTY);
  }

  #takeBody(chunk: Uint8Array, at: number, end: number): number {
    const count = Math.min(this.#length - this.#done, end - at);
    if (count === this.#length) {
      this.#endBody(view(chunk, at, count));
      return count;
    }
    const done = this.#done + count;
    if (done > this.#body.length) {
      const larger = new Uint8Array(Math.min(this.#length, Math.max(FIRST_BODY_BYTES, 2 * done)));
      larger.set(view(this.#body, 0, this.#done));
      this.#body = larger;
    }
    this.#body.set(view(chunk, at, count), this.#done);
    this.#done = done;
    if (done === this.#length) this.#endBody(this.#body);
    return count;
  }

  /** `body` may be longer by what memory was reserved ahead. */
  #endBody(body: Uint8Array): void {
    this.#state = HEAD;
    this.#body = EMPTY;
    const sink = this.#sink;
    switch (this.#bodyId) {
      case ids.BITFIELD:
        sink.onBitfield(view(body, 0, this.#length));
        break;
      case ids.EXTENDED:
        sink.onExtended(body[0]!, view(body, 1, this.#length - 1));
        break;
      case ids.HASH_REQUEST:
        sink.onHashRequest(readHashQuery(body, 0));
        break;
      case ids.HASH_REJECT:
        sink.onHashReject(readHashQuery(body, 0));
        break;
      case ids.HASHES:
        sink.onHashes(readHashQuery(body, 0), view(body, HASH_QUERY_BYTES, this.#length - HASH_QUERY_BYTES));
        break;
    }
  }

  #skip(available: number): number {
    const count = Math.min(this.#length - this.#done, available);
    this.#done += count;
    if (this.#done === this.#length) this.#state = HEAD;
    return count;
  }
}

function isBodyKnown(id: number): boolean {
  return id === ids.BITFIELD || (id >= ids.EXTENDED && id <= ids.HASH_REJECT);
}

/** Messages without fields. */
function tellPlain(sink: WireSink, id: number): void {
  if (id === ids.CHOKE) sink.onChoke();
  else if (id === ids.UNCHOKE) sink.onUnchoke();
  else if (id === ids.INTERESTED) sink.onInterested();
  else if (id === ids.NOT_INTERESTED) sink.onNotInterested();
  else if (id === ids.HAVE_ALL) sink.onHaveAll();
  else sink.onHaveNone();
}

/** Messages that name a piece. */
function tellPiece(sink: WireSink, id: number, piece: number): void {
  if (id === ids.HAVE) sink.onHave(piece);
  else if (id === ids.SUGGEST) sink.onSuggest(piece);
  else sink.onAllowedFast(piece);
}

/** Messages that name a block. */
function tellBlock(sink: WireSink, id: number, piece: number, begin: number, length: number): void {
  if (id === ids.REQUEST) sink.onRequest(piece, begin, length);
  else if (id === ids.CANCEL) sink.onCancel(piece, begin, length);
  else sink.onReject(piece, begin, length);
}
