// The peers of one torrent: dialling, accepting, numbering, closing. Who they are, not what is exchanged.

import { type Address, type LocalNetwork, nearness, sameSite } from '../base/address.ts';
import { compareBytes, equalBytes } from '../base/bytes.ts';
import { Greeting, type GreetingAnswer, type GreetingEvents } from '../peer/greeting.ts';
import { Peer, type PeerEvents } from '../peer/peer.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { Sockets } from '../ports/sockets.ts';
import { encodeHandshake, type Handshake } from '../wire/handshake.ts';
import { AddressBook } from './address-book.ts';
import type { ConnectionHolder, Connections } from './connections.ts';
import { mostUseless, slowest } from './keeping.ts';

/** Dials under way at once: more would look like a scan to a router, and near peers answer within milliseconds. */
const MAX_DIALS = 30;
/** A seed lacks nothing, and is in no hurry. */
const MAX_DIALS_OF_SEED = 8;
const DIAL_TIMEOUT_MS = 8_000;

/** A connection that ended before this without a byte of payload led to nothing: the next dial waits longer. */
const VAIN_MS = 15_000;

/**
 * Peers with one address of another machine. Several are normal: a household, a company, a provider that has few
 * addresses. All of a torrent's connections are not.
 */
const MAX_AT_ONE_ADDRESS = 32;

/** With no room left, and each peer of some use, the slowest makes room so often for one that may be faster. */
const TURNOVER_MS = 60_000;

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
  readonly connections: Connections;
  /** Null while the metadata is unknown. */
  pieceCount(): number | null;
  /** We have all we want: seeds are not dialled. */
  isDone(): boolean;
  /** Handshakes are done: the peer's opening words may be sent. */
  onPeerOpened(peer: Peer): void;
}

export class Swarm implements GreetingEvents, ConnectionHolder {
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
  /** Just being closed in favour of others: not to be dialled again soon. */
  #evicted: Peer | null = null;
  #nextTurnoverMs = 0;

  constructor(identity: SwarmIdentity, deps: SwarmDeps, events: PeerEvents) {
    this.#identity = identity;
    this.#deps = deps;
    this.#events = events;
    this.book = new AddressBook(deps.networks);
    deps.connections.join(this);
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
    const { isDone, maxPeers, connections, clock } = this.#deps;
    const nowMs = clock.nowMs();
    const maxDials = isDone() ? MAX_DIALS_OF_SEED : MAX_DIALS;
    while (this.#open && this.#greetings.size < maxDials && this.connections < maxPeers) {
      const known = this.book.next(nowMs, !isDone());
      if (known === null) return;
      if (this.#isCrowded(known.address)) {
        this.book.ended(known.address, nowMs, true);
        continue;
      }
      if (!connections.takeDial(this, nowMs)) return;
      this.book.dialling(known.address);
      const { hashV1, hashV2 } = this.#identity;
      const infoHash = (known.v2 ? hashV2 : hashV1) ?? hashV1 ?? hashV2!;
      const stream = this.#deps.sockets.connect(known.address, this.#deps.from ? { from: this.#deps.from } : {});
      this.#greetings.add(new Greeting(stream, this.#handshake(infoHash), nowMs, this));
    }
  }

  /** Ends dials that take too long; a leech that is full lets a peer go for one that may be better. */
  sweep(nowMs: number): void {
    for (const greeting of this.#greetings) {
      if (nowMs - greeting.sinceMs > DIAL_TIMEOUT_MS) greeting.abandon('no answer');
    }
    const { isDone, maxPeers } = this.#deps;
    if (this.peers.length >= maxPeers && !isDone() && this.book.next(nowMs)?.failures === 0) this.#makeRoom(nowMs);
  }

  // ---- room

  /** Connected peers and dials under way. */
  get connections(): number {
    return this.peers.length + this.#greetings.size;
  }

  closeUseless(nowMs: number): boolean {
    return this.#evict(mostUseless(this.peers, nowMs), 'others wait, and it is of no use');
  }

  closeSlowest(nowMs: number): boolean {
    return this.#evict(slowest(this.peers, nowMs), 'others wait, and it is the slowest');
  }

  #makeRoom(nowMs: number): boolean {
    if (this.closeUseless(nowMs)) return true;
    if (nowMs < this.#nextTurnoverMs) return false;
    this.#nextTurnoverMs = nowMs + TURNOVER_MS;
    return this.closeSlowest(nowMs);
  }

