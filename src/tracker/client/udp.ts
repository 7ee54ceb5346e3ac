// How to ask a UDP tracker (BEP 15): connection ids, retransmission, one socket for all trackers.
//
//   ask -> resolve -> for each address: [connection id cached, or connect] -> request -> reply
//                          ^------------- nothing heard: again, twice as patient ----|

import { Address } from '../../base/address.ts';
import { ShoalError } from '../../base/errors.ts';
import type { Clock, Timer } from '../../ports/clock.ts';
import type { Random } from '../../ports/random.ts';
import type { Sockets, UdpSocket } from '../../ports/sockets.ts';
import type { AnnounceReply, AnnounceRequest, ScrapeEntry } from '../protocol/announce.ts';
import {
  decodeReply,
  encodeAnnounceRequest,
  encodeConnectRequest,
  encodeScrapeRequest,
  replyTransactionId,
  type UdpReply,
} from '../protocol/udp-packets.ts';
import { abortable } from './abortable.ts';
import { TrackerError } from './tracker-error.ts';

/**
 * BEP 15 waits 15 s before it asks again and goes on for hours. A lost packet would cost a start 15 s so, and a dead
 * tracker keeps others from being asked: we wait 2.5, 5, 10 and 20 s and then call it dead.
 */
const FIRST_TIMEOUT_MS = 2500;
const TRIES = 4;
/** Tries for an address that has another after it. */
const TRIES_BEFORE_NEXT = 2;
/** Addresses of a host that are tried at most. */
const MAX_ADDRESSES = 4;
/** A client may use a connection id for a minute (BEP 15). */
const CONNECTION_ID_MS = 60_000;
/** Connection ids kept; torrents name a few trackers each, and a lost id costs one round trip. */
const MAX_CONNECTION_IDS = 256;

/** A host name is looked up again after this, and so many are remembered. */
const NAME_MS = 60_000;
const MAX_NAMES = 256;

interface Exchange {
  readonly to: Address;
  readonly settle: (reply: UdpReply) => void;
  readonly fail: (error: Error) => void;
}

interface ConnectionId {
  readonly bytes: Uint8Array;
  readonly atMs: number;
}

/** Where a `udp://` URL leads, and the path and query it is announced with (BEP 41). */
export interface UdpTarget {
  readonly host: string;
  readonly port: number;
  readonly urlData: string;
}

type MakeRequest = (connectionId: Uint8Array, transactionId: number) => Uint8Array;

export class UdpAsker {
  readonly #sockets: Sockets;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #from: Uint8Array | null;
  readonly #exchanges = new Map<number, Exchange>();
  readonly #connectionIds = new Map<string, ConnectionId>();
  readonly #connecting = new Map<string, Promise<UdpReply | null>>();
  readonly #names = new Map<string, { readonly ips: Promise<readonly Uint8Array[]>; readonly atMs: number }>();
  #socket: Promise<UdpSocket> | null = null;
  #closed = false;

  constructor(sockets: Sockets, clock: Clock, random: Random, from: Uint8Array | null) {
    this.#sockets = sockets;
    this.#clock = clock;
    this.#random = random;
    this.#from = from;
  }

  /** Errors: HOST_NOT_FOUND, LISTEN_FAILED, CONNECT_FAILED (no answer), TRACKER_FAILED, TRACKER_INVALID. */
  async announce(target: UdpTarget, request: AnnounceRequest, signal: AbortSignal): Promise<AnnounceReply> {
    const make: MakeRequest = (id, transaction) => encodeAnnounceRequest(id, transaction, request, target.urlData);
    const reply = await this.#ask(target, make, signal);
    if (reply.action !== 'announce') throw unexpected(reply);
    return reply.reply;
  }

  /** Entries in the order of the hashes, fewer where the tracker sent fewer. Errors as of {@link announce}. */
  async scrape(
    target: UdpTarget,
    infoHashes: readonly Uint8Array[],
    signal: AbortSignal,
  ): Promise<readonly ScrapeEntry[]> {
    const make: MakeRequest = (id, transaction) => encodeScrapeRequest(id, transaction, infoHashes);
    const reply = await this.#ask(target, make, signal);
    if (reply.action !== 'scrape') throw unexpected(reply);
    return reply.entries.slice(0, infoHashes.length);
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const exchange of this.#exchanges.values()) exchange.fail(closedError());
    // A socket that never opened needs no closing, and whoever asked for it has heard why.
    const opening = this.#socket;
    this.#socket = null;
    const socket = await opening?.catch(() => null);
    await socket?.close();
  }

  /** All addresses one after the other, over the first that answers (BEP 7); a refusal is an answer. */
  async #ask(target: UdpTarget, make: MakeRequest, signal: AbortSignal): Promise<UdpReply> {
    const addresses = await this.#addresses(target, signal);
    const socket = await abortable(this.#open(), signal);
    for (const [i, address] of addresses.entries()) {
      const tries = i === addresses.length - 1 ? TRIES : TRIES_BEFORE_NEXT;
      const reply = await this.#askAt(socket, address, make, tries, signal);
      if (reply?.action === 'error') throw new TrackerError(reply.message || 'the tracker refused without a reason');
      if (reply !== null) return reply;
    }
    throw new ShoalError('CONNECT_FAILED', `no answer from the tracker at ${addresses.at(-1)!.key}`);
  }

  async #addresses(target: UdpTarget, signal: AbortSignal): Promise<Address[]> {
    const ips = await abortable(this.#resolve(target.host), signal);
    const from = this.#from;
    const usable = ips
      .map((ip) => new Address(ip, target.port))
      .filter((each) => !from || each.ip.length === from.length);
    if (usable.length === 0) {
      throw new ShoalError('HOST_NOT_FOUND', `${target.host} has no address that can be reached from the chosen one`);
    }
    return usable.slice(0, MAX_ADDRESSES);
  }

