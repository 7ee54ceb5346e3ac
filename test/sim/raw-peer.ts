// A remote of which every byte is chosen by the test: what no honest client would send.

import type { Address } from '../../src/base/address.ts';
import type { SimHost } from '../../src/platform/sim/index.ts';
import type { ByteStream } from '../../src/ports/sockets.ts';
import { Decoder } from '../../src/wire/decoder.ts';
import * as encoder from '../../src/wire/encoder.ts';
import { decodeHandshake, encodeHandshake, HANDSHAKE_BYTES } from '../../src/wire/handshake.ts';
import type { HashQuery } from '../../src/wire/hash-query.ts';
import type { WireSink } from '../../src/wire/sink.ts';

export interface RawOptions {
  readonly infoHash: Uint8Array;
  /** The last byte of its peer id. */
  readonly id: number;
  readonly fast?: boolean;
  readonly extended?: boolean;
  readonly v2?: boolean;
  /** Called with every message, by the name of the sink's method without `on`, and its arguments. */
  readonly heard?: (peer: RawPeer, name: string, args: readonly unknown[]) => void;
  /** Both handshakes are done. */
  readonly ready?: (peer: RawPeer) => void;
}

const LIMITS = { maxBitfieldBytes: 1 << 20, maxBlockBytes: 1 << 20, maxExtendedBytes: 1 << 20 };

/** Dials, or takes connections; says nothing but the handshake by itself. */
export class RawPeer {
  readonly stream: ByteStream;
  isClosed = false;
  /** The info hash in the remote's handshake. */
  answeredHash: Uint8Array | null = null;
  /** Bytes that came behind the handshake. */
  heardBytes = 0;
  readonly #options: RawOptions;
  readonly #decoder: Decoder;
  #head: Uint8Array | null = new Uint8Array(HANDSHAKE_BYTES);
  #filled = 0;

  private constructor(stream: ByteStream, options: RawOptions, isOpen: boolean) {
    this.stream = stream;
    this.#options = options;
    this.#decoder = new Decoder(
      sinkOf((name, args) => options.heard?.(this, name, args)),
      LIMITS,
    );
    stream.attach({
      onOpen: () => this.#greet(),
      onChunk: (chunk) => this.#take(chunk),
      onEnd: () => stream.destroy(),
      onClose: () => {
        this.isClosed = true;
      },
    });
    if (isOpen) this.#greet();
  }

  static dial(host: SimHost, to: Address, options: RawOptions): RawPeer {
    return new RawPeer(host.env.sockets.connect(to), options, false);
  }

  /** Every connection that comes is one; `peers` gets them. */
  static async listen(host: SimHost, port: number, options: RawOptions, peers: RawPeer[] = []): Promise<Address> {
    const listener = await host.env.sockets.listen({ ip: host.ip, port }, (stream) => {
      peers.push(new RawPeer(stream, options, true));
    });
    return listener.address;
  }

  send(...parts: readonly Uint8Array[]): void {
    if (!this.isClosed) this.stream.write(parts.map((part) => part.slice()));
  }

  /** One of the encoder's `put` functions with its arguments. */
  put<T extends readonly unknown[]>(write: (out: Uint8Array, at: number, ...args: T) => number, ...args: T): void {
    this.send(message(write, ...args));
  }

  /** A block, all of it or its first bytes. */
  sendBlock(piece: number, begin: number, bytes: Uint8Array, sentBytes: number = bytes.length): void {
    const head = new Uint8Array(encoder.PIECE_HEADER_BYTES);
    encoder.putPieceHeader(head, 0, piece, begin, bytes.length);
    this.send(head, bytes.subarray(0, sentBytes));
  }

  #greet(): void {
    const { infoHash, id, fast = true, extended = true, v2 = false } = this.#options;
    const peerId = new Uint8Array(20).fill(120);
    peerId[19] = id;
    this.send(encodeHandshake({ infoHash, peerId, fast, extended, dht: false, v2 }));
  }

  #take(chunk: Uint8Array): void {
    let rest = chunk;
    if (this.#head) {
      const take = Math.min(rest.length, HANDSHAKE_BYTES - this.#filled);
      this.#head.set(rest.subarray(0, take), this.#filled);
      this.#filled += take;
      rest = rest.subarray(take);
      if (this.#filled < HANDSHAKE_BYTES) return;
      const handshake = decodeHandshake(this.#head);
      if (handshake === null) throw new Error('no handshake');
      this.answeredHash = handshake.infoHash.slice();
      this.#head = null;
      this.#options.ready?.(this);
    }
    this.heardBytes += rest.length;
    const fault = this.#decoder.push(rest);
    if (fault) throw new Error(fault.message);
  }
}

/** A message as bytes. */
export function message<T extends readonly unknown[]>(
  write: (out: Uint8Array, at: number, ...args: T) => number,
  ...args: T
): Uint8Array {
  const out = new Uint8Array(64);
  return out.slice(0, write(out, 0, ...args));
}

/** The same message so many times in one buffer. */
export function repeated(bytes: Uint8Array, count: number): Uint8Array {
  const out = new Uint8Array(bytes.length * count);
  for (let i = 0; i < count; i++) out.set(bytes, i * bytes.length);
  return out;
}

function sinkOf(tell: (name: string, args: readonly unknown[]) => void): WireSink {
  const plain = (name: string) => (): void => tell(name, []);
  const numbers =
    (name: string) =>
    (...args: readonly number[]): void =>
      tell(name, args);
  return {
    onKeepAlive: plain('KeepAlive'),
    onChoke: plain('Choke'),
    onUnchoke: plain('Unchoke'),
    onInterested: plain('Interested'),
    onNotInterested: plain('NotInterested'),
    onHave: numbers('Have'),
    onBitfield: (wire) => tell('Bitfield', [wire.slice()]),
    onRequest: numbers('Request'),
    onCancel: numbers('Cancel'),
    placeBlock: () => null,
    onBlockBytes: () => undefined,
    onBlock: (piece, begin, length) => tell('Block', [piece, begin, length]),
    onPort: numbers('Port'),
    onSuggest: numbers('Suggest'),
    onHaveAll: plain('HaveAll'),
    onHaveNone: plain('HaveNone'),
    onReject: numbers('Reject'),
    onAllowedFast: numbers('AllowedFast'),
    onExtended: (id, payload) => tell('Extended', [id, payload.slice()]),
    onHashRequest: (query: HashQuery) => tell('HashRequest', [query]),
    onHashReject: (query: HashQuery) => tell('HashReject', [query]),
    onHashes: (query: HashQuery, hashes) => tell('Hashes', [query, hashes.slice()]),
    onUnknown: numbers('Unknown'),
  };
}