  #evict(peer: Peer | null, why: string): boolean {
    this.#evicted = peer;
    peer?.close(why);
    this.#evicted = null;
    return peer !== null;
  }

  /** Whether as many peers as may be are at this address already. All programs of this machine are at one. */
  #isCrowded(address: Address): boolean {
    const near = nearness(address, this.#deps.networks);
    if (near === 'machine') return false;
    // The machines of a local network share its /64.
    const isSame = near === 'network' ? equalBytes : sameSite;
    let count = 0;
    for (const peer of this.peers) if (isSame(peer.address.ip, address.ip)) count++;
    for (const greeting of this.#greetings) if (isSame(greeting.remote.ip, address.ip)) count++;
    return count >= MAX_AT_ONE_ADDRESS;
  }

  // ---- handshakes

  onHandshake(greeting: Greeting, handshake: Handshake): GreetingAnswer {
    const ours = [this.#identity.hashV1, this.#identity.hashV2].some((h) => h && equalBytes(h, handshake.infoHash));
    if (!ours) return { refused: 'it answered for another torrent' };
    if (!this.#greetings.delete(greeting)) return { refused: 'closed meanwhile' };
    const answer = this.#admit(greeting, handshake, true);
    if ('refused' in answer) this.#greetings.add(greeting);
    else this.#deps.connections.dialEnded();
    return answer;
  }

  onGreetingFailed(greeting: Greeting, why: string): void {
    if (!this.#greetings.delete(greeting)) return;
    this.#deps.connections.dialEnded();
    this.#deps.connections.give();
    this.#deps.log.write('debug', 'dial failed', { peer: greeting.remote.key, why });
    this.book.ended(greeting.remote, this.#deps.clock.nowMs(), true);
    this.dialMore();
  }

  /** A connection that came to the session for this torrent. */
  accept(greeting: Greeting, handshake: Handshake): GreetingAnswer {
    const { maxPeers, connections, clock } = this.#deps;
    const nowMs = clock.nowMs();
    if (!this.#open) return { refused: 'the torrent is stopping' };
    if (this.book.isBanned(greeting.remote)) return { refused: 'banned' };
    if (this.#isCrowded(greeting.remote)) return { refused: 'enough peers with its address' };
    if (this.peers.length >= maxPeers && !this.#makeRoom(nowMs)) return { refused: 'enough peers' };
    if (!connections.take(this, nowMs)) return { refused: 'enough connections' };
    greeting.stream.write([this.#handshake(this.#answerHash(handshake))]);
    const answer = this.#admit(greeting, handshake, false);
    if ('refused' in answer) connections.give();
    return answer;
  }

  #admit(greeting: Greeting, handshake: Handshake, outgoing: boolean): GreetingAnswer {
    if (equalBytes(handshake.peerId, this.#identity.peerId)) {
      if (outgoing) this.book.ban(greeting.remote);
      return { refused: 'this is ourselves' };
    }
    const twin = this.peers.find((peer) => equalBytes(peer.peerId, handshake.peerId));
    if (twin && !this.#replaces(twin, greeting.remote, handshake.peerId, outgoing))
      return { refused: 'connected to it already' };
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

  /**
   * Of two connections with the same remote, both sides keep the one that the higher peer id began. From elsewhere anybody
   * could say to be it.
   */
  #replaces(twin: Peer, remote: Address, peerId: Uint8Array, outgoing: boolean): boolean {
    if (twin.outgoing === outgoing || twin.address.host !== remote.host) return false;
    return compareBytes(this.#identity.peerId, peerId) > 0 === outgoing;
  }

  /** BEP 52, upgrade path: who came with the v1 hash of a hybrid and knows v2 is answered with the v2 hash. */
  #answerHash({ v2, infoHash }: Handshake): Uint8Array {
    return (v2 && this.#identity.hashV2) || infoHash;
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
    this.#deps.connections.give();
    if (!peer.outgoing) return;
    const nowMs = this.#deps.clock.nowMs();
    const wasVain = nowMs - peer.connectedMs < VAIN_MS && peer.down.total + peer.up.total === 0;
    this.book.ended(peer.address, nowMs, wasVain || peer === this.#evicted, peer.isSeed || peer.uploadOnly);
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
    this.#deps.connections.leave(this);
    for (const greeting of [...this.#greetings]) greeting.abandon(why);
    for (const peer of [...this.peers]) peer.close(why);
  }
}
