// How to ask an HTTP tracker: one GET, its status, its body.

import { ShoalError } from '../../base/errors.ts';
import type { Http, HttpResponse } from '../../ports/http.ts';
import type { AnnounceReply, AnnounceRequest, ScrapeEntry } from '../protocol/announce.ts';
import { announceUrl, scrapeUrl } from '../protocol/http-query.ts';
import { decodeAnnounceReply, decodeScrapeReply, findRefusal, type TrackerRefusal } from '../protocol/http-reply.ts';
import { TrackerError } from './tracker-error.ts';

/** Room for 50,000 compact IPv6 peers: no honest reply is longer, and a longer one is not worth its memory. */
const MAX_REPLY_BYTES = 1024 * 1024;
/** From the call to the last byte: an overloaded tracker may take long, but then another one should be asked. */
const TIMEOUT_MS = 20_000;

const HEADERS: Readonly<Record<string, string>> = { 'user-agent': 'Shoal/0.1.0', accept: '*/*' };

export class HttpAsker {
  readonly #http: Http;
  readonly #from: Uint8Array | null;

  constructor(http: Http, from: Uint8Array | null) {
    this.#http = http;
    this.#from = from;
  }

  /** Errors: HTTP_FAILED, HOST_NOT_FOUND, TRACKER_INVALID, TRACKER_FAILED (a {@link TrackerError}). */
  async announce(url: string, request: AnnounceRequest, signal: AbortSignal): Promise<AnnounceReply> {
    const outcome = decodeAnnounceReply(await this.#get(announceUrl(url, request), signal));
    if ('refusal' in outcome) throw refused(outcome.refusal);
    return outcome.reply;
  }

  /** Errors as of {@link announce}; a tracker whose URL has no scrape is TRACKER_FAILED (BEP 48). */
  async scrape(
    url: string,
    infoHashes: readonly Uint8Array[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, ScrapeEntry>> {
    const address = scrapeUrl(url, infoHashes);
    if (address === null) throw new TrackerError('this tracker has no scrape: its path does not name "announce"');
    const outcome = decodeScrapeReply(await this.#get(address, signal));
    if ('refusal' in outcome) throw refused(outcome.refusal);
    return outcome.entries;
  }

  async #get(url: string, signal: AbortSignal): Promise<Uint8Array> {
    const response = await this.#http.get({
      url,
      headers: HEADERS,
      maxBytes: MAX_REPLY_BYTES,
      timeoutMs: TIMEOUT_MS,
      signal,
      ...(this.#from === null ? {} : { from: this.#from }),
    });
    if (response.status >= 200 && response.status < 300) return response.body;
    throw statusError(response);
  }
}

function refused(refusal: TrackerRefusal): TrackerError {
  return new TrackerError(refusal.reason, refusal.retryInS);
}

/** Some trackers send their failure reason with a bad status, and overloaded ones say when to come back. */
function statusError(response: HttpResponse): ShoalError {
  const refusal = findRefusal(response.body);
  if (refusal !== null) return refused(refusal);
  const message = `the tracker answered with HTTP status ${response.status}`;
  const retryAfter = response.headers['retry-after'];
  if (retryAfter !== undefined && /^\d{1,9}$/.test(retryAfter)) return new TrackerError(message, Number(retryAfter));
  return new ShoalError('HTTP_FAILED', message);
}
