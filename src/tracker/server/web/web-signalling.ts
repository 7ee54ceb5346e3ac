// What a WebTorrent client's message leads to: a reply, offers handed to other peers of the swarm, an answer handed back.

import { latin1 } from '../../../base/bytes.ts';
import type { Clock } from '../../../ports/clock.ts';
import { EVENT_STOPPED, HASH_LENGTH } from '../../protocol/announce.ts';
import { MAX_OFFERS, readWebMessage, WEB_ANSWER, WEB_SCRAPE, WebMessage } from '../../protocol/web-messages.ts';
import {
  encodeWebRefusal,
  MAX_PASSED_EXTRA,
  MAX_WEB_SCRAPE_ENTRY,
  writePassedOn,
  writeWebAnnounceReply,
} from '../../protocol/web-replies.ts';
import { CLOSE_BAD_DATA, CLOSE_POLICY } from '../../protocol/websocket-frames.ts';
import { PathKey, type Refusal, type Waiter } from '../access.ts';
import { type AnnounceRules, PEER_ID_TAKEN, WAITS } from '../announce.ts';
import { roleOf } from '../announced-role.ts';
import type { Pacing } from '../pacing.ts';
import type { ScrapeRules } from '../scrape.ts';
import type { TrackerCounters } from '../status/stats.ts';
import { NO_ROLE } from '../store/far-relays.ts';
import { roleChange } from '../store/roles.ts';
import { FrameSlab } from './frame-slab.ts';
import { MAX_STRIKES, type WebConnection } from './web-connection.ts';
import { MAX_MEMBERSHIPS } from './web-memberships.ts';
import type { WebPeers } from './web-peers.ts';

const NOT_HERE: Refusal = { reason: 'announce before you answer', retryInMinutes: null, fault: 'malformed' };
const TOO_MANY_TORRENTS: Refusal = {
  reason: `more than ${MAX_MEMBERSHIPS} torrents on one connection`,
  retryInMinutes: null,
  fault: 'tooManyPeers',
};
const FULL_SCRAPE: Refusal = { reason: 'info_hash is missing', retryInMinutes: null, fault: 'malformed' };

export interface WebSignallingOptions {
  readonly clock: Clock;
  readonly announces: AnnounceRules;
  readonly scrapes: ScrapeRules;
  readonly counters: TrackerCounters;
  readonly pacing: Pacing;
  readonly peers: WebPeers;
  readonly intervalS: number;
  readonly minIntervalS: number;
  /** Hands a frame to a connection of any thread or tracker. False where it is dropped. */
  deliver(delivery: Delivery): boolean;
}

/** A frame on its way to who has `peerId` in the swarm, at a place as the swarm table has it. */
export interface Delivery {
  readonly thread: number;
  readonly connection: number;
  readonly infoHash: Uint8Array;
  readonly peerId: Uint8Array;
  /** Who sends it; and its role, as trackers tell each other, or NO_ROLE. */
  readonly from: Uint8Array;
  readonly role: number;
  readonly frame: Uint8Array;
}

export class WebSignalling {
  readonly #options: WebSignallingOptions;
  readonly #message = new WebMessage();
  readonly #key = new PathKey();
  readonly #slab = new FrameSlab();
  readonly #toPeerId = new Uint8Array(HASH_LENGTH);

  constructor(options: WebSignallingOptions) {
    this.#options = options;
  }

