// The peers of one torrent: dialling, accepting, numbering, closing. Who they are, not what is exchanged.

import { type Address, type LocalNetwork, nearness } from '../base/address.ts';
import { compareBytes, equalBytes } from '../base/bytes.ts';
import { Greeting, type GreetingAnswer, type GreetingEvents } from '../peer/greeting.ts';
import { Peer, type PeerEvents } from '../peer/peer.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { Sockets } from '../ports/sockets.ts';
import { encodeHandshake, type Handshake } from '../wire/handshake.ts';
import { AddressBook } from './address-book.ts';

/** Dials under way at once: more would look like a scan to a router, and near peers answer within milliseconds. */
const MAX_DIALS = 30;
const DIAL_TIMEOUT_MS = 8_000;

/** A connection that ended before this without a byte of payload led to nothing: the next dial waits longer. */
const VAIN_MS = 15_000;

/** So many peers leave before a number is used again: until then blocks that its bearer sent are known to be his. */
const NUMBERS_RESTING = 256;

export interface SwarmIdentity {
  readonly peerId: Uint8Array;
  /** 20 bytes each, as in handshakes (BEP 52: v2 truncated); at least one. */
  readonly hashV1: Uint8Array | null;
  readonly hashV2: Uint8Array | null;
}

export interface SwarmDeps {
  readonly sockets: Sockets;
  readonly clock: Clock;
  readonly log: Log;
  readonly networks: readonly LocalNetwork[];
  readonly from: Uint8Array | null;
  readonly maxPeers: number;
  takeConnection(): boolean;
  giveConnection(): void;
  /** Null while the metadata is unknown. */
  pieceCount(): number | null;
  /** We have all we want: seeds are not dialled. */
  isDone(): boolean;
  /** Handshakes are done: the peer's opening words may be sent. */
  onPeerOpened(peer: Peer): void;
}

export class Swarm implements GreetingEvents {
  readonly book: AddressBook;
  /** Connected peers, in no order. */
  readonly peers: Peer[] = [];
  readonly #byNumber: (Peer | null)[] = [];
  /** Numbers of peers that have left, the longest gone first. */
  readonly #left: number[] = [];
  readonly #greetings: Set<Greeting> = new Set();
  readonly #identity: SwarmIdentity;
  readonly #deps: SwarmDeps;
  readonly #events: PeerEvents;
  #open = true;

  constructor(identity: SwarmIdentity, deps: SwarmDeps, events: PeerEvents) {
    this.#identity = identity;
    this.#deps = deps;
    this.#events = events;
    this.book = new AddressBook(deps.networks);
  }

  /** Dials under way. */
  get dialling(): number {
    return this.#greetings.size;
  }

  byNumber(number: number): Peer | null {
    return this.#byNumber[number] ?? null;
  }

