// The UDP side of the tracker (BEP 15). A packet costs no object; one that was not asked for gets no larger reply.

import { utf8 } from '../../base/bytes.ts';
import type { Clock } from '../../ports/clock.ts';
import type { AnswerDatagram, ListenOptions, Sockets, UdpService } from '../../ports/sockets.ts';
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
  readonly #services: UdpService[] = [];

  constructor(options: UdpServerOptions) {
    this.#options = options;
  }

  /** Rejects with LISTEN_FAILED. Closes with the server, or by {@link unlisten}. */
  async listen(options: ListenOptions): Promise<UdpService> {
    const service = await this.#options.sockets.serveUdp(options, this.#answer);
    this.#services.push(service);
    return service;
  }

  async unlisten(service: UdpService): Promise<void> {
    this.#services.splice(this.#services.indexOf(service), 1);
    await service.close();
  }

  async close(): Promise<void> {
    await Promise.all(this.#services.splice(0).map((service) => service.close()));
  }

  /** Writes the reply; returns its length, 0 for none. */
  readonly #answer: AnswerDatagram = (packet, ip, _port, reply) => {
    const { clock, ids, counters } = this.#options;
    const action = requestAction(packet);
    if (action < 0) return 0;
    const nowMs = clock.nowMs();
    const transactionId = requestTransactionId(packet);
    if (action === ACTION_CONNECT) {
      counters.udpConnects++;
      ids.make(ip, nowMs);
      return writeConnectReply(reply, transactionId, ids.high, ids.low);
    }
    if (!ids.check(packet, ip, nowMs)) {
      counters.udpErrors++;
      // The source may be forged: the reply is never longer than the packet.
      return packet.length < 8 + UNKNOWN_ID.length ? 0 : writeErrorReply(reply, transactionId, UNKNOWN_ID);
    }
    return action === ACTION_ANNOUNCE
      ? this.#announce(packet, transactionId, ip, nowMs, reply)
      : this.#scrape(packet, transactionId, reply);
  };

  #announce(packet: Uint8Array, transactionId: number, ip: Uint8Array, nowMs: number, reply: Uint8Array): number {
    const { announces, counters, intervalS } = this.#options;
    const fault = readAnnounceRequest(packet, this.#fields) ?? announces.handle(this.#fields, ip, false, nowMs / 1000);
    if (fault !== null) {
      counters.udpErrors++;
      return writeErrorReply(reply, transactionId, utf8(fault));
    }
    counters.udpAnnounces++;
    const peers = ip.length === 4 ? announces.peers4 : announces.peers6;
    const length = ip.length === 4 ? announces.length4 : Math.min(announces.length6, MAX_IPV6_BYTES);
    for (let i = 0; i < length; i++) reply[ANNOUNCE_REPLY_HEAD_LENGTH + i] = peers[i]!;
    const { leeches, seeds } = announces.counts;
    return writeAnnounceReply(reply, transactionId, intervalS, leeches, seeds, length);
  }

  #scrape(packet: Uint8Array, transactionId: number, reply: Uint8Array): number {
    const { scrapes, counters } = this.#options;
    const count = scrapeHashCount(packet);
    counters.udpScrapes++;
    scrapes.writeUdp(packet, REQUEST_HEAD_LENGTH, count, reply);
    return writeScrapeReply(reply, transactionId, count);
  }
}
