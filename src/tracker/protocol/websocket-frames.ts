// WebSocket frames (RFC 6455, section 5), read: chunks in, whole messages out. Bytes only; a message that is whole within
// a chunk is unmasked in place and copied nowhere.
//
//   fin 1, rsv 3, opcode 4 | mask 1, length 7 | length 16 or 64, where 7 bits say 126 or 127 | masking key 4 | payload

import { readU16, readU32 } from '../../base/bytes.ts';
import { applyMask } from './websocket-mask.ts';

export const OPCODE_CONTINUATION = 0;
export const OPCODE_TEXT = 1;
export const OPCODE_BINARY = 2;
export const OPCODE_CLOSE = 8;
export const OPCODE_PING = 9;
export const OPCODE_PONG = 10;

/** Status codes of close frames (section 7.4.1). */
export const CLOSE_NORMAL = 1000;
export const CLOSE_GOING_AWAY = 1001;
export const CLOSE_PROTOCOL_ERROR = 1002;
/** Stands for a close frame without a code; never sent. */
export const CLOSE_NO_STATUS = 1005;
export const CLOSE_BAD_DATA = 1007;
export const CLOSE_POLICY = 1008;
export const CLOSE_TOO_BIG = 1009;
/** Added to the registry of section 11.7 later: too much to do. */
export const CLOSE_TRY_LATER = 1013;

/** Payload of a control frame at most (section 5.5). */
export const MAX_CONTROL_LENGTH = 125;
/** Pieces of one message: a browser cuts none below 16 KiB; many small ones cost far more than they carry. */
const MAX_FRAGMENTS = 64;
/** Longest head of a frame. */
const MAX_HEAD_LENGTH = 14;
/** A length from the wire reserves no more than this; memory grows with what comes. */
const FIRST_ROOM = 4096;

const FIN = 0x80;
const RESERVED = 0x70;
const OPCODE = 0x0f;
const MASKED = 0x80;
const LENGTH = 0x7f;

/** What hears of whole messages. Bytes are lent for the call. What returns false is told no more. */
export interface FrameSink {
  onMessage(bytes: Uint8Array, start: number, end: number): boolean;
  /** A ping, pong or close frame. */
  onControl(opcode: number, bytes: Uint8Array, start: number, end: number): boolean;
}

export class FrameReader {
  readonly #isServer: boolean;
  readonly #maxMessageLength: number;
  /** The begin of a frame. */
  #rest: Uint8Array | null = null;
  #restLength = 0;
  /** The begin of a message in several frames; null: none has begun. */
  #message: Uint8Array | null = null;
  #messageLength = 0;
  #fragments = 0;
  /** The head that {@link #readHead} read. */
  #first = 0;
  #headLength = 0;
  #payloadLength = 0;

  /** `isServer`: frames must be masked, as clients send them; else they must not. */
  constructor(isServer: boolean, maxMessageLength: number) {
    this.#isServer = isServer;
    this.#maxMessageLength = maxMessageLength;
  }