  /** One message of a connection; `bytes` are lent. `isLate`: it had to wait for its swarm to be fetched. */
  handle(connection: WebConnection, bytes: Uint8Array, start: number, end: number, isLate: boolean): void {
    const message = this.#message;
    const fault = readWebMessage(bytes, start, end, message);
    if (fault !== null) {
      this.#refuse(connection, { reason: fault, retryInMinutes: null, fault: 'malformed' });
      if (message.isBadText) connection.close(CLOSE_BAD_DATA);
      else if (++connection.strikes >= MAX_STRIKES) connection.close(CLOSE_POLICY);
      return;
    }
    this.#key.set(connection.key, 0, connection.key.length);
    const nowS = this.#options.clock.nowMs() / 1000;
    if (message.kind === WEB_ANSWER) {
      this.#answer(connection, bytes, nowS);
      return;
    }
    const isScrape = message.kind === WEB_SCRAPE;
    if (isScrape ? this.#scrape(connection, nowS, isLate) : this.#announce(connection, bytes, nowS, isLate)) return;
    // Where too many wait it is handled at once.
    const waiter: Waiter = { goOn: () => connection.goOn() };
    const { announces, scrapes } = this.#options;
    const { fields, hashes, hashCount } = message;
    const isHeld = isScrape ? scrapes.wait(hashes, 0, hashCount, waiter) : announces.wait(fields.infoHash, waiter);
    if (isHeld) connection.hold(bytes.slice(start, end));
    else if (isScrape) this.#scrape(connection, nowS, true);
    else this.#announce(connection, bytes, nowS, true);
  }

  /** Takes a connection that closes out of all its swarms. */
  leave(connection: WebConnection): void {
    const { announces, peers, clock } = this.#options;
    const nowS = clock.nowMs() / 1000;
    const { number, memberships } = connection;
    while (memberships.takeLast((infoHash, peerId) => announces.leaveWeb(peers, infoHash, peerId, number, nowS)));
  }

  /** Takes a connection out of a swarm in which another has its peer id, as its client is told. */
  giveUp(connection: WebConnection, infoHash: Uint8Array, peerId: Uint8Array): void {
    const { announces, peers, clock } = this.#options;
    connection.memberships.remove(infoHash, peerId);
    announces.leaveWeb(peers, infoHash, peerId, connection.number, clock.nowMs() / 1000);
    this.#tell(connection, PEER_ID_TAKEN, latin1(infoHash), false);
  }

  /** False where it has to wait. */
  #announce(connection: WebConnection, bytes: Uint8Array, nowS: number, isLate: boolean): boolean {
    const { announces, counters, pacing, peers, intervalS } = this.#options;
    const { fields, offerCount } = this.#message;
    const { memberships, ip, number } = connection;
    const isMember = memberships.has(fields.infoHash, fields.peerId);
    const isLeaving = fields.event === EVENT_STOPPED;
    if (!isMember && !isLeaving && memberships.count >= MAX_MEMBERSHIPS) {
      this.#refuse(connection, TOO_MANY_TORRENTS);
      return true;
    }
    const most = Math.min(offerCount, MAX_OFFERS);
    const refusal = announces.handleWeb(fields, this.#key, ip, peers, number, most, nowS, isLate);
    if (refusal === WAITS) return false;
    if (refusal !== null) {
      this.#refuse(connection, refusal);
      return true;
    }
    if (isLeaving) memberships.remove(fields.infoHash, fields.peerId);
    else if (!isMember) memberships.add(fields.infoHash, fields.peerId);
    counters.wsAnnounces++;
    const out = this.#slab.begin(MAX_PASSED_EXTRA);
    writeWebAnnounceReply(out, fields.infoHash, announces.counts, pacing.intervalS(intervalS));
    connection.send(this.#slab.end());
    const role = roleChange(roleOf(fields));
    for (let i = 0; i < announces.webCount; i++) this.#offer(i, bytes, role);
    return true;
  }

  /** Hands the i-th offer to the i-th peer that was chosen. */
  #offer(i: number, bytes: Uint8Array, role: number): void {
    const { peers, counters } = this.#options;
    const { offerIds, offerStarts, offerEnds } = this.#message;
    peers.copyId(i, this.#toPeerId);
    const frame = this.#passedOn(false, offerIds, i * HASH_LENGTH, bytes, offerStarts[i]!, offerEnds[i]!);
    if (this.#deliver(i, this.#toPeerId, role, frame)) counters.wsOffers++;
  }

  /** Goes to whom it names, if that one is still there: there is no reply. Nobody answers in another's name. */
  #answer(connection: WebConnection, bytes: Uint8Array, nowS: number): void {
    const { announces, peers, counters } = this.#options;
    const { fields, toPeerId, offerId, answerStart, answerEnd } = this.#message;
    const isMember = connection.memberships.has(fields.infoHash, fields.peerId);
    const refusal = isMember ? announces.tooOften(connection.ip, nowS) : NOT_HERE;
    if (refusal !== null) {
      this.#refuse(connection, refusal);
      return;
    }
    if (!peers.find(fields.infoHash, toPeerId)) return;
    const frame = this.#passedOn(true, offerId, 0, bytes, answerStart, answerEnd);
    if (this.#deliver(0, toPeerId, NO_ROLE, frame)) counters.wsAnswers++;
  }

  #passedOn(
    isAnswer: boolean,
    offerIds: Uint8Array,
    idAt: number,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): Uint8Array {
    const { infoHash, peerId } = this.#message.fields;
    const out = this.#slab.begin(MAX_PASSED_EXTRA + end - start);
    writePassedOn(out, isAnswer, infoHash, peerId, offerIds, idAt, bytes, start, end);
    return this.#slab.end();
  }

  #deliver(i: number, peerId: Uint8Array, role: number, frame: Uint8Array): boolean {
    const { peers, deliver } = this.#options;
    const { infoHash, peerId: from } = this.#message.fields;
    const [thread, connection] = [peers.threads[i]!, peers.connections[i]!];
    return deliver({ thread, connection, infoHash, peerId, from, role, frame });
  }

  /** False where it has to wait. */
  #scrape(connection: WebConnection, nowS: number, isLate: boolean): boolean {
    const { scrapes, counters, minIntervalS } = this.#options;
    const { hashes, hashCount } = this.#message;
    const judged = isLate ? null : scrapes.refusal(this.#key, connection.ip, nowS, hashCount);
    const refusal = judged ?? (hashCount === 0 ? FULL_SCRAPE : null);
    if (refusal !== null) {
      this.#refuse(connection, refusal);
      return true;
    }
    if (!isLate && !scrapes.isFresh(hashes, 0, hashCount)) return false;
    counters.wsScrapes++;
    const out = this.#slab.begin((hashCount + 1) * MAX_WEB_SCRAPE_ENTRY);
    scrapes.writeWeb(hashes, hashCount, minIntervalS, out);
    connection.send(this.#slab.end());
    return true;
  }

  #refuse(connection: WebConnection, refusal: Refusal): void {
    const { fields, hasInfoHash, kind } = this.#message;
    this.#tell(connection, refusal, hasInfoHash ? latin1(fields.infoHash) : null, kind === WEB_SCRAPE);
  }

  #tell(connection: WebConnection, refusal: Refusal, infoHash: string | null, isScrape: boolean): void {
    const { counters } = this.#options;
    const { reason, retryInMinutes, fault = 'refused' } = refusal;
    counters.wsErrors++;
    counters.faults[fault]++;
    const encoded = encodeWebRefusal(reason, retryInMinutes, infoHash, isScrape);
    const out = this.#slab.begin(encoded.length);
    out.put(encoded);
    connection.send(this.#slab.end());
  }
}
