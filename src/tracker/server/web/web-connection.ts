// One WebSocket connection: frames in, frames out in one write a turn. Nothing a client does holds more of us than one
// message and a bounded output, nor for longer than a deadline; a client that does not read is closed.

import { concatBytes } from '../../../base/bytes.ts';
import type { ByteStream, StreamSink } from '../../../ports/sockets.ts';
import { MAX_MESSAGE_LENGTH } from '../../protocol/web-messages.ts';
import {
  CLOSE_GOING_AWAY,
  CLOSE_POLICY,
  CLOSE_TOO_BIG,
  CLOSE_TRY_LATER,
  FrameReader,
  type FrameSink,
  OPCODE_CLOSE,
  OPCODE_PING,
  OPCODE_PONG,
} from '../../protocol/websocket-frames.ts';
import { closeFrame, encodeFrame, readCloseCode } from '../../protocol/websocket-writer.ts';
import type { TrackerCounters } from '../status/stats.ts';
import { HeldMessages } from './held-messages.ts';
import { WebMemberships } from './web-memberships.ts';
import type { Holder, WebMemory } from './web-memory.ts';

/** Whoever has said nothing for so long is asked whether it is there: shorter than proxies keep idle connections. */
const IDLE_MS = 45_000;
/** For the pong. */
const PONG_MS = 20_000;
/** From the first byte of a message to its last: 128 KiB over a slow uplink. */
const MESSAGE_MS = 30_000;
/** For a close frame of ours to get through, and the client to close. */
const LINGER_MS = 5_000;
/** A client that does not read what it asked for is not heard further… */
const HIGH_WATER_BYTES: number = 64 * 1024;
/** …and is closed when it still has not after this. */
const STALL_MS = 20_000;
/** What others send it is dropped above this: a few dozen offers. */
const MAX_WAITING_BYTES: number = 256 * 1024;
/** What a write that waits takes beside its bytes: pongs of two bytes that nobody reads are no small thing. */
const WAITING_WRITE_BYTES = 256;
/** Messages that cannot be read, before the connection is closed for them. */
export const MAX_STRIKES = 10;

const PING: Uint8Array = encodeFrame(OPCODE_PING, new Uint8Array(0), null);

/** What the connections of a thread share. */
export interface WebShared {
  readonly counters: TrackerCounters;
  readonly memory: WebMemory;
  nowMs(): number;
  /** A message, lent. `isLate`: it was held; see {@link WebConnection.hold}. */
  message(connection: WebConnection, bytes: Uint8Array, start: number, end: number, isLate: boolean): void;
  /** Calls {@link WebConnection.flush} when all that is ready in this turn was handled. */
  flushLater(connection: WebConnection): void;
  /** Takes the connection out of all swarms: it will send no more. */
  leave(connection: WebConnection): void;
  /** The last call. */
  closed(connection: WebConnection): void;
}

export class WebConnection implements StreamSink, FrameSink, Holder {
  /** What the swarm table calls it. */
  readonly number: number;
  /** Where its peers are: the client's address, or what a proxy says. */
  readonly ip: Uint8Array;
  /** The passkey of its URL. */
  readonly key: Uint8Array;
  readonly memberships: WebMemberships = new WebMemberships();
  /** When its client last said something that was a message. */
  messageAtMs: number;
  strikes = 0;
  /** As {@link WebShared.memory} counts it. */
  heldBytes = 0;
  readonly #stream: ByteStream;
  readonly #shared: WebShared;
  readonly #reader = new FrameReader(true, MAX_MESSAGE_LENGTH);
  #frames: Uint8Array[] = [];
  #frameBytes = 0;
  /** What was written and waits to be read. All of a write is held until the last of it has gone. */
  #waitingBytes = 0;
  /** The last ping that was not answered yet; the others need no answer (RFC 6455, section 5.5.3). */
  #pinged: Uint8Array | null = null;
  readonly #held = new HeldMessages();
  #deadlineMs: number;
  /** Of the message that is under way. */
  #messageDeadlineMs = Number.POSITIVE_INFINITY;
  #isAsked = false;
  #isPaused = false;
  #isClosing = false;
  #isGone = false;

