// UDP sockets over dgram: dual-stack where the machine has both, sending without a copy that outlives the call.

import dgram from 'node:dgram';
import type { Address } from '../../../base/address.ts';
import { formatIp } from '../../../base/address.ts';
import type { ListenOptions, UdpSocket } from '../../../ports/sockets.ts';
import { errnoOf, networkError } from '../system-errors.ts';
import { CAN_REUSE_PORT, noSharing } from './shared-port.ts';
import { addressOf } from './tcp.ts';

type OnMessage = (message: Uint8Array, from: Address) => void;

/** Senders remembered so that their text is not parsed for every datagram. Above this all are forgotten: memory has a bound. */
const MAX_KNOWN_SENDERS = 8192;

/** Holds a burst of a hundred full-size µTP packets and more while the program is busy. */
const SOCKET_BUFFER_BYTES = 2 * 1024 * 1024;

/** Datagrams that wait in Node because the system's buffer is full; what comes after them is lost, as on the wire. */
export const SEND_RING = 64;

/** Covers what fits an Ethernet frame; longer datagrams get memory of their own. */
const SEND_SLOT_BYTES = 2048;

/** A bound socket of Node. Its `error` events are listened to: an ICMP answer to an earlier datagram, say, ends nothing. */
export interface Bound {
  readonly socket: dgram.Socket;
  readonly address: Address;
  /** IPv6 and IPv4. */
  readonly isDual: boolean;
}

/** Binds; rejects with LISTEN_FAILED. */
export async function bindUdpSocket(options: ListenOptions, onMessage: OnMessage): Promise<UdpSocket> {
  return new NodeUdpSocket(await bindDgram(options), onMessage);
}

/** A socket with room for bursts; rejects with LISTEN_FAILED. */
export async function bindDgram({ ip, port, isShared = false }: ListenOptions): Promise<Bound> {
  if (isShared && !CAN_REUSE_PORT) throw noSharing();
  if (ip !== null) return bind(ip.length === 4 ? 'udp4' : 'udp6', formatIp(ip), port, isShared);
  try {
    return await bind('udp6', '::', port, isShared);
  } catch (error) {
    const errno = errnoOf((error as Error).cause);
    if (errno !== 'EAFNOSUPPORT' && errno !== 'EADDRNOTAVAIL') throw error;
    return bind('udp4', '0.0.0.0', port, isShared);
  }
}

function bind(type: 'udp4' | 'udp6', host: string, port: number, isShared: boolean): Promise<Bound> {
  const isDual = host === '::';
  // `send` resolves every address first, later than the call. Ours are IP texts, and must leave before it returns.
  const lookup = ((name: string, _options: unknown, callback: (error: null, address: string) => void) =>
    callback(null, name)) as unknown as NonNullable<dgram.SocketOptions['lookup']>;
  const kind = { type, ipv6Only: type === 'udp6' && !isDual, lookup };
  const socket = dgram.createSocket(isShared ? ({ ...kind, reusePort: true } as dgram.SocketOptions) : kind);
  return new Promise((resolve, reject) => {
    socket.once('error', (error) => {
      socket.close();
      reject(networkError('LISTEN_FAILED', error, `use UDP port ${port} of ${host}`));
    });
    socket.bind({ address: host, port, exclusive: true }, () => {
      socket.removeAllListeners('error');
      socket.on('error', () => undefined);
      enlargeBuffers(socket);
      const bound = socket.address();
      resolve({ socket, address: addressOf(bound.address, bound.port)!, isDual });
    });
  });
}

class NodeUdpSocket implements UdpSocket {
  readonly address: Address;
  readonly #socket: dgram.Socket;
  readonly #isDual: boolean;
  readonly #isV4: boolean;
  readonly #onMessage: OnMessage;
  readonly #senders = new SenderCache();
  readonly #ring: Uint8Array = new Uint8Array(SEND_RING * SEND_SLOT_BYTES);
  #ringNext = 0;
  #closing: Promise<void> | undefined;

  constructor({ socket, address, isDual }: Bound, onMessage: OnMessage) {
    this.address = address;
    this.#socket = socket;
    this.#isDual = isDual;
    this.#isV4 = address.family === 4;
    this.#onMessage = onMessage;
    socket.on('message', this.#receive);
  }

  send(bytes: Uint8Array, to: Address): void {
    if (this.#closing || to.port === 0) return;
    if (to.family === 4 ? !this.#isV4 && !this.#isDual : this.#isV4) return;
    if (this.#socket.getSendQueueCount() >= SEND_RING - 1) return;
    const host = to.family === 4 && this.#isDual ? `::ffff:${to.host}` : to.host;
    this.#socket.send(this.#own(bytes), to.port, host);
  }

  close(): Promise<void> {
    this.#closing ??= new Promise((resolve) => {
      this.#socket.close(() => resolve());
    });
    return this.#closing;
  }

  /**
   * A copy that lives until it is sent. Mostly the system takes it at once; what it does not take waits in order, so that
   * the waiting ones are always the latest, and a slot used SEND_RING sends ago is free.
   */
  #own(bytes: Uint8Array): Uint8Array {
    if (bytes.length > SEND_SLOT_BYTES) return bytes.slice();
    const start = this.#ringNext * SEND_SLOT_BYTES;
    this.#ringNext = (this.#ringNext + 1) % SEND_RING;
    const slot = this.#ring.subarray(start, start + bytes.length);
    slot.set(bytes);
    return slot;
  }

  readonly #receive = (message: Uint8Array, from: dgram.RemoteInfo): void => {
    if (this.#closing) return;
    const address = this.#senders.find(from.address, from.port);
    if (address === null) return;
    this.#onMessage(new Uint8Array(message.buffer, message.byteOffset, message.length), address);
  };
}

/** Best effort: the system may have a lower limit. */
function enlargeBuffers(socket: dgram.Socket): void {
  try {
    socket.setRecvBufferSize(SOCKET_BUFFER_BYTES);
    socket.setSendBufferSize(SOCKET_BUFFER_BYTES);
  } catch {
    // The default size is merely slower.
  }
}

/** Address objects by host text and port, so that a known sender costs two look-ups. */
class SenderCache {
  readonly #byHost = new Map<string, Map<number, Address>>();
  #count = 0;

  find(host: string, port: number): Address | null {
    const known = this.#byHost.get(host)?.get(port);
    if (known) return known;
    const address = addressOf(host, port);
    if (address === null) return null;
    if (this.#count >= MAX_KNOWN_SENDERS) {
      this.#byHost.clear();
      this.#count = 0;
    }
    let ports = this.#byHost.get(host);
    if (!ports) {
      ports = new Map();
      this.#byHost.set(host, ports);
    }
    ports.set(port, address);
    this.#count++;
    return address;
  }
}