  /** Torrents that name one tracker share what its name was found to mean. */
  #resolve(host: string): Promise<readonly Uint8Array[]> {
    const nowMs = this.#clock.nowMs();
    let known = this.#names.get(host);
    if (known === undefined || nowMs - known.atMs > NAME_MS) {
      const ips = this.#sockets.resolve(host);
      known = { ips, atMs: nowMs };
      ips.catch(() => this.#names.delete(host));
      this.#names.delete(host);
      const oldest = this.#names.keys().next();
      if (this.#names.size >= MAX_NAMES && !oldest.done) this.#names.delete(oldest.value);
      this.#names.set(host, known);
    }
    return known.ips;
  }

  /** Null where nothing was heard in `tries` tries. */
  async #askAt(
    socket: UdpSocket,
    address: Address,
    make: MakeRequest,
    tries: number,
    signal: AbortSignal,
  ): Promise<UdpReply | null> {
    let mayReconnect = true;
    for (let tried = 0; tried < tries; ) {
      const timeoutMs = FIRST_TIMEOUT_MS * 2 ** tried;
      const known = this.#knownConnectionId(address);
      let id = known;
      if (id === null) {
        const connected = await abortable(this.#connect(socket, address, timeoutMs), signal);
        if (connected?.action === 'error') return connected;
        id = connected?.action === 'connect' ? connected.connectionId : null;
      }
      const reply = id === null ? null : await this.#exchange(socket, address, make.bind(null, id), timeoutMs, signal);
      if (reply?.action === 'error' && known !== null && mayReconnect) {
        // The tracker may have restarted and not know the id any more: the error is believed with a fresh one.
        this.#connectionIds.delete(address.key);
        mayReconnect = false;
        continue;
      }
      if (reply !== null) return reply;
      tried++;
    }
    return null;
  }

  #knownConnectionId(address: Address): Uint8Array | null {
    const known = this.#connectionIds.get(address.key);
    return known !== undefined && this.#clock.nowMs() - known.atMs < CONNECTION_ID_MS ? known.bytes : null;
  }

  /** Torrents that start together share one connect. */
  #connect(socket: UdpSocket, address: Address, timeoutMs: number): Promise<UdpReply | null> {
    const key = address.key;
    let connecting = this.#connecting.get(key);
    if (connecting === undefined) {
      const make = encodeConnectRequest;
      connecting = this.#exchange(socket, address, make, timeoutMs, null).then((reply) => {
        if (reply?.action === 'connect') this.#remember(key, reply.connectionId);
        return reply;
      });
      connecting = connecting.finally(() => this.#connecting.delete(key));
      this.#connecting.set(key, connecting);
    }
    return connecting;
  }

  #remember(key: string, bytes: Uint8Array): void {
    this.#connectionIds.delete(key);
    const oldest = this.#connectionIds.keys().next();
    if (this.#connectionIds.size >= MAX_CONNECTION_IDS && !oldest.done) this.#connectionIds.delete(oldest.value);
    this.#connectionIds.set(key, { bytes, atMs: this.#clock.nowMs() });
  }

  /** One packet out, one back; null after `timeoutMs`. */
  #exchange(
    socket: UdpSocket,
    to: Address,
    make: (transactionId: number) => Uint8Array,
    timeoutMs: number,
    signal: AbortSignal | null,
  ): Promise<UdpReply | null> {
    return new Promise((resolve, reject) => {
      if (this.#closed || signal?.aborted) {
        reject(signal?.reason ?? closedError());
        return;
      }
      const transactionId = this.#newTransactionId();
      const finish = (): void => {
        timer.cancel();
        signal?.removeEventListener('abort', onAbort);
        this.#exchanges.delete(transactionId);
      };
      const fail = (error: Error): void => {
        finish();
        reject(error);
      };
      const onAbort = (): void => fail(signal!.reason as Error);
      const timer: Timer = this.#clock.after(timeoutMs, () => {
        finish();
        resolve(null);
      });
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#exchanges.set(transactionId, {
        to,
        fail,
        settle: (reply) => {
          finish();
          resolve(reply);
        },
      });
      socket.send(make(transactionId), to);
    });
  }

  #newTransactionId(): number {
    let id = this.#random.below(2 ** 32);
    while (this.#exchanges.has(id)) id = this.#random.below(2 ** 32);
    return id;
  }

  #open(): Promise<UdpSocket> {
    if (this.#closed) return Promise.reject(closedError());
    this.#socket ??= this.#sockets
      .bindUdp({ ip: this.#from, port: 0 }, (message, from) => this.#receive(message, from))
      .catch((error: unknown) => {
        this.#socket = null;
        throw error;
      });
    return this.#socket;
  }

  /** A packet counts only with a transaction id that is waited for, and from where it was sent to. */
  #receive(message: Uint8Array, from: Address): void {
    const exchange = this.#exchanges.get(replyTransactionId(message));
    if (exchange === undefined || exchange.to.key !== from.key) return;
    const reply = decodeReply(message, from.family);
    if (reply !== null) exchange.settle(reply);
  }
}

function unexpected(reply: UdpReply): ShoalError {
  return new ShoalError(
    'TRACKER_INVALID',
    `the tracker answered with another action (${reply.action}) than it was asked`,
  );
}

function closedError(): ShoalError {
  return new ShoalError('STOPPED', 'the tracker client was closed');
}
