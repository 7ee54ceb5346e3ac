// The sending half of a simulated TCP stream: lent writes, the window, and turns at the host's uplink.

import type { Flow } from './link.ts';

/** Largest quantum of the uplink: small enough that streams share a line smoothly, large enough for few events. */
export const SEGMENT_BYTES = 16384;

/** What travels: bytes, or that nothing more will come, or that the connection is gone. */
export type Packet = Uint8Array | 'fin' | 'reset';

/** What the sender needs of its stream. */
export interface SenderSide {
  /** A packet has left the host. */
  depart(packet: Packet): void;
  /** Lent bytes have left; `releases` are to be called. May call the program. */
  told(releases: readonly (() => void)[]): void;
  wake(): void;
}

interface LentWrite {
  readonly parts: readonly Uint8Array[];
  readonly released: (() => void) | undefined;
}

export class TcpSender implements Flow {
  isQueued = false;
  bufferedBytes = 0;
  readonly #side: SenderSide;
  readonly #windowBytes: number;
  #writes: LentWrite[] = [];
  /** The next byte to send: which write, which of its parts, where in that. */
  #write = 0;
  #part = 0;
  #at = 0;
  #isConnected = false;
  #inFlightBytes = 0;
  /** What follows the last byte. */
  #last: 'fin' | 'reset' | null = null;
  #isDone = false;
  #current: Packet | null = null;
  #currentReleases: (() => void)[] = [];

  constructor(side: SenderSide, windowBytes: number) {
    this.#side = side;
    this.#windowBytes = windowBytes;
  }

  /** Whether the end (or the reset) was asked for. */
  get isEnded(): boolean {
    return this.#last !== null;
  }

  /** Whether the end has left, too. */
  get isDone(): boolean {
    return this.#isDone;
  }

  connected(): void {
    this.#isConnected = true;
    this.#side.wake();
  }

  add(parts: readonly Uint8Array[], released: (() => void) | undefined): void {
    // The array is free when the call returns, the bytes are not.
    const kept = parts.filter((part) => part.length > 0);
    for (const part of kept) this.bufferedBytes += part.length;
    this.#writes.push({ parts: kept, released });
    if (this.#isConnected) this.#side.wake();
  }

  /** Ends with `last` after what is buffered. */
  end(last: 'fin' | 'reset'): void {
    this.#last = last;
    if (this.#isConnected) this.#side.wake();
  }

  /** Forgets what has not left. Gives the releases of all of it. */
  drop(): (() => void)[] {
    const out = this.#currentReleases;
    for (const write of this.#writes.slice(this.#write)) if (write.released) out.push(write.released);
    this.#writes = [];
    this.#write = 0;
    this.#currentReleases = [];
    this.bufferedBytes = 0;
    return out;
  }

  /** Nothing leaves any more, not even the end. */
  stop(): void {
    this.#isDone = true;
    this.drop();
  }

  /** The remote has taken `bytes`. */
  acknowledged(bytes: number): void {
    this.#inFlightBytes -= bytes;
    this.#side.wake();
  }

  begin(): number {
    if (this.#isDone || !this.#isConnected) return -1;
    const room = Math.min(SEGMENT_BYTES, this.#windowBytes - this.#inFlightBytes);
    if (this.bufferedBytes > 0) return room > 0 ? this.#take(Math.min(room, this.bufferedBytes)) : -1;
    // Writes of no bytes at all have left as soon as those before them have.
    if (this.#write < this.#writes.length) return this.#take(0);
    if (this.#last === null) return -1;
    this.#current = this.#last;
    return 0;
  }

  finish(): void {
    const packet = this.#current;
    const releases = this.#currentReleases;
    this.#current = null;
    this.#currentReleases = [];
    if (packet === null) return;
    if (typeof packet === 'string') this.#isDone = true;
    else this.bufferedBytes = Math.max(0, this.bufferedBytes - packet.length);
    if (typeof packet === 'string' || packet.length > 0) this.#side.depart(packet);
    if (typeof packet !== 'string') this.#side.told(releases);
  }

  /** Copies now and not at `write`: who changes lent bytes early sends wrong ones, and a test sees it. */
  #take(length: number): number {
    const bytes = new Uint8Array(length);
    let filled = 0;
    for (;;) {
      const write = this.#writes[this.#write];
      if (write === undefined) break;
      const part = write.parts[this.#part];
      if (part === undefined) {
        if (write.released) this.#currentReleases.push(write.released);
        this.#write++;
        this.#part = 0;
        continue;
      }
      if (filled === length) break;
      const count = Math.min(part.length - this.#at, length - filled);
      bytes.set(part.subarray(this.#at, this.#at + count), filled);
      filled += count;
      this.#at += count;
      if (this.#at === part.length) {
        this.#part++;
        this.#at = 0;
      }
    }
    if (this.#write === this.#writes.length) {
      this.#writes = [];
      this.#write = 0;
    } else if (this.#write > 256) {
      this.#writes.splice(0, this.#write);
      this.#write = 0;
    }
    this.#inFlightBytes += length;
    this.#current = bytes;
    return length;
  }
}
