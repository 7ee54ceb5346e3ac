// What an HTTP request is answered with.

import { fromLatin1 } from '../../../base/bytes.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { Gzip } from '../../../ports/gzip.ts';
import { AnnounceFields } from '../../protocol/announce.ts';
import { readAnnounceQuery, readScrapeQuery } from '../../protocol/http-query.ts';
import { encodeRefusal, writeAnnounceReply } from '../../protocol/http-reply-writer.ts';
import { PathKey, type Refusal } from '../access.ts';
import { type AnnounceRules, WAITS } from '../announce.ts';
import type { Pacing } from '../pacing.ts';
import type { ScrapeRules } from '../scrape.ts';
import type { Fault } from '../status/faults.ts';
import type { TrackerCounters } from '../status/stats.ts';
import type { StatusRoutes } from '../status/status-routes.ts';
import type { Trust } from '../trust.ts';
import { acceptsGzip, type RequestHead } from './http-head.ts';
import type { HttpReplies } from './http-replies.ts';
import type { HttpRequest } from './http-request.ts';
import type { Pages } from './pages.ts';
import { ASKS_ANNOUNCE, ASKS_OTHER, ASKS_SCRAPE, isPath, keyInPath } from './path-key.ts';

const HOME = fromLatin1('/');
const WRONG_HASH: Refusal = malformed('info_hash is not 20 bytes');
const NO_HASH: Refusal = malformed('info_hash is missing');
/** As what a status is counted; one that is not here is counted where it arises. */
const FAULTS: Readonly<Record<number, Fault>> = {
  400: 'malformed',
  404: 'unknownAction',
  405: 'unknownAction',
  413: 'tooLarge',
  426: 'malformed',
  431: 'tooLarge',
};
/** A scrape of some forty info hashes: below that compressing costs more than it saves. */
const ZIPPED_FROM_BYTES = 4096;
/** Where nobody has handed pages in. */
const NO_PAGE = 'Shoal tracker: announce at /announce; numbers are at /stats\n';

/** What became of a request. */
export const ANSWERED = 0;
/** Nothing was added: it is for others. */
export const FOR_OTHERS = 1;
/** Nothing was added: the waiter goes on when it is to be answered, as late. */
export const TO_WAIT = 2;

export interface HttpRoutesOptions {
  readonly clock: Clock;
  readonly announces: AnnounceRules;
  readonly scrapes: ScrapeRules;
  readonly counters: TrackerCounters;
  readonly pacing: Pacing;
  readonly trust: Trust;
  readonly minIntervalS: number;
  /** What every announce reply calls this tracker (BEP 3), at most 16 bytes. */
  readonly trackerId: Uint8Array;
  readonly statusRoutes: StatusRoutes;
  readonly pages: Pages;
  /** False: all is refused; the port is there for WebSocket. */
  readonly isServing: boolean;
  /** What is neither announce nor scrape, page nor of the status routes goes elsewhere. */
  readonly handsOver: boolean;
  /** So do scrapes without info hashes: there are full scrapes. */
  readonly handsOverFullScrapes: boolean;
  /** Null: nothing is compressed. */
  readonly gzip: Gzip | null;
}

export class HttpRoutes {
  readonly #options: HttpRoutesOptions;
  readonly #fields = new AnnounceFields();
  readonly #key = new PathKey();

  constructor(options: HttpRoutesOptions) {
    this.#options = options;
  }