  /** What is kept of a message that is under way. */
  get heldBytes(): number {
    return (this.#rest?.length ?? 0) + (this.#message?.length ?? 0);
  }

  /** Lets go of that: nothing may be read any more. */
  release(): void {
    this.#rest = null;
    this.#message = null;
  }

  /** In the middle of a message. */
  get isMidway(): boolean {
    return this.#restLength > 0 || this.#fragments > 0;
  }

  /**
   * Reads a chunk, which may be changed in place, and tells the sink of every message that is whole with it. Returns 0, or
   * the status code to close the connection with: nothing may be read after it.
   */
  read(chunk: Uint8Array, sink: FrameSink): number {
    let at = 0;
    if (this.#restLength > 0) {
      at = this.#fillRest(chunk);
      if (at < 0) return -at;
      if (this.#restLength > 0) {
        if (this.#restLength < this.#headLength + this.#payloadLength || this.#headLength === 0) return 0;
        const frame = this.#rest!;
        this.#rest = null;
        this.#restLength = 0;
        const fault = this.#take(frame, 0, sink);
        if (fault !== 0) return Math.max(0, fault);
      }
    }
    while (at < chunk.length) {
      const fault = this.#readHead(chunk, at, chunk.length);
      if (fault !== 0) return fault;
      if (this.#headLength === 0 || chunk.length - at < this.#headLength + this.#payloadLength) {
        this.#keep(chunk, at, chunk.length);
        return 0;
      }
      const end = at + this.#headLength + this.#payloadLength;
      const taken = this.#take(chunk, at, sink);
      if (taken !== 0) return Math.max(0, taken);
      at = end;
    }
    return 0;
  }

  /** Completes the head, then the frame, that waits. Returns how much of the chunk that took, or a fault below 0. */
  #fillRest(chunk: Uint8Array): number {
    let at = 0;
    while (this.#headLength === 0 && at < chunk.length) {
      this.#keep(chunk, at, at + 1);
      at++;
      const fault = this.#readHead(this.#rest!, 0, this.#restLength);
      if (fault !== 0) return -fault;
    }
    if (this.#headLength === 0) return at;
    const missing = this.#headLength + this.#payloadLength - this.#restLength;
    const end = Math.min(chunk.length, at + missing);
    this.#keep(chunk, at, end);
    return end;
  }

  #keep(chunk: Uint8Array, start: number, end: number): void {
    const length = this.#restLength + end - start;
    if (this.#rest === null || this.#rest.length < length) {
      const whole = this.#headLength === 0 ? MAX_HEAD_LENGTH : this.#headLength + this.#payloadLength;
      this.#rest = grown(this.#rest, this.#restLength, length, whole);
    }
    copy(chunk, start, end, this.#rest, this.#restLength);
    this.#restLength = length;
  }

  /** Returns 0 or a fault. `#headLength` is 0 where the head is not complete. */
  #readHead(bytes: Uint8Array, at: number, end: number): number {
    this.#headLength = 0;
    if (end - at < 2) return 0;
    const first = bytes[at]!;
    const second = bytes[at + 1]!;
    const opcode = first & OPCODE;
    const isControl = opcode >= OPCODE_CLOSE;
    const isKnown = opcode <= OPCODE_BINARY || (isControl && opcode <= OPCODE_PONG);
    if ((first & RESERVED) !== 0 || !isKnown || ((second & MASKED) !== 0) !== this.#isServer)
      return CLOSE_PROTOCOL_ERROR;
    let length = second & LENGTH;
    if (isControl && ((first & FIN) === 0 || length > MAX_CONTROL_LENGTH)) return CLOSE_PROTOCOL_ERROR;
    const extra = length < 126 ? 0 : length === 126 ? 2 : 8;
    const headLength = 2 + extra + (this.#isServer ? 4 : 0);
    if (end - at < headLength) return 0;
    if (extra === 2) length = readU16(bytes, at + 2);
    else if (extra === 8) length = readU32(bytes, at + 2) * 2 ** 32 + readU32(bytes, at + 6);
    if (!isControl) {
      const continues = opcode === OPCODE_CONTINUATION;
      if (continues !== this.#fragments > 0) return CLOSE_PROTOCOL_ERROR;
      if (length + this.#messageLength > this.#maxMessageLength) return CLOSE_TOO_BIG;
      if (this.#fragments === MAX_FRAGMENTS) return CLOSE_POLICY;
    }
    this.#first = first;
    this.#headLength = headLength;
    this.#payloadLength = length;
    return 0;
  }

  /** A whole frame, whose head was read. Returns 0, a fault, or -1 where the sink wants no more. */
  #take(bytes: Uint8Array, at: number, sink: FrameSink): number {
    const start = at + this.#headLength;
    const end = start + this.#payloadLength;
    if (this.#isServer) applyMask(bytes, start, end, bytes, start - 4);
    const opcode = this.#first & OPCODE;
    if (opcode >= OPCODE_CLOSE) return sink.onControl(opcode, bytes, start, end) ? 0 : -1;
    if ((this.#first & FIN) !== 0 && this.#fragments === 0) return sink.onMessage(bytes, start, end) ? 0 : -1;
    const length = this.#messageLength + end - start;
    if (this.#message === null || this.#message.length < length) {
      this.#message = grown(this.#message, this.#messageLength, length, this.#maxMessageLength);
    }
    copy(bytes, start, end, this.#message, this.#messageLength);
    this.#messageLength = length;
    this.#fragments++;
    if ((this.#first & FIN) === 0) return 0;
    const message = this.#message;
    this.#message = null;
    this.#messageLength = 0;
    this.#fragments = 0;
    return sink.onMessage(message, 0, length) ? 0 : -1;
  }
}

/** Room for `needed` bytes, twice what there was, `whole` at most; the first `used` bytes are kept. */
function grown(before: Uint8Array | null, used: number, needed: number, whole: number): Uint8Array {
  const room = Math.max(needed, Math.min(whole, Math.max(FIRST_ROOM, 2 * (before?.length ?? 0))));
  const out = new Uint8Array(room);
  if (before !== null) copy(before, 0, used, out, 0);
  return out;
}

function copy(from: Uint8Array, start: number, end: number, into: Uint8Array, at: number): void {
  if (end - start < 32) for (let i = start; i < end; i++) into[at + i - start] = from[i]!;
  else into.set(from.subarray(start, end), at);
}
