// Scrapes (BEP 48, BEP 15): counts of the swarms that are asked for, zeros for those that nobody is in.

import { compareBytes } from '../../base/bytes.ts';
import { HASH_LENGTH } from '../protocol/announce.ts';
import { type ReplyWriter, writeScrapeEnd, writeScrapeEntry, writeScrapeHead } from '../protocol/http-reply-writer.ts';
import { writeScrapeEntry as writeUdpEntry } from '../protocol/udp-packets.ts';
import { writeWebScrapeEnd, writeWebScrapeEntry, writeWebScrapeHead } from '../protocol/web-replies.ts';
import type { AccessRules, PathKey, Refusal, SwarmMirror, Waiter } from './access.ts';
import { AddressRates, isLimited } from './address-rates.ts';
import { Counts } from './announce.ts';
import type { SwarmTable } from './table/swarm-table.ts';

/** Info hashes of one HTTP scrape: as many as a request head holds. */
export const MAX_HTTP_SCRAPE = 128;
/** So many info hashes count as one scrape: each may be a step of the shared store. */
const HASHES_PER_SCRAPE = 8;

const TOO_OFTEN: Refusal = {
  reason: 'too many scrapes from your address',
  retryInMinutes: 1,
  fault: 'tooManyScrapes',
};

export interface ScrapeLimits {
  /** Default: everybody may scrape everything. */
  readonly access?: AccessRules | null;
  /** Default: no other tracker shares the swarms. */
  readonly mirror?: SwarmMirror | null;
  /** Scrapes of an address a second; null: any number. */
  readonly scrapesPerSecond?: number | null;
  /** The limits of addresses hold for this machine's own too. */
  readonly limitsLoopback?: boolean;
}

export class ScrapeRules {
  /** Where the query's info hashes are read to. */
  readonly hashes: Uint8Array = new Uint8Array(MAX_HTTP_SCRAPE * HASH_LENGTH);
  readonly #table: SwarmTable;
  readonly #access: AccessRules | null;
  readonly #mirror: SwarmMirror | null;
  readonly #rates: AddressRates | null;
  readonly #limitsLoopback: boolean;
  readonly #counts = new Counts();

  constructor(table: SwarmTable, { access, mirror, scrapesPerSecond, limitsLoopback }: ScrapeLimits) {
    this.#table = table;
    this.#access = access ?? null;
    this.#mirror = mirror ?? null;
    this.#rates = scrapesPerSecond ? new AddressRates(scrapesPerSecond) : null;
    this.#limitsLoopback = limitsLoopback ?? false;
  }

  /**
   * Counts a scrape of `count` info hashes by a client at `ip`: to be called once for each, before it waits. Why whoever has
   * this key is told nothing; null: all may be told that {@link AccessRules.shows}.
   */
  refusal(key: PathKey, ip: Uint8Array, nowS: number, count: number): Refusal | null {
    if (this.#rates !== null && isLimited(ip, this.#limitsLoopback)) {
      const cost = Math.max(1, Math.ceil(count / HASHES_PER_SCRAPE));
      if (!this.#rates.allows(this.#table.addressHash(ip), nowS, cost)) return TOO_OFTEN;
    }
    return this.#access?.checkScrape(key) ?? null;
  }

  /** Whether `count` info hashes from byte `at` on may be answered now: their copies are young. */
  isFresh(bytes: Uint8Array, at: number, count: number): boolean {
    if (this.#mirror === null) return true;
    for (let i = 0; i < count; i++) if (!this.#mirror.isFresh(hashAt(bytes, at, i))) return false;
    return true;
  }

  /** Has the waiter go on when those that are not fresh have been fetched. False where none is: too much waits already. */
  wait(bytes: Uint8Array, at: number, count: number, waiter: Waiter): boolean {
    let waitingFor = 0;
    const each: Waiter = {
      goOn: () => {
        waitingFor--;
        if (waitingFor === 0) waiter.goOn();
      },
    };
    for (let i = 0; i < count; i++) {
      const infoHash = hashAt(bytes, at, i);
      if (this.#mirror?.isFresh(infoHash) === false && this.#mirror.wait(infoHash, each)) waitingFor++;
    }
    return waitingFor > 0;
  }

  /** Writes the reply for the first `count` of `hashes`. Keys of a dictionary are sorted and come once. */
  writeHttp(count: number, minIntervalS: number, out: ReplyWriter): void {
    writeScrapeHead(out);
    for (const hash of sorted(this.hashes, count)) {
      this.#count(hash, 0);
      writeScrapeEntry(out, hash, this.#counts);
    }
    writeScrapeEnd(out, minIntervalS);
  }

  /** Writes the reply over WebSocket for the first `count` of `hashes`. */
  writeWeb(hashes: Uint8Array, count: number, minIntervalS: number, out: ReplyWriter): void {
    writeWebScrapeHead(out);
    for (const [i, hash] of sorted(hashes, count).entries()) {
      this.#count(hash, 0);
      writeWebScrapeEntry(out, hash, this.#counts, i === 0);
    }
    writeWebScrapeEnd(out, minIntervalS);
  }

  /** Writes the entries of a UDP reply for `count` info hashes that begin at byte `at` of `packet`, in their order. */
  writeUdp(packet: Uint8Array, at: number, count: number, out: Uint8Array): void {
    for (let i = 0; i < count; i++) {
      this.#count(packet, at + i * HASH_LENGTH);
      writeUdpEntry(out, i, this.#counts.seeds, this.#counts.completed, this.#counts.leeches);
    }
  }

  #count(bytes: Uint8Array, at: number): void {
    const isShown = this.#access?.shows(bytes, at) ?? true;
    this.#counts.read(this.#table, isShown ? this.#table.find(bytes, at) : -1);
    this.#table.exit();
  }
}

/** Views of the first `count` info hashes, each once. */
function sorted(hashes: Uint8Array, count: number): Uint8Array[] {
  const all = Array.from({ length: count }, (_, i) => hashes.subarray(i * HASH_LENGTH, (i + 1) * HASH_LENGTH));
  all.sort(compareBytes);
  return all.filter((hash, i) => i === 0 || compareBytes(hash, all[i - 1]!) !== 0);
}

function hashAt(bytes: Uint8Array, at: number, i: number): Uint8Array {
  return bytes.subarray(at + i * HASH_LENGTH, at + (i + 1) * HASH_LENGTH);
}
