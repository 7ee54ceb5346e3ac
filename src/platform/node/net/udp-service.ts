// A UDP port whose datagrams are answered one by one, over dgram: one system call in and one out for each.

import type dgram from 'node:dgram';
import { formatIp, parseIp } from '../../../base/address.ts';
import {
  type AnswerDatagram,
  type ListenOptions,
  MAX_ANSWERED_BYTES,
  type UdpService,
} from '../../../ports/sockets.ts';
import { bindDgram, SEND_RING } from './udp.ts';

/** IPv6 senders remembered so that their text is not parsed for every datagram. Above this all are forgotten: memory has a bound. */
const MAX_KNOWN_IPS = 8192;

/** Rejects with LISTEN_FAILED. */
export async function serveUdpSingly(options: ListenOptions, answer: AnswerDatagram): Promise<UdpService> {
  const { socket, address } = await bindDgram(options);
  const replies = new ReplyRing();
  const senders = new SenderIps();
  let closing: Promise<void> | undefined;
  socket.on('message', (packet: Uint8Array, from: dgram.RemoteInfo) => {
    if (closing || packet.length > MAX_ANSWERED_BYTES || from.port === 0) return;
    // What comes when nothing more can be sent would be answered in vain.
    if (socket.getSendQueueCount() >= SEND_RING - 1) return;
    const ip = senders.find(from.address);
    if (ip === null) return;
    const { bytes: reply, numbers } = replies.next();
    const length = answer(packet, ip, from.port, reply, numbers);
    if (length > 0 && !closing) socket.send(reply, 0, length, from.port, from.address);
  });
  return {
    address,
    // dgram does not tell it, nor lets one choose.
    askedAt: new Uint8Array(16),
    send(bytes, ip, port) {
      if (closing || socket.getSendQueueCount() >= SEND_RING - 1) return;
      const copy = replies.next().bytes;
      copy.set(bytes);
      const isMapped = ip.length === 4 && address.ip.length === 16;
      socket.send(copy, 0, bytes.length, port, isMapped ? `::ffff:${formatIp(ip)}` : formatIp(ip));
    },
    close() {
      closing ??= new Promise((resolve) => {
        socket.close(() => resolve());
      });
      return closing;
    },
  };
}

/**
 * Memory for replies that lives until they are sent. Mostly the system takes one at once; what it does not take waits in
 * order, so that the waiting ones are always the latest, and a slot used SEND_RING replies ago is free.
 */
class ReplyRing {
  readonly #slots: readonly Reply[] = Array.from({ length: SEND_RING }, () => new Reply());
  #next = 0;

  next(): Reply {
    this.#next = (this.#next + 1) % SEND_RING;
    return this.#slots[this.#next]!;
  }
}

class Reply {
  readonly bytes: Uint8Array = new Uint8Array(MAX_ANSWERED_BYTES);
  readonly numbers: DataView = new DataView(this.bytes.buffer);
}

/** The bytes of an address that Node tells as text, without an object for IPv4. */
class SenderIps {
  readonly #ip4 = new Uint8Array(4);
  readonly #known = new Map<string, Uint8Array | null>();

  /** Lent until the next call; null where the text is no address. */
  find(host: string): Uint8Array | null {
    if (readIpv4(host, host.startsWith('::ffff:') ? 7 : 0, this.#ip4)) return this.#ip4;
    let ip = this.#known.get(host);
    if (ip === undefined) {
      const zone = host.indexOf('%');
      ip = parseIp(zone < 0 ? host : host.slice(0, zone));
      if (this.#known.size >= MAX_KNOWN_IPS) this.#known.clear();
      this.#known.set(host, ip);
    }
    return ip;
  }
}

const DOT = 0x2e;

/** Reads `a.b.c.d` from `start` on; false where there is something else. Node's texts have no other numbers than bytes. */
function readIpv4(text: string, start: number, into: Uint8Array): boolean {
  let part = 0;
  let value = 0;
  for (let at = start; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === DOT) {
      into[part++] = value;
      value = 0;
      if (part === 4) return false;
    } else if (code >= 0x30 && code <= 0x39) value = value * 10 + code - 0x30;
    else return false;
  }
  into[3] = value;
  return part === 3;
}
