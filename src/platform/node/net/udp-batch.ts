// A UDP port whose datagrams are answered in batches by the optional native module (native/udp_batch.c, which knows the
// same layout): one system call in and one out for up to 64 of them. Where the module was not built, udp-service.ts serves.

import { getSystemErrorName } from 'node:util';
import { Address, formatIp } from '../../../base/address.ts';
import {
  type AnswerDatagram,
  type ListenOptions,
  MAX_ANSWERED_BYTES,
  type UdpService,
} from '../../../ports/sockets.ts';
import { loadNative } from '../native.ts';
import { networkError } from '../system-errors.ts';

/** Of calls and layout; a module of another one is left alone. */
const VERSION = 4;
const BATCH = 64;
const HEAD_WORDS = 12;
const [LENGTH_IN, LENGTH_OUT, FAMILY, PORT, IP, OWN] = [0, 1, 2, 3, 4, 8];
/** An own address that is not known. */
const UNKNOWN = new Uint8Array(16);
const HEADS_BYTES: number = BATCH * HEAD_WORDS * 4;
const SLOTS_BYTES: number = BATCH * MAX_ANSWERED_BYTES;

/** A bound socket in the module. */
type Handle = object;

export interface UdpBatchModule {
  readonly version: number;
  /** The socket, or the system's error number. */
  open(
    ip: Uint8Array,
    port: number,
    isDual: boolean,
    isShared: boolean,
    memory: ArrayBuffer,
    onBatch: (count: number) => void,
  ): Handle | number;
  /** The descriptor of a TCP socket that listens, or the system's error number, negated. */
  listen(ip: Uint8Array, port: number, isDual: boolean, isShared: boolean): number;
  port(handle: Handle): number;
  /** `own`: where it leaves from, 16 bytes as in a head. */
  send(handle: Handle, bytes: Uint8Array, ip: Uint8Array, port: number, own: Uint8Array): void;
  /** Once. */
  close(handle: Handle): void;
}

export function loadUdpBatch(): UdpBatchModule | null {
  return loadNative<UdpBatchModule>('udp_batch', VERSION);
}

/** Throws LISTEN_FAILED. */
export function serveUdpBatches(native: UdpBatchModule, options: ListenOptions, answer: AnswerDatagram): UdpService {
  if (options.ip !== null) return new BatchedService(native, options.ip, options, answer);
  try {
    return new BatchedService(native, new Uint8Array(16), options, answer);
  } catch (error) {
    const errno = ((error as Error).cause as NodeJS.ErrnoException).code;
    if (errno !== 'EAFNOSUPPORT' && errno !== 'EADDRNOTAVAIL') throw error;
    return new BatchedService(native, new Uint8Array(4), options, answer);
  }
}

class BatchedService implements UdpService {
  readonly address: Address;
  readonly #native: UdpBatchModule;
  readonly #answer: AnswerDatagram;
  readonly #heads: Uint32Array;
  readonly #slots: readonly Slot[];
  #handle: Handle | null;
  #askedAt: Uint8Array = UNKNOWN;

  constructor(native: UdpBatchModule, ip: Uint8Array, options: ListenOptions, answer: AnswerDatagram) {
    const isDual = options.ip === null && ip.length === 16;
    const memory = new ArrayBuffer(HEADS_BYTES + 2 * SLOTS_BYTES);
    this.#native = native;
    this.#answer = answer;
    this.#heads = new Uint32Array(memory, 0, BATCH * HEAD_WORDS);
    this.#slots = Array.from({ length: BATCH }, (_, i) => new Slot(memory, i));
    const opened = native.open(ip, options.port, isDual, options.isShared ?? false, memory, this.#onBatch);
    if (typeof opened === 'number') throw listenError(opened, ip, options.port);
    this.#handle = opened;
    this.address = new Address(ip, native.port(opened));
  }

  get askedAt(): Uint8Array {
    return this.#askedAt;
  }

  send(bytes: Uint8Array, ip: Uint8Array, port: number, askedAt: Uint8Array): void {
    if (this.#handle !== null) this.#native.send(this.#handle, bytes, ip, port, askedAt);
  }

  async close(): Promise<void> {
    if (this.#handle === null) return;
    this.#native.close(this.#handle);
    this.#handle = null;
  }

  readonly #onBatch = (count: number): void => {
    const heads = this.#heads;
    for (let i = 0; i < count && this.#handle !== null; i++) {
      const at = i * HEAD_WORDS;
      const length = heads[at + LENGTH_IN]!;
      // What was cut, or cannot be answered.
      if (length > MAX_ANSWERED_BYTES) continue;
      const slot = this.#slots[i]!;
      this.#askedAt = slot.own;
      const ip = heads[at + FAMILY] === 4 ? slot.ip4 : slot.ip6;
      heads[at + LENGTH_OUT] = this.#answer(slot.packet(length), ip, heads[at + PORT]!, slot.reply, slot.numbers);
    }
  };
}

/** Views into the memory of one datagram of a batch, made once. */
class Slot {
  readonly ip4: Uint8Array;
  readonly ip6: Uint8Array;
  readonly own: Uint8Array;
  readonly reply: Uint8Array;
  readonly numbers: DataView;
  #packet: Uint8Array;

  constructor(memory: ArrayBuffer, i: number) {
    const head = (i * HEAD_WORDS + IP) * 4;
    this.ip4 = new Uint8Array(memory, head, 4);
    this.ip6 = new Uint8Array(memory, head, 16);
    this.own = new Uint8Array(memory, (i * HEAD_WORDS + OWN) * 4, 16);
    this.#packet = new Uint8Array(memory, HEADS_BYTES + i * MAX_ANSWERED_BYTES, MAX_ANSWERED_BYTES);
    const replyAt = HEADS_BYTES + SLOTS_BYTES + i * MAX_ANSWERED_BYTES;
    this.reply = new Uint8Array(memory, replyAt, MAX_ANSWERED_BYTES);
    this.numbers = new DataView(memory, replyAt, MAX_ANSWERED_BYTES);
  }

  /** Most datagrams have the length of the one before. */
  packet(length: number): Uint8Array {
    const last = this.#packet;
    if (last.length !== length) this.#packet = new Uint8Array(last.buffer, last.byteOffset, length);
    return this.#packet;
  }
}

function listenError(errorNumber: number, ip: Uint8Array, port: number): Error {
  const code = getSystemErrorName(-errorNumber);
  const cause = Object.assign(new Error(`bind ${code}`), { code });
  return networkError('LISTEN_FAILED', cause, `use UDP port ${port} of ${formatIp(ip)}`);
}
