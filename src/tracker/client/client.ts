// How to ask a tracker, whatever its scheme. When to ask is the announcer's.

import { toHex } from '../../base/bytes.ts';
import { ShoalError } from '../../base/errors.ts';
import type { Env } from '../../ports/env.ts';
import type { AnnounceReply, AnnounceRequest, ScrapeEntry } from '../protocol/announce.ts';
import { MAX_SCRAPE_HASHES } from '../protocol/udp-packets.ts';
import { HttpAsker } from './http.ts';
import { TrackerError } from './tracker-error.ts';
import { Turns } from './turns.ts';
import { UdpAsker, type UdpTarget } from './udp.ts';

export interface TrackerClientOptions {
  /** The own IP address that everything leaves from; null lets the system choose. */
  readonly from: Uint8Array | null;
}

/** What the announcer needs of a client. */
export interface Announces {
  announce(url: string, request: AnnounceRequest, options: { signal: AbortSignal }): Promise<AnnounceReply>;
}

/**
 * Announces to one host at once: a session with thousands of torrents begins with as many, and they share this many
 * connections. With a tracker 100 ms away some 300 (UDP: 600) are told a second.
 */
const HTTP_AT_ONCE = 32;
const UDP_AT_ONCE = 64;

type Target = { readonly kind: 'http'; readonly host: string } | { readonly kind: 'udp'; readonly target: UdpTarget };

/**
 * One for a session: its trackers share a UDP socket and connection ids. Asks as often as it is told to.
 * Errors of all calls: TRACKER_FAILED (a {@link TrackerError} where the tracker says when to come back), TRACKER_INVALID,
 * HTTP_FAILED, HOST_NOT_FOUND, CONNECT_FAILED, LISTEN_FAILED, and the signal's reason.
 */
export class TrackerClient implements Announces {
  readonly #http: HttpAsker;
  readonly #udp: UdpAsker;
  readonly #httpTurns = new Turns(HTTP_AT_ONCE);
  readonly #udpTurns = new Turns(UDP_AT_ONCE);
  readonly #closed = new AbortController();

  constructor(env: Pick<Env, 'http' | 'sockets' | 'clock' | 'random'>, options: TrackerClientOptions) {
    this.#http = new HttpAsker(env.http, options.from);
    this.#udp = new UdpAsker(env.sockets, env.clock, env.random, options.from);
  }

  async announce(url: string, request: AnnounceRequest, options: { signal: AbortSignal }): Promise<AnnounceReply> {
    const target = parseTrackerUrl(url);
    const urgent = request.left > 0;
    if (target.kind === 'udp') {
      const { host, port } = target.target;
      const ask = async (): Promise<AnnounceReply> =>
        this.#udp.announce(target.target, request, this.#or(options.signal));
      return this.#udpTurns.run(`${host}:${port}`, urgent, options.signal, ask);
    }
    const ask = async (): Promise<AnnounceReply> => this.#http.announce(url, request, this.#or(options.signal));
    return this.#httpTurns.run(target.host, urgent, options.signal, ask);
  }

  /** Counts by info hash in hexadecimal; swarms that the tracker does not know may be missing. */
  async scrape(
    url: string,
    infoHashes: readonly Uint8Array[],
    options: { signal: AbortSignal },
  ): Promise<ReadonlyMap<string, ScrapeEntry>> {
    const target = parseTrackerUrl(url);
    const signal = this.#or(options.signal);
    const out = new Map<string, ScrapeEntry>();
    for (let at = 0; at < infoHashes.length; at += MAX_SCRAPE_HASHES) {
      const part = infoHashes.slice(at, at + MAX_SCRAPE_HASHES);
      if (target.kind === 'http') {
        for (const [hash, entry] of await this.#http.scrape(url, part, signal)) out.set(hash, entry);
      } else {
        const entries = await this.#udp.scrape(target.target, part, signal);
        for (const [i, entry] of entries.entries()) out.set(toHex(part[i]!), entry);
      }
    }
    return out;
  }

  /** Aborts with `signal`, and when this client is closed. */
  #or(signal: AbortSignal): AbortSignal {
    // Thousands that wait for their turn end at once, before anything is made for them.
    this.#closed.signal.throwIfAborted();
    return AbortSignal.any([signal, this.#closed.signal]);
  }

  /** Ends all that is under way with STOPPED. Idempotent. */
  async close(): Promise<void> {
    this.#closed.abort(new ShoalError('STOPPED', 'the tracker client was closed'));
    await this.#udp.close();
  }
}

function parseTrackerUrl(url: string): Target {
  const parsed = URL.canParse(url) ? new URL(url) : null;
  if (parsed === null) throw new TrackerError(`"${url}" is no URL`, Number.POSITIVE_INFINITY);
  if (parsed.protocol === 'http:' || parsed.protocol === 'https:') return { kind: 'http', host: parsed.host };
  if (parsed.protocol !== 'udp:') {
    throw new TrackerError(`trackers with ${parsed.protocol}// are not supported`, Number.POSITIVE_INFINITY);
  }
  const host = parsed.hostname.replace(/^\[(.*)\]$/, '$1');
  const port = Number(parsed.port);
  if (host === '' || port === 0) throw new TrackerError(`"${url}" has no port`, Number.POSITIVE_INFINITY);
  return { kind: 'udp', target: { host, port, urlData: parsed.pathname + parsed.search } };
}
