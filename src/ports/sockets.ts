// Streams and datagrams. Chunks are borrowed for the call; writes are vectored and tell when their bytes are free.

import type { Address, LocalNetwork } from '../base/address.ts';

/** What the user of a stream declares. Calls come in this order: onOpen, then onChunk/onWritable, then onEnd, onClose once. */
export interface StreamSink {
  /** The connection is up. Not called on accepted streams, which are up already. */
  onOpen?(): void;
  /** `chunk` is borrowed for the call only (its memory is used again) and may be changed in place. */
  onChunk(chunk: Uint8Array): void;
  /** Bytes have left: `bufferedBytes` is lower than before. At most once a turn. */
  onWritable?(): void;
  /** The remote has finished sending. Without this method the stream closes itself. */
  onEnd?(): void;
  /** The last call, always made exactly once, also after `destroy()`, never inside a call that the user makes. */
  onClose(error: Error | null): void;
}

/** A connected or connecting TCP stream (or one that behaves alike, such as µTP). */
export interface ByteStream {
  /** Where it goes to or came from. */
  readonly remote: Address;
  /** The own end; null until connected. */
  readonly local: Address | null;
  /** Bytes accepted by `write` and not yet handed to the system. */
  readonly bufferedBytes: number;
  /** Must be called in the turn in which the stream was obtained, once. */
  attach(sink: StreamSink): void;
  /**
   * Sends `parts` in order, in one system call where that is possible. The bytes are lent until `released` is called
   * (written, or the stream closed); the array itself is free at once. Without `released` the bytes must never change.
   * Before the connection is up, writes wait. After `end` or close it does nothing but call `released`.
   */
  write(parts: readonly Uint8Array[], released?: () => void): void;
  /**
   * Hands `bytes` to the system as far as it takes them at once, and returns how many that were; the rest is for `write`.
   * The memory is free at return. 0 while earlier bytes wait, or after the end. Streams that cannot tell lack it.
   */
  writeNow?(bytes: Uint8Array): number;
  /** Stops reading from the system: back-pressure towards the remote. A chunk already read may still come. */
  pause(): void;
  resume(): void;
  /** Sends what is buffered, then closes our direction. */
  end(): void;
  /** Closes at once; what is buffered is lost. Idempotent. */
  destroy(): void;
}

export interface StreamListener {
  readonly address: Address;
  /** Stops accepting; streams already accepted live on. */
  close(): Promise<void>;
}

export interface UdpSocket {
  readonly address: Address;
  /** Sends one datagram. `bytes` are free at return. A datagram that cannot be sent is lost without a word. */
  send(bytes: Uint8Array, to: Address): void;
  close(): Promise<void>;
}

/**
 * Writes the answer to a datagram into `reply` and returns its length; 0: there is none. `packet` is what came from `ip`
 * (4 or 16 bytes; a mapped IPv4 address has 4) and `port`, which is not 0. `numbers` is the memory of `reply` once more: it
 * takes a number of several bytes in one step. All of them are lent for the call.
 */
export type AnswerDatagram = (
  packet: Uint8Array,
  ip: Uint8Array,
  port: number,
  reply: Uint8Array,
  numbers: DataView,
) => number;

/** Room of `reply`, and the longest datagram that is handed to an {@link AnswerDatagram}: more than an Ethernet frame holds. */
export const MAX_ANSWERED_BYTES = 2048;

/** A UDP port whose datagrams are answered at once, or some of them later. */
export interface UdpService {
  readonly address: Address;
  /**
   * Which of the machine's addresses the datagram that is being answered was sent to, for {@link send}: lent for that call. Zeros
   * where that is not known: the system chooses then.
   */
  readonly askedAt: Uint8Array;
  /**
   * An answer that came later, from the address that was asked. Up to {@link MAX_ANSWERED_BYTES}, free at return. What cannot be
   * sent is lost without a word.
   */
  send(bytes: Uint8Array, ip: Uint8Array, port: number, askedAt: Uint8Array): void;
  close(): Promise<void>;
}

export interface ConnectOptions {
  /** The own IP address to leave from. */
  readonly from?: Uint8Array;
}

export interface ListenOptions {
  /** The IP to listen on; null: all, IPv6 and IPv4 together where the machine has both. */
  readonly ip: Uint8Array | null;
  /** 0 picks a free one. */
  readonly port: number;
  /** Other threads of this program listen there too: the system divides what comes. */
  readonly isShared?: boolean;
  /** For streams: many connections that carry little, as those of a tracker; a hint, which may make each cheaper. */
  readonly isBrief?: boolean;
  /** For streams: TLS beside plain connections on the same port. */
  readonly tls?: TlsKeys | null;
}

/** A certificate with those that vouch for it, and its private key: PEM. */
export interface TlsKeys {
  readonly cert: string;
  readonly key: string;
}

export interface Sockets {
  /** Rejects with LISTEN_FAILED. `accept` must attach a sink in its turn. */
  listen(options: ListenOptions, accept: (stream: ByteStream) => void): Promise<StreamListener>;
  /** Returns at once; the outcome is the sink's onOpen or onClose. */
  connect(to: Address, options?: ConnectOptions): ByteStream;
  /** Rejects with LISTEN_FAILED. `message` is borrowed for the call. */
  bindUdp(options: ListenOptions, onMessage: (message: Uint8Array, from: Address) => void): Promise<UdpSocket>;
  /**
   * For servers of short questions: no object a datagram, and many of them in one system call where that can be had.
   * Rejects with LISTEN_FAILED.
   */
  serveUdp(options: ListenOptions, answer: AnswerDatagram): Promise<UdpService>;
  /** All addresses of a host name (an IP text is returned as it is), IPv4 first. Rejects with HOST_NOT_FOUND. */
  resolve(host: string, options?: { signal?: AbortSignal }): Promise<readonly Uint8Array[]>;
  /** The networks that this machine is in, loopback left out. */
  networks(): readonly LocalNetwork[];
}
