// What an HTTP request is answered with.

import { fromLatin1 } from '../../base/bytes.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Gzip } from '../../ports/gzip.ts';
import { AnnounceFields } from '../protocol/announce.ts';
import { readAnnounceQuery, readScrapeQuery } from '../protocol/http-query.ts';
import { encodeRefusal, writeAnnounceReply } from '../protocol/http-reply-writer.ts';
import { PathKey, type Refusal } from './access.ts';
import type { AnnounceRules } from './announce.ts';
import { acceptsGzip, type RequestHead } from './http-head.ts';
import type { HttpReplies } from './http-replies.ts';
import type { Pacing } from './pacing.ts';
import type { Pages } from './pages.ts';
import { ASKS_ANNOUNCE, ASKS_OTHER, ASKS_SCRAPE, isPath, keyInPath } from './path-key.ts';
import type { ScrapeRules } from './scrape.ts';
import type { TrackerCounters } from './stats.ts';
import type { StatusRoutes } from './status-routes.ts';
import type { Trust } from './trust.ts';

const HOME = fromLatin1('/');
const WRONG_HASH: Refusal = malformed('info_hash is not 20 bytes');
const NO_HASH: Refusal = malformed('info_hash is missing');
/** A scrape of some forty info hashes: below that compressing costs more than it saves. */
const ZIPPED_FROM_BYTES = 4096;
/** Where nobody has handed pages in. */
const NO_PAGE = 'Shoal tracker: announce at /announce; numbers are at /stats\n';

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

  /**
   * Adds the reply for the request at `bytes`, whose parts `head` names, of a client at `source`. False where it is a
   * request for others: then nothing was added.
   */
  answer(bytes: Uint8Array, head: RequestHead, source: Uint8Array, replies: HttpReplies): boolean {
    const { statusRoutes, counters } = this.#options;
    const isPlain = head.fault === 0 && !head.isUpgrade;
    const asks = isPlain ? keyInPath(bytes, head.pathStart, head.pathEnd, this.#key) : ASKS_OTHER;
    if (asks === ASKS_ANNOUNCE) this.#announce(bytes, head, source, replies);
    else if (asks === ASKS_SCRAPE) return this.#scrape(bytes, head, replies);
    else if (isPlain && statusRoutes.answer(bytes, head, source, replies)) return true;
    else if (isPlain && this.#page(bytes, head, replies)) return true;
    else if (this.#options.handsOver) return false;
    else if (head.fault !== 0) this.fault(head, head.fault, replies);
    else if (isPath(bytes, head, HOME)) replies.text(head, 200, 'text', NO_PAGE);
    else {
      counters.httpErrors++;
      counters.faults.unknownAction++;
      replies.text(head, 404, 'text', 'not found: this is a BitTorrent tracker; announce at /announce\n');
    }
    return true;
  }

  /** Adds a reply that ends the connection. */
  fault(head: RequestHead, status: number, replies: HttpReplies): void {
    const { counters } = this.#options;
    counters.httpErrors++;
    counters.faults[status === 405 ? 'unknownAction' : status === 400 ? 'malformed' : 'tooLarge']++;
    head.keepAlive = false;
    replies.text(head, status, 'text', 'this request cannot be answered\n');
  }

  #page(bytes: Uint8Array, head: RequestHead, replies: HttpReplies): boolean {
    const page = this.#options.pages.find(bytes, head);
    if (page !== null) replies.page(head, page);
    return page !== null;
  }

  #announce(bytes: Uint8Array, head: RequestHead, source: Uint8Array, replies: HttpReplies): void {
    const { announces, counters, clock, pacing, trust, minIntervalS, trackerId } = this.#options;
    const fields = this.#fields;
    const fault = readAnnounceQuery(bytes, head.queryStart, head.queryEnd, fields);
    if (fault !== null) {
      this.#refuse(head, malformed(fault), replies);
      return;
    }
    const ip = trust.namedIp(fields, trust.forwardedIp(bytes, head, source));
    const refusal = announces.handle(fields, this.#key, ip, clock.nowMs() / 1000);
    if (refusal !== null) {
      this.#refuse(head, refusal, replies);
      return;
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
  }

  /** False where all swarms are asked for, and that is for others. */
  #scrape(bytes: Uint8Array, head: RequestHead, replies: HttpReplies): boolean {
    const { scrapes, counters, minIntervalS, handsOverFullScrapes } = this.#options;
    const count = readScrapeQuery(bytes, head.queryStart, head.queryEnd, scrapes.hashes);
    if (count === 0 && handsOverFullScrapes && !head.isHead) return false;
    const refusal = scrapes.refusal(this.#key) ?? (count < 0 ? WRONG_HASH : count === 0 ? NO_HASH : null);
    if (refusal !== null) {
      this.#refuse(head, refusal, replies);
      return true;
    }
    counters.httpScrapes++;
    replies.begin();
    scrapes.writeHttp(count, minIntervalS, replies.out);
    replies.finish(head, 200, this.#zip(bytes, head, replies) ? 'zipped bencode' : 'bencode');
    return true;
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