  /** Dials as many known addresses as limits allow. */
  dialMore(): void {
    const nowMs = this.#deps.clock.nowMs();
    while (
      this.#open &&
      this.#greetings.size < MAX_DIALS &&
      this.peers.length + this.#greetings.size < this.#deps.maxPeers
    ) {
      const known = this.book.next(nowMs, !this.#deps.isDone());
      if (known === null || !this.#deps.takeConnection()) return;
      this.book.dialling(known.address);
      const { hashV1, hashV2 } = this.#identity;
      const infoHash = (known.v2 ? hashV2 : hashV1) ?? hashV1 ?? hashV2!;
      const stream = this.#deps.sockets.connect(known.address, this.#deps.from ? { from: this.#deps.from } : {});
      this.#greetings.add(new Greeting(stream, this.#handshake(infoHash), nowMs, this));
    }
  }

  /** Ends dials that take too long. */
  sweep(nowMs: number): void {
    for (const greeting of this.#greetings) {
      if (nowMs - greeting.sinceMs > DIAL_TIMEOUT_MS) greeting.abandon('no answer');
    }
  }

  // ---- handshakes

  onHandshake(greeting: Greeting, handshake: Handshake): GreetingAnswer {
    const ours = [this.#identity.hashV1, this.#identity.hashV2].some((h) => h && equalBytes(h, handshake.infoHash));
    if (!ours) return { refused: 'it answered for another torrent' };
    if (!this.#greetings.delete(greeting)) return { refused: 'closed meanwhile' };
    const answer = this.#admit(greeting, handshake, true);
    if ('refused' in answer) this.#greetings.add(greeting);
    return answer;
  }

  onGreetingFailed(greeting: Greeting, why: string): void {
    if (!this.#greetings.delete(greeting)) return;
    this.#deps.giveConnection();
    this.#deps.log.write('debug', 'dial failed', { peer: greeting.remote.key, why });
    this.book.ended(greeting.remote, this.#deps.clock.nowMs(), true);
    this.dialMore();
  }

  /** A connection that came to the session for this torrent; its connection is taken already when this is called. */
  accept(greeting: Greeting, handshake: Handshake): GreetingAnswer {
    if (!this.#open) return { refused: 'the torrent is stopping' };
    if (this.book.isBanned(greeting.remote)) return { refused: 'banned' };
    if (this.peers.length >= this.#deps.maxPeers) return { refused: 'enough peers' };
    greeting.stream.write([this.#handshake(handshake.infoHash)]);
    return this.#admit(greeting, handshake, false);
  }

  #admit(greeting: Greeting, handshake: Handshake, outgoing: boolean): GreetingAnswer {
    if (equalBytes(handshake.peerId, this.#identity.peerId)) {
      if (outgoing) this.book.ban(greeting.remote);
      return { refused: 'this is ourselves' };
    }
    const twin = this.peers.find((peer) => equalBytes(peer.peerId, handshake.peerId));
    if (twin && !this.#replaces(twin, handshake.peerId, outgoing)) return { refused: 'connected to it already' };
    twin?.close('connected to it twice');
    const number = this.#freeNumber();
    const identity = {
      number,
      address: greeting.remote,
      outgoing,
      nearness: nearness(greeting.remote, this.#deps.networks),
      handshake: { ...handshake, v2: this.#isV2(handshake) },
    };
    const peer = new Peer(identity, greeting.stream, this.#deps.pieceCount(), this.#deps.clock, this.#events);
    this.#byNumber[number] = peer;
    this.peers.push(peer);
    if (outgoing) this.book.connected(greeting.remote);
    this.#deps.onPeerOpened(peer);
    return { sink: peer };
  }

  /** Of two connections with the same remote, both sides keep the one that the higher peer id began. */
  #replaces(twin: Peer, peerId: Uint8Array, outgoing: boolean): boolean {
    if (twin.outgoing === outgoing) return false;
    return compareBytes(this.#identity.peerId, peerId) > 0 === outgoing;
  }

  /** BEP 52: hash messages are for connections made with the v2 info hash. */
  #isV2(handshake: Handshake): boolean {
    const { hashV2 } = this.#identity;
    return hashV2 !== null && (equalBytes(hashV2, handshake.infoHash) || handshake.v2);
  }

  #handshake(infoHash: Uint8Array): Uint8Array {
    return encodeHandshake({
      infoHash,
      peerId: this.#identity.peerId,
      fast: true,
      extended: true,
      dht: false,
      v2: this.#identity.hashV2 !== null,
    });
  }

  #freeNumber(): number {
    return this.#left.length > NUMBERS_RESTING ? this.#left.shift()! : this.#byNumber.length;
  }

  // ---- closing

  /** Called by the torrent when a peer has closed: takes it out of the table. */
  forget(peer: Peer): void {
    const at = this.peers.indexOf(peer);
    if (at < 0) return;
    this.peers.splice(at, 1);
    this.#byNumber[peer.number] = null;
    this.#left.push(peer.number);
    this.#deps.giveConnection();
    if (!peer.outgoing) return;
    const nowMs = this.#deps.clock.nowMs();
    const wasVain = nowMs - peer.connectedMs < VAIN_MS && peer.down.total + peer.up.total === 0;
    this.book.ended(peer.address, nowMs, wasVain, peer.isSeed || peer.uploadOnly);
  }

  /** Never deal with it again; told apart by address and port. */
  ban(peer: Peer, why: string): void {
    this.banAddress(peer.address);
    if (peer.extensions.port !== null) this.banAddress(peer.address.withPort(peer.extensions.port));
    peer.close(why);
  }

  banAddress(address: Address): void {
    this.book.ban(address);
  }

  /** Closes all connections and begins no more. */
  close(why: string): void {
    this.#open = false;
    for (const greeting of [...this.#greetings]) greeting.abandon(why);
    for (const peer of [...this.peers]) peer.close(why);
  }
}
