// The UDP side of the tracker (BEP 15). A packet costs no object; one that was not asked for gets no larger reply.

import { utf8 } from '../../base/bytes.ts';
import type { Clock } from '../../ports/clock.ts';
import { type ListenOptions, MAX_ANSWERED_BYTES, type Sockets, type UdpService } from '../../ports/sockets.ts';
import { AnnounceFields } from '../protocol/announce.ts';
import {
  ACTION_ANNOUNCE,
  ACTION_CONNECT,
  ANNOUNCE_REPLY_HEAD_LENGTH,
  ANNOUNCE_REQUEST_LENGTH,
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
import { copyUrlData } from '../protocol/url-data.ts';
import { PathKey, type Waiter } from './access.ts';
import { type AnnounceRules, WAITS } from './announce.ts';
import type { ConnectionIds } from './connection-ids.ts';
import { keyInPath } from './http/path-key.ts';
import type { Pacing } from './pacing.ts';
import type { ScrapeRules } from './scrape.ts';
import type { Fault } from './status/faults.ts';
import type { TrackerCounters } from './status/stats.ts';
import type { Trust } from './trust.ts';

/** A packet of this length gets through unsplit wherever IPv6 does: 1280 bytes less its headers. */
const MAX_REPLY_LENGTH = 1232;
const MAX_IPV4: number = Math.floor((MAX_REPLY_LENGTH - ANNOUNCE_REPLY_HEAD_LENGTH) / 6);
const MAX_IPV6: number = Math.floor((MAX_REPLY_LENGTH - ANNOUNCE_REPLY_HEAD_LENGTH) / 18);
/** Of a path in URL data (BEP 41) so much is read: a passkey has 32 characters by custom. */
const MAX_PATH = 128;

/** Instead of a length: its swarm is to be fetched first. */
const TO_WAIT = -1;

const UNKNOWN_ID = utf8('connection expired');

export interface UdpServerOptions {
  readonly sockets: Sockets;
  readonly clock: Clock;
  readonly ids: ConnectionIds;
  readonly announces: AnnounceRules;
  readonly scrapes: ScrapeRules;
  readonly counters: TrackerCounters;
  readonly pacing: Pacing;
  readonly trust: Trust;
}

export class UdpServer {
  readonly #options: UdpServerOptions;
  readonly #fields = new AnnounceFields();
  readonly #key = new PathKey();
  readonly #path = new Uint8Array(MAX_PATH);
  readonly #services: UdpService[] = [];
  /** For replies that come later. */
  readonly #late = new Uint8Array(MAX_ANSWERED_BYTES);
  readonly #lateNumbers = new DataView(this.#late.buffer);

  constructor(options: UdpServerOptions) {
    this.#options = options;
  }

  /** Rejects with LISTEN_FAILED. Closes with the server, or by {@link unlisten}. */
  async listen(options: ListenOptions): Promise<UdpService> {
    // Nothing comes before it is there.
    let own: UdpService | null = null;
    const service = await this.#options.sockets.serveUdp(options, (packet, ip, port, reply, numbers) =>
      this.#answer(own, packet, ip, port, reply, numbers),
    );
    own = service;
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

  #answer(
    service: UdpService | null,
    packet: Uint8Array,
    ip: Uint8Array,
    port: number,
    reply: Uint8Array,
    numbers: DataView,
  ): number {
    const { counters } = this.#options;
    counters.udpBytesIn += packet.length;
    let length = this.#reply(packet, ip, reply, numbers, false);
    if (length === TO_WAIT) {
      if (service !== null && this.#wait(service, packet, ip, port)) return 0;
      length = this.#reply(packet, ip, reply, numbers, true);
    }
    counters.udpBytesOut += length;
    return length;
  }

  /** Has a request answered when its swarms were fetched; false where it is to be answered now. */
  #wait(service: UdpService, packet: Uint8Array, ip: Uint8Array, port: number): boolean {
    const { announces, scrapes, counters } = this.#options;
    const [asked, from, askedAt] = [packet.slice(), ip.slice(), service.askedAt.slice()];
    const waiter: Waiter = {
      goOn: () => {
        if (!this.#services.includes(service)) return;
        const length = this.#reply(asked, from, this.#late, this.#lateNumbers, true);
        counters.udpBytesOut += length;
        if (length > 0) service.send(this.#late.subarray(0, length), from, port, askedAt);
      },
    };
    return requestAction(asked) === ACTION_ANNOUNCE
      ? announces.wait(this.#fields.infoHash, waiter)
      : scrapes.wait(asked, REQUEST_HEAD_LENGTH, scrapeHashCount(asked), waiter);
  }

  /** Writes the reply; returns its length, 0 for none, or TO_WAIT. `isLate`: it has waited. */
  #reply(packet: Uint8Array, ip: Uint8Array, reply: Uint8Array, numbers: DataView, isLate: boolean): number {
    const { clock, ids, counters } = this.#options;
    const action = requestAction(packet);
    if (action < 0) {
      counters.faults.unknownAction++;
      return 0;
    }
    const nowMs = clock.nowMs();
    const transactionId = requestTransactionId(packet);
    if (action === ACTION_CONNECT) {
      counters.udpConnects++;
      ids.make(ip, nowMs);
      return writeConnectReply(reply, transactionId, ids.high, ids.low);
    }
    if (!isLate && !ids.check(packet, ip, nowMs)) {
      counters.udpErrors++;
      counters.faults.expiredConnectionId++;
      // The source may be forged: the reply is never longer than the packet.
      return packet.length < 8 + UNKNOWN_ID.length ? 0 : writeErrorReply(reply, transactionId, UNKNOWN_ID);
    }
    return action === ACTION_ANNOUNCE
      ? this.#announce(packet, transactionId, ip, nowMs, reply, numbers, isLate)
      : this.#scrape(packet, transactionId, ip, nowMs, reply, isLate);
  }

  #announce(
    packet: Uint8Array,
    transactionId: number,
    source: Uint8Array,
    nowMs: number,
    reply: Uint8Array,
    numbers: DataView,
    isLate: boolean,
  ): number {
    const { announces, counters, pacing, trust } = this.#options;
    const fields = this.#fields;
    const fault = readAnnounceRequest(packet, fields);
    if (fault !== null) return this.#refuse(transactionId, fault, 'malformed', reply);
    keyInPath(this.#path, 0, copyUrlData(packet, ANNOUNCE_REQUEST_LENGTH, this.#path), this.#key);
    const ip = trust.namedIp(fields, source);
    const nowS = nowMs / 1000;
    const at = ANNOUNCE_REPLY_HEAD_LENGTH;
    const most = ip.length === 4 ? MAX_IPV4 : MAX_IPV6;
    const refusal = announces.handleInto(fields, this.#key, ip, nowS, numbers, at, most, isLate);
    if (refusal === WAITS) return TO_WAIT;
    if (refusal !== null) return this.#refuse(transactionId, refusal.reason, refusal.fault ?? 'refused', reply);
    counters.udpAnnounces++;
    const { leeches, seeds } = announces.counts;
    const length = announces.length4 + announces.length6;
    return writeAnnounceReply(reply, transactionId, pacing.intervalS(), leeches, seeds, length);
  }

  #refuse(transactionId: number, reason: string, fault: Fault, reply: Uint8Array): number {
    const { counters } = this.#options;
    counters.udpErrors++;
    counters.faults[fault]++;
    return writeErrorReply(reply, transactionId, utf8(reason));
  }

  #scrape(
    packet: Uint8Array,
    transactionId: number,
    ip: Uint8Array,
    nowMs: number,
    reply: Uint8Array,
    isLate: boolean,
  ): number {
    const { scrapes, counters } = this.#options;
    // A scrape has no room for a passkey (BEP 15), unlike an announce (BEP 41).
    this.#key.set(packet, 0, 0);
    const count = scrapeHashCount(packet);
    const refusal = isLate ? null : scrapes.refusal(this.#key, ip, nowMs / 1000, count);
    if (refusal !== null) return this.#refuse(transactionId, refusal.reason, refusal.fault ?? 'refused', reply);
    if (!isLate && !scrapes.isFresh(packet, REQUEST_HEAD_LENGTH, count)) return TO_WAIT;
    counters.udpScrapes++;
    scrapes.writeUdp(packet, REQUEST_HEAD_LENGTH, count, reply);
    return writeScrapeReply(reply, transactionId, count);
  }
}