  /** Attaches itself. */
  constructor(number: number, stream: ByteStream, ip: Uint8Array, key: Uint8Array, shared: WebShared) {
    this.number = number;
    this.ip = ip;
    this.key = key;
    this.#stream = stream;
    this.#shared = shared;
    this.messageAtMs = shared.nowMs();
    this.#deadlineMs = this.messageAtMs + IDLE_MS;
    stream.attach(this);
  }

  onChunk(chunk: Uint8Array): void {
    const { counters } = this.#shared;
    counters.wsBytesIn += chunk.length;
    if (this.#isClosing) return;
    const nowMs = this.#shared.nowMs();
    if (!this.#isPaused) this.#deadlineMs = nowMs + IDLE_MS;
    this.#isAsked = false;
    const fault = this.#reader.read(chunk, this);
    if (fault !== 0) {
      counters.wsErrors++;
      counters.faults[fault === CLOSE_TOO_BIG ? 'tooLarge' : 'malformed']++;
      this.close(fault);
    } else if (!this.#reader.isMidway) this.#messageDeadlineMs = Number.POSITIVE_INFINITY;
    else this.#messageDeadlineMs = Math.min(this.#messageDeadlineMs, nowMs + MESSAGE_MS);
    this.recount();
  }

  onMessage(bytes: Uint8Array, start: number, end: number): boolean {
    this.messageAtMs = this.#shared.nowMs();
    this.#messageDeadlineMs = Number.POSITIVE_INFINITY;
    if (this.#held.count > 0) this.#hold(bytes.slice(start, end));
    else this.#shared.message(this, bytes, start, end, false);
    return !this.#isClosing;
  }

  onControl(opcode: number, bytes: Uint8Array, start: number, end: number): boolean {
    if (opcode === OPCODE_CLOSE) this.close(readCloseCode(bytes, start, end));
    else if (opcode === OPCODE_PING) {
      this.#pinged = bytes.slice(start, end);
      this.#shared.flushLater(this);
    }
    return !this.#isClosing;
  }

  onWritable(): void {
    this.recount();
    if (!this.#isPaused || this.#stream.bufferedBytes >= HIGH_WATER_BYTES / 2) return;
    this.#isPaused = false;
    this.#deadlineMs = this.#shared.nowMs() + IDLE_MS;
    if (this.#held.count === 0) this.#stream.resume();
  }

  onEnd(): void {
    this.close(CLOSE_GOING_AWAY);
  }

  onClose(): void {
    if (!this.#isClosing) this.#shared.leave(this);
    this.#isClosing = true;
    this.#frames = [];
    this.#held.clear();
    this.#goneNow();
    this.#shared.closed(this);
  }

  /** Keeps a message until {@link goOn}; what the client says after it is not heard before. */
  hold(message: Uint8Array): void {
    this.#hold(message);
    this.#stream.pause();
  }

  /** Hears what was held, until something has to be held again. */
  goOn(): void {
    for (const [i, message] of this.#held.takeAll().entries()) {
      if (this.#isClosing) break;
      if (this.#held.count > 0) this.#hold(message);
      else this.#shared.message(this, message, 0, message.length, i === 0);
    }
    if (this.#held.count === 0 && !this.#isPaused && !this.#isGone) this.#stream.resume();
    this.recount();
  }

  /** Sends a frame that the client has asked for. */
  send(frame: Uint8Array): void {
    if (this.#isClosing) return;
    if (this.#frames.length === 0) this.#shared.flushLater(this);
    this.#frames.push(frame);
    this.#frameBytes += frame.length;
    this.heldBytes += frame.length;
    this.#shared.memory.change(frame.length);
  }

  /**
   * Sends a frame of another client. False where this one does not read fast enough, or all together hold too much: the
   * frame is dropped. What others send to slow readers fills half of the memory at most: they would be the ones to go.
   */
  pass(frame: Uint8Array): boolean {
    const { memory } = this.#shared;
    const waiting = this.#stream.bufferedBytes;
    if (memory.isFull || (memory.isHalfFull && waiting > 0)) return false;
    if (waiting + this.#frameBytes + frame.length > MAX_WAITING_BYTES) return false;
    this.send(frame);
    return !this.#isClosing;
  }

  /** Writes what was gathered. */
  flush(): void {
    if (this.#isClosing) return;
    this.#write();
    if (this.#isPaused || this.#stream.bufferedBytes < HIGH_WATER_BYTES) return;
    this.#isPaused = true;
    this.#deadlineMs = this.#shared.nowMs() + STALL_MS;
    this.#stream.pause();
  }

  /** To be called about once a second. `silentMs`: a client that has had nothing to say for so long is gone. */
  tick(nowMs: number, silentMs: number): void {
    this.recount();
    if (nowMs >= this.#messageDeadlineMs || (nowMs >= this.#deadlineMs && (this.#isPaused || this.#isClosing))) {
      if (!this.#isClosing) this.#shared.counters.faults.tooSlow++;
      this.destroy();
    } else if (nowMs - this.messageAtMs > silentMs) this.close(CLOSE_GOING_AWAY);
    else if (nowMs >= this.#deadlineMs) {
      if (this.#isAsked) this.destroy();
      else {
        this.#isAsked = true;
        this.#deadlineMs = nowMs + PONG_MS;
        this.send(PING);
      }
    }
  }

  /** Says goodbye with a status code; what the client sends from now on is not heard. */
  close(code: number, reason = ''): void {
    if (this.#isClosing) return;
    this.#shared.leave(this);
    this.send(closeFrame(code, reason));
    this.#write();
    this.#isClosing = true;
    this.#reader.release();
    this.#held.clear();
    this.#deadlineMs = this.#shared.nowMs() + LINGER_MS;
    this.#stream.end();
  }

  destroy(): void {
    this.#stream.destroy();
  }

  /** Goes to make room. A client that does not read what it is sent would not read why either. */
  shed(): void {
    if (!this.#isClosing && this.#stream.bufferedBytes + this.#frameBytes === 0) {
      this.close(CLOSE_TRY_LATER, 'this tracker holds too much');
      this.recount();
    } else {
      this.destroy();
      this.#goneNow();
    }
  }

  recount(): void {
    const kept = this.#reader.heldBytes + this.memberships.heldBytes + this.#held.bytes;
    const bytes = this.#isGone ? 0 : kept + this.#frameBytes + this.#waitingBytes;
    const changed = bytes - this.heldBytes;
    this.heldBytes = bytes;
    this.#shared.memory.change(changed);
  }

  #hold(message: Uint8Array): void {
    if (this.#held.add(message)) return;
    const { counters } = this.#shared;
    counters.wsErrors++;
    counters.faults.tooMuchHeld++;
    this.close(CLOSE_POLICY, 'too many messages at once');
  }

  #goneNow(): void {
    this.#isGone = true;
    this.recount();
  }

  #write(): void {
    if (this.#pinged !== null) this.#frames.push(encodeFrame(OPCODE_PONG, this.#pinged, null));
    this.#pinged = null;
    const frames = this.#frames;
    if (frames.length === 0) return;
    this.#frames = [];
    this.#frameBytes = 0;
    const bytes = frames.length > 1 ? concatBytes(frames) : frames[0]!;
    this.#shared.counters.wsBytesOut += bytes.length;
    const sentBytes = this.#stream.writeNow?.(bytes) ?? 0;
    // What has to wait has memory of its own, and no more: it may wait for long.
    if (sentBytes < bytes.length) this.#wait(frames.length > 1 && sentBytes === 0 ? bytes : bytes.slice(sentBytes));
    this.recount();
  }

  #wait(bytes: Uint8Array): void {
    const heldBytes = bytes.length + WAITING_WRITE_BYTES;
    this.#waitingBytes += heldBytes;
    this.#stream.write([bytes], () => {
      this.#waitingBytes -= heldBytes;
      this.recount();
    });
  }
}
