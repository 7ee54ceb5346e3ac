// The WebSocket side of the tracker: connections that begin as HTTP requests, with their limits, and what goes between
// connections of this thread and of others.

import { EMPTY } from '../../../base/bytes.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { Hashes } from '../../../ports/hashes.ts';
import type { ByteStream } from '../../../ports/sockets.ts';
import { CLOSE_GOING_AWAY } from '../../protocol/websocket-frames.ts';
import { acceptOf, type UpgradeFields, upgradeFault, upgradeReply } from '../../protocol/websocket-upgrade.ts';
import { PathKey } from '../access.ts';
import { isLimited } from '../address-rates.ts';
import type { Upgrades } from '../http/http-connection.ts';
import { fieldOf, type RequestHead } from '../http/http-head.ts';
import { ASKS_ANNOUNCE, keyInPath } from '../http/path-key.ts';
import type { Pacing } from '../pacing.ts';
import type { TrackerCounters } from '../status/stats.ts';
import type { FarPeers } from '../store/far-peers.ts';
import { FarFrame, type FarRelays, NO_ROLE, readFarFrames } from '../store/far-relays.ts';
import { roleOfChange } from '../store/roles.ts';
import { ELSEWHERE } from '../table/peer-runs.ts';
import type { SwarmTable } from '../table/swarm-table.ts';
import type { Trust } from '../trust.ts';
import { WebConnection, type WebShared } from './web-connection.ts';
import { WebMemory } from './web-memory.ts';
import { WebPeers } from './web-peers.ts';
import type { WebRelays } from './web-relays.ts';
import { type Delivery, WebSignalling, type WebSignallingOptions } from './web-signalling.ts';

/** For clients to answer our goodbye. */
const GOODBYE_MS = 500;

/** Other trackers that share the swarms. */
export interface Far {
  readonly farPeers: FarPeers;
  readonly farRelays: FarRelays;
  /** See {@link IsSilent}. */
  isSilent(place: number): boolean;
}

export interface WebServerOptions extends Omit<WebSignallingOptions, 'deliver' | 'peers' | 'clock'> {
  readonly clock: Clock;
  readonly hashes: Hashes;
  readonly table: SwarmTable;
  readonly trust: Trust;
  readonly counters: TrackerCounters;
  readonly pacing: Pacing;
  /** This thread, as the swarm table and others call it. */
  readonly thread: number;
  /** Null: there is one thread. */
  readonly relays: WebRelays | null;
  /** Null: there are none. */
  readonly far: Far | null;
  /** Peers that the table chooses at once. */
  readonly mostPicked: number;
  readonly maxConnections: number;
  /** Of one address, an IPv6 /64. */
  readonly maxPerAddress: number;
  /** What they all may hold; see {@link WebMemory}. */
  readonly maxBytes: number;
  /** Limits of addresses hold for this machine's own too. */
  readonly limitsLoopback: boolean;
}

export class WebServer implements Upgrades {
  readonly #options: WebServerOptions;
  readonly #shared: WebShared;
  readonly #signalling: WebSignalling;
  readonly #peers: WebPeers;
  /** By their numbers. */
  readonly #connections: (WebConnection | null)[] = [];
  readonly #free: number[] = [];
  readonly #memory: WebMemory;
  #count = 0;
  /** Connections by the hash of their address. */
  readonly #perAddress = new Map<number, number>();
  #dirty: WebConnection[] = [];
  #isArmed = false;
  readonly #key = new PathKey();
  readonly #farFrame = new FarFrame();
  #emptied: (() => void) | null = null;

