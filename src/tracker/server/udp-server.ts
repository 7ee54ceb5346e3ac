// The UDP side of the tracker (BEP 15). A packet costs no object; one that was not asked for gets no larger reply.

import type { Address } from '../../base/address.ts';
import { utf8 } from '../../base/bytes.ts';
import type { Clock } from '../../ports/clock.ts';
import type { ListenOptions, Sockets, UdpSocket } from '../../ports/sockets.ts';
import { AnnounceFields } from '../protocol/announce.ts';
import {
  ACTION_ANNOUNCE,
  ACTION_CONNECT,
  ANNOUNCE_REPLY_HEAD_LENGTH,
  REQUEST_HEAD_LENGTH,
  readAnnounceRequest,
  requestAction,
  requestTransactionId,
  scrapeHashCount,
  writeAnnounceReply,
  writeConnectReply,
  writeErrorReply,
  writeScrapeReply,
} from '../protocol/udp-packets.ts';
import type { AnnounceRules } from './announce.ts';
import type { ConnectionIds } from './connection-ids.ts';
import type { ScrapeRules } from './scrape.ts';
import type { TrackerCounters } from './stats.ts';

/** A packet of this length gets through unsplit wherever IPv6 does: 1280 bytes less its headers. */
const MAX_REPLY_LENGTH = 1232;
const MAX_IPV6_BYTES: number = Math.floor((MAX_REPLY_LENGTH - ANNOUNCE_REPLY_HEAD_LENGTH) / 18) * 18;

const UNKNOWN_ID = utf8('connection expired');

export interface UdpServerOptions {
  readonly sockets: Sockets;
  readonly clock: Clock;
  readonly ids: ConnectionIds;
  readonly announces: AnnounceRules;
  readonly scrapes: ScrapeRules;
  readonly counters: TrackerCounters;
  readonly intervalS: number;
}

export class UdpServer {
  readonly #options: UdpServerOptions;
  readonly #fields = new AnnounceFields();
  readonly #reply = new Uint8Array(MAX_REPLY_LENGTH);
  readonly #sockets: UdpSocket[] = [];

  constructor(options: UdpServerOptions) {
    this.#options = options;
  }

  /** Rejects with LISTEN_FAILED. Closes with the server, or by {@link unlisten}. */
  async listen(options: ListenOptions): Promise<UdpSocket> {
    let socket: UdpSocket | null = null;
    const opened = await this.#options.sockets.bindUdp(options, (packet, from) => {
      const length = this.#answer(packet, from);
      if (length > 0) socket?.send(this.#reply.subarray(0, length), from);
    });
    socket = opened;
    this.#sockets.push(opened);
    return opened;
  }

  async unlisten(socket: UdpSocket): Promise<void> {
    this.#sockets.splice(this.#sockets.indexOf(socket), 1);
    await socket.close();
  }

  async close(): Promise<void> {
    await Promise.all(this.#sockets.splice(0).map((socket) => socket.close()));
  }

  /** Writes the reply; returns its length, 0 for none. */
  #answer(packet: Uint8Array, from: Address): number {
    const { clock, ids, counters } = this.#options;
    const action = requestAction(packet);
    if (action < 0 || from.port === 0) return 0;
    const nowMs = clock.nowMs();
    const transactionId = requestTransactionId(packet);
    if (action === ACTION_CONNECT) {
      counters.udpConnects++;
      ids.make(from.ip, nowMs);
      return writeConnectReply(this.#reply, transactionId, ids.high, ids.low);
    }
    if (!ids.check(packet, from.ip, nowMs)) {
      counters.udpErrors++;
      // The source may be forged: the reply is never longer than the packet.
      return packet.length < 8 + UNKNOWN_ID.length ? 0 : writeErrorReply(this.#reply, transactionId, UNKNOWN_ID);
    }
    return action === ACTION_ANNOUNCE
      ? this.#announce(packet, transactionId, from.ip, nowMs)
      : this.#scrape(packet, transactionId);
  }

  #announce(packet: Uint8Array, transactionId: number, ip: Uint8Array, nowMs: number): number {
    const { announces, counters, intervalS } = this.#options;
    const fault = readAnnounceRequest(packet, this.#fields) ?? announces.handle(this.#fields, ip, false, nowMs / 1000);
    if (fault !== null) {
      counters.udpErrors++;
      return writeErrorReply(this.#reply, transactionId, utf8(fault));
    }
    counters.udpAnnounces++;
    const peers = ip.length === 4 ? announces.peers4 : announces.peers6;
    const length = ip.length === 4 ? announces.length4 : Math.min(announces.length6, MAX_IPV6_BYTES);
    for (let i = 0; i < length; i++) this.#reply[ANNOUNCE_REPLY_HEAD_LENGTH + i] = peers[i]!;
    const { leeches, seeds } = announces.counts;
    return writeAnnounceReply(this.#reply, transactionId, intervalS, leeches, seeds, length);
  }

  #scrape(packet: Uint8Array, transactionId: number): number {
    const { scrapes, counters } = this.#options;
    const count = scrapeHashCount(packet);
    counters.udpScrapes++;
    scrapes.writeUdp(packet, REQUEST_HEAD_LENGTH, count, this.#reply);
    return writeScrapeReply(this.#reply, transactionId, count);
  }
}