  /** Adds the reply for a request. Returns ANSWERED, FOR_OTHERS or TO_WAIT. */
  answer(request: HttpRequest): number {
    const { bytes, head, source, replies } = request;
    const { statusRoutes, counters, isServing } = this.#options;
    if (!isServing) {
      this.fault(head, 404, replies);
      return ANSWERED;
    }
    const isPlain = head.fault === 0 && !head.isUpgrade;
    const asks = isPlain ? keyInPath(bytes, head.pathStart, head.pathEnd, this.#key) : ASKS_OTHER;
    if (asks === ASKS_ANNOUNCE) return this.#announce(request);
    if (asks === ASKS_SCRAPE) return this.#scrape(request);
    if (isPlain && statusRoutes.answer(bytes, head, source, replies)) return ANSWERED;
    else if (isPlain && this.#page(bytes, head, replies)) return ANSWERED;
    else if (this.#options.handsOver) return FOR_OTHERS;
    else if (head.fault !== 0) this.fault(head, head.fault, replies);
    else if (isPath(bytes, head, HOME)) replies.text(head, 200, 'text', NO_PAGE);
    else {
      counters.httpErrors++;
      counters.faults.unknownAction++;
      replies.text(head, 404, 'text', 'not found: this is a BitTorrent tracker; announce at /announce\n');
    }
    return ANSWERED;
  }

  /** Adds a reply that ends the connection. */
  fault(head: RequestHead, status: number, replies: HttpReplies): void {
    const { counters } = this.#options;
    counters.httpErrors++;
    const kind = FAULTS[status];
    if (kind !== undefined) counters.faults[kind]++;
    head.keepAlive = false;
    replies.text(head, status, 'text', 'this request cannot be answered\n');
  }

  #page(bytes: Uint8Array, head: RequestHead, replies: HttpReplies): boolean {
    const page = this.#options.pages.find(bytes, head);
    if (page !== null) replies.page(head, page);
    return page !== null;
  }

  #announce({ bytes, head, source, replies, waiter, isLate }: HttpRequest): number {
    const { announces, counters, clock, pacing, trust, minIntervalS, trackerId } = this.#options;
    const fields = this.#fields;
    const fault = readAnnounceQuery(bytes, head.queryStart, head.queryEnd, fields);
    if (fault !== null) {
      this.#refuse(head, malformed(fault), replies);
      return ANSWERED;
    }
    const ip = trust.peerIp(fields, bytes, head, source);
    const nowS = clock.nowMs() / 1000;
    let refusal = announces.handle(fields, this.#key, ip, nowS, isLate);
    if (refusal === WAITS) {
      if (announces.wait(fields.infoHash, waiter)) return TO_WAIT;
      refusal = announces.handle(fields, this.#key, ip, nowS, true);
    }
    if (refusal !== null) {
      this.#refuse(head, refusal, replies);
      return ANSWERED;
    }
    counters.httpAnnounces++;
    replies.begin();
    writeAnnounceReply(
      replies.out,
      announces.counts,
      pacing.intervalS(),
      minIntervalS,
      ip,
      fields.compact,
      announces.peers4,
      announces.length4,
      announces.peers6,
      announces.length6,
      trackerId,
      fields.noPeerId ? null : announces.ids4,
      fields.noPeerId ? null : announces.ids6,
    );
    replies.finish(head, 200, 'bencode');
    return ANSWERED;
  }

  /** FOR_OTHERS where all swarms are asked for, and may be. */
  #scrape({ bytes, head, source, replies, waiter, isLate }: HttpRequest): number {
    const { scrapes, counters, clock, trust, minIntervalS, handsOverFullScrapes } = this.#options;
    const count = readScrapeQuery(bytes, head.queryStart, head.queryEnd, scrapes.hashes);
    if (count === 0 && handsOverFullScrapes && !head.isHead) return FOR_OTHERS;
    const ip = trust.forwardedIp(bytes, head, source);
    const judged = isLate ? null : scrapes.refusal(this.#key, ip, clock.nowMs() / 1000, count);
    const refusal = judged ?? (count < 0 ? WRONG_HASH : count === 0 ? NO_HASH : null);
    if (refusal !== null) {
      this.#refuse(head, refusal, replies);
      return ANSWERED;
    }
    const { hashes } = scrapes;
    if (!isLate && !scrapes.isFresh(hashes, 0, count) && scrapes.wait(hashes, 0, count, waiter)) return TO_WAIT;
    counters.httpScrapes++;
    replies.begin();
    scrapes.writeHttp(count, minIntervalS, replies.out);
    replies.finish(head, 200, this.#zip(bytes, head, replies) ? 'zipped bencode' : 'bencode');
    return ANSWERED;
  }

  /** Compresses the body written last, if it is large and the client takes it so. */
  #zip(bytes: Uint8Array, head: RequestHead, replies: HttpReplies): boolean {
    const { gzip } = this.#options;
    if (gzip === null || replies.body.length < ZIPPED_FROM_BYTES || !acceptsGzip(bytes, head)) return false;
    const zipped = gzip.whole(replies.body);
    replies.begin();
    replies.out.put(zipped);
    return true;
  }

  /** Refusals have status 200: clients look for a failure reason only there. */
  #refuse(head: RequestHead, { reason, retryInMinutes, fault }: Refusal, replies: HttpReplies): void {
    const { counters } = this.#options;
    counters.httpErrors++;
    counters.faults[fault ?? 'refused']++;
    replies.begin();
    replies.out.put(encodeRefusal(reason, retryInMinutes));
    replies.finish(head, 200, 'bencode');
  }
}

function malformed(reason: string): Refusal {
  return { reason, retryInMinutes: null, fault: 'malformed' };
}