  constructor(options: WebServerOptions) {
    this.#options = options;
    const { table, thread, mostPicked, far } = options;
    const peers = new WebPeers(table, thread, mostPicked, (place) => far?.isSilent(place) ?? false);
    const deliver: WebSignallingOptions['deliver'] = (delivery) => this.#deliver(delivery);
    this.#peers = peers;
    this.#signalling = new WebSignalling({ ...options, peers, deliver });
    this.#memory = new WebMemory(options.maxBytes, () => this.#arm());
    this.#shared = {
      counters: options.counters,
      memory: this.#memory,
      nowMs: () => options.clock.nowMs(),
      message: (connection, bytes, start, end, isLate) =>
        this.#signalling.handle(connection, bytes, start, end, isLate),
      flushLater: (connection) => {
        this.#dirty.push(connection);
        this.#arm();
      },
      leave: (connection) => this.#signalling.leave(connection),
      closed: (connection) => this.#remove(connection),
    };
  }

  asks(bytes: Uint8Array, head: RequestHead): boolean {
    const isRoot = head.pathEnd - head.pathStart === 1;
    return isRoot || keyInPath(bytes, head.pathStart, head.pathEnd, this.#key) === ASKS_ANNOUNCE;
  }

  fault(bytes: Uint8Array, head: RequestHead, source: Uint8Array): number {
    const { counters, trust, maxConnections, maxPerAddress, limitsLoopback } = this.#options;
    const status = upgradeFault(fieldsOf(bytes, head));
    if (status !== null) return status;
    const ip = trust.forwardedIp(bytes, head, source);
    const ofAddress = isLimited(ip, limitsLoopback)
      ? (this.#perAddress.get(this.#options.table.addressHash(ip)) ?? 0)
      : 0;
    if (this.#count < maxConnections && ofAddress < maxPerAddress) return 0;
    counters.faults.tooManyConnections++;
    return 503;
  }

  take(stream: ByteStream, bytes: Uint8Array, head: RequestHead, rest: Uint8Array): void {
    const { trust, table, counters, hashes } = this.#options;
    const ip = trust.forwardedIp(bytes, head, stream.remote.ip);
    keyInPath(bytes, head.pathStart, head.pathEnd, this.#key);
    const number = this.#free.pop() ?? this.#connections.length;
    const { bytes: path, start, end } = this.#key;
    const key = start === end ? EMPTY : path.slice(start, end);
    const connection = new WebConnection(number, stream, ip, key, this.#shared);
    this.#connections[number] = connection;
    this.#count++;
    counters.wsConnections++;
    const address = table.addressHash(ip);
    this.#perAddress.set(address, (this.#perAddress.get(address) ?? 0) + 1);
    stream.write([upgradeReply(acceptOf(fieldsOf(bytes, head).key ?? '', (text) => hashes.sha1(text)))]);
    if (rest.length > 0) connection.onChunk(rest);
  }

  /** A batch of frames from another thread. */
  hear(batch: Uint8Array): void {
    const { relays, thread } = this.#options;
    relays?.read(thread, batch, (number, infoHash, peerId, frame) => {
      const connection = this.#connections[number] ?? null;
      // The number may be another's by now. A frame that has to wait must not keep the whole batch.
      if (connection?.memberships.has(infoHash, peerId)) connection.pass(frame.slice());
    });
  }

  /** A batch of frames from another tracker, for connections of any thread; its bytes are not to be trusted. */
  hearFar(batch: Uint8Array): void {
    const { counters } = this.#options;
    if (readFarFrames(batch, this.#farFrame, (far) => this.#take(far))) return;
    counters.wsErrors++;
    counters.faults.malformed++;
  }

  /** See {@link GiveUp}. */
  giveUp(infoHash: Uint8Array, peerId: Uint8Array): boolean {
    if (!this.#peers.find(infoHash, peerId) || this.#peers.threads[0] !== this.#options.thread) return false;
    const connection = this.#connections[this.#peers.connections[0]!] ?? null;
    if (connection === null) return false;
    this.#signalling.giveUp(connection, infoHash, peerId);
    return true;
  }

  /** To be called about once a second. */
  tick(): void {
    const { clock, counters, pacing, intervalS } = this.#options;
    const nowMs = clock.nowMs();
    const silentMs = 1000 * pacing.ageS(intervalS);
    for (const connection of this.#connections) connection?.tick(nowMs, silentMs);
    counters.wsHeldBytes = this.#memory.bytes;
  }

  /** Says goodbye to all, and closes those that do not hear it. */
  async close(): Promise<void> {
    for (const connection of this.#connections) connection?.close(CLOSE_GOING_AWAY);
    if (this.#count === 0) return;
    await new Promise<void>((resolve) => {
      const timer = this.#options.clock.after(GOODBYE_MS, resolve);
      this.#emptied = () => {
        timer.cancel();
        resolve();
      };
    });
    for (const connection of this.#connections) connection?.destroy();
  }

  /** Who offers is known from then on: the answer may come before the store has told of it. */
  #take({ infoHash, peerId, from, place, role, frame }: FarFrame): void {
    const { far, clock } = this.#options;
    if (!this.#peers.find(infoHash, peerId)) return;
    const [thread, connection] = [this.#peers.threads[0]!, this.#peers.connections[0]!];
    if (thread === ELSEWHERE) return;
    if (role !== NO_ROLE) far?.farPeers.note(infoHash, from, place, roleOfChange(role), clock.nowMs() / 1000);
    // It may wait, and must not keep the whole batch.
    this.#deliver({ thread, connection, infoHash, peerId, from, role, frame: frame.slice() });
  }

  #deliver({ thread, connection, infoHash, peerId, from, role, frame }: Delivery): boolean {
    const { relays, far } = this.#options;
    if (thread === this.#options.thread) return this.#connections[connection]?.pass(frame) ?? false;
    this.#arm();
    if (thread === ELSEWHERE) return far?.farRelays.add(connection, infoHash, peerId, from, role, frame) ?? false;
    return relays?.add(thread, connection, infoHash, peerId, frame) ?? false;
  }

  #arm(): void {
    if (this.#isArmed) return;
    this.#isArmed = true;
    this.#options.clock.defer(this.#flush);
  }

  readonly #flush = (): void => {
    this.#isArmed = false;
    const dirty = this.#dirty;
    this.#dirty = [];
    for (const connection of dirty) connection.flush();
    this.#options.relays?.flush();
    this.#options.far?.farRelays.flush();
    const shed = this.#memory.shed(this.#connections);
    this.#options.counters.wsErrors += shed;
    this.#options.counters.faults.tooMuchHeld += shed;
  };

  #remove(connection: WebConnection): void {
    this.#connections[connection.number] = null;
    this.#free.push(connection.number);
    this.#count--;
    this.#options.counters.wsConnections--;
    const address = this.#options.table.addressHash(connection.ip);
    const left = (this.#perAddress.get(address) ?? 1) - 1;
    if (left === 0) this.#perAddress.delete(address);
    else this.#perAddress.set(address, left);
    if (this.#count === 0) this.#emptied?.();
  }
}

function fieldsOf(bytes: Uint8Array, head: RequestHead): UpgradeFields {
  return {
    upgrade: fieldOf(bytes, head, 'upgrade'),
    connection: fieldOf(bytes, head, 'connection'),
    key: fieldOf(bytes, head, 'sec-websocket-key'),
    version: fieldOf(bytes, head, 'sec-websocket-version'),
  };
}
