// A shared swarm store in memory: what platform/node has in Redis, in the simulated world. It can be away, silent, and forget.

import { latin1 } from '../../base/bytes.ts';
import { ShoalError } from '../../base/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import { sleep } from '../../ports/clock.ts';
import type { SwarmAnswer, SwarmEar, SwarmExchange, SwarmLink, SwarmStore } from '../../ports/swarm-store.ts';
import {
  CHANGE_GONE,
  CHANGE_SEED,
  ChangeReader,
  MAX_CHANGE_LENGTH,
  writeChange,
} from '../../tracker/protocol/swarm-changes.ts';

const PAGE = 2048;
const KEEP_COMPLETED_MS = 86_400_000;
/** A leech that completed so long before begins anew. */
const ANEW_MS = 60_000;

interface StoredPeer {
  readonly ip: Uint8Array;
  readonly port: number;
  readonly role: number;
  /** That it completed was counted, and it was no leech since. */
  readonly isCounted: boolean;
  readonly stamp: number;
  readonly heardMs: number;
}

interface StoredSwarm {
  readonly peers: Map<string, StoredPeer>;
  completed: number;
  stamp: number;
  untilMs: number;
}

export interface SimStoreOptions {
  readonly clock: Clock;
  /** Of an exchange. Default: 1. */
  readonly latencyMs?: number;
  /** Of an answer. Default: 2048. */
  readonly page?: number;
}

/** All trackers that are given the same one share its swarms. */
export class SimSwarmStore implements SwarmStore {
  readonly name = 'simulated';
  readonly place = 'simulated';
  /** What an exchange fails with; null: it does not. */
  refusal: Error | null = null;
  /** Exchanges that were carried out, and those of swarms that are refused. */
  exchanges = 0;
  refusals = 0;
  /** Of an exchange, from now on. */
  latencyMs: number;
  readonly #clock: Clock;
  readonly #page: number;
  readonly #swarms = new Map<string, StoredSwarm>();
  readonly #links = new Set<SimLink>();
  readonly #refused = new Set<string>();
  readonly #ears = new Set<SimEar>();
  #isDown = false;
  #isSilent = false;

  constructor({ clock, latencyMs = 1, page = PAGE }: SimStoreOptions) {
    this.#clock = clock;
    this.latencyMs = latencyMs;
    this.#page = page;
  }

  async open(onLost: (error: Error) => void): Promise<SwarmLink> {
    await sleep(this.#clock, this.latencyMs);
    if (this.#isDown || this.#isSilent) throw new ShoalError('CONNECT_FAILED', 'nobody is there');
    const link = new SimLink(this, onLost);
    this.#links.add(link);
    return link;
  }

  async listen(place: number, hear: (bytes: Uint8Array) => void, onLost: (error: Error) => void): Promise<SwarmEar> {
    await sleep(this.#clock, this.latencyMs);
    if (this.#isDown || this.#isSilent) throw new ShoalError('CONNECT_FAILED', 'nobody is there');
    const ear: SimEar = { place, hear, onLost, close: () => void this.#ears.delete(ear) };
    this.#ears.add(ear);
    return ear;
  }

  /** Breaks the ears off alone, as a server does with those that do not keep up. */
  deafen(): void {
    for (const ear of [...this.#ears]) {
      ear.close();
      ear.onLost(new ShoalError('CONNECT_FAILED', 'the store broke the link off'));
    }
  }

  /** Breaks the ears off without a word, as a network does that forgets connections. */
  muffle(): void {
    this.#ears.clear();
  }

  /** Breaks all links off; nobody is there until `comeBack`. */
  goDown(): void {
    this.#isDown = true;
    this.deafen();
    for (const link of [...this.#links]) link.break(new ShoalError('CONNECT_FAILED', 'the store broke the link off'));
  }

  /** Answers nothing, and says nothing of it, until `comeBack`. */
  fallSilent(): void {
    this.#isSilent = true;
  }

  /** Silent links are answered then. */
  comeBack(): void {
    this.#isDown = false;
    this.#isSilent = false;
  }

  /** From now on what it has of a swarm is in the way of its exchanges, or not any more. */
  refuse(infoHash: Uint8Array, isRefused = true): void {
    if (isRefused) this.#refused.add(latin1(infoHash));
    else this.#refused.delete(latin1(infoHash));
  }

  forgetAll(): void {
    this.#swarms.clear();
  }

  get swarmCount(): number {
    return this.#swarms.size;
  }

  drop(link: SimLink): void {
    this.#links.delete(link);
  }

  async carryOut(request: SwarmExchange): Promise<SwarmAnswer> {
    await sleep(this.#clock, this.latencyMs);
    if (this.#isSilent) await new Promise(() => undefined);
    if (this.refusal !== null) throw this.refusal;
    if (this.#refused.has(latin1(request.infoHash))) {
      this.refusals++;
      throw new ShoalError('SWARM_REFUSED', 'it has something else there');
    }
    this.exchanges++;
    return this.#step(request);
  }

  async pass(place: number, bytes: Uint8Array): Promise<void> {
    await sleep(this.#clock, this.latencyMs);
    if (this.#isSilent) await new Promise(() => undefined);
    if (this.refusal !== null) throw this.refusal;
    for (const ear of [...this.#ears]) if (ear.place === place) ear.hear(bytes.slice());
  }

  #step({ infoHash, changes, since, completed, keepMs }: SwarmExchange): SwarmAnswer {
    const nowMs = Math.floor(this.#clock.nowMs());
    const key = latin1(infoHash);
    const known = this.#swarms.get(key);
    const swarm: StoredSwarm =
      known !== undefined && known.untilMs > nowMs ? known : { peers: new Map(), completed: 0, stamp: 0, untilMs: 0 };
    const stamp = Math.max(nowMs, swarm.stamp + 1);
    const before = [...swarm.peers.entries()];
    const reader = new ChangeReader(changes);
    const own = new Set<string>();
    let counted = 0;
    while (reader.next()) {
      const { ip, port, role, ageS } = reader;
      const peerKey = `${latin1(ip)}:${port}`;
      const was = swarm.peers.get(peerKey);
      const heardMs = nowMs - ageS * 1000;
      const isCounted = reader.completes || was?.isCounted === true;
      if (reader.completes && was?.isCounted !== true) counted++;
      if (was !== undefined && ageS > 0 && heardMs <= was.heardMs) {
        swarm.peers.set(peerKey, { ...was, isCounted });
        continue;
      }
      own.add(peerKey);
      const isLeech = role !== CHANGE_SEED && role !== CHANGE_GONE;
      const isAnew = isLeech && !reader.completes && nowMs - (was?.stamp ?? nowMs) >= ANEW_MS;
      swarm.peers.set(peerKey, { ip: ip.slice(), port, role, isCounted: isCounted && !isAnew, stamp, heardMs });
    }
    const sum = Math.max(swarm.completed, completed) + counted;
    if (own.size > 0 || sum > swarm.completed) {
      swarm.completed = sum;
      swarm.untilMs = nowMs + (sum > 0 ? Math.max(keepMs, KEEP_COMPLETED_MS) : keepMs);
      if (own.size > 0) swarm.stamp = stamp;
      this.#swarms.set(key, swarm);
    }
    const cursor = own.size > 0 ? stamp : stamp - 1;
    for (const [peerKey, { heardMs }] of before)
      if (nowMs - heardMs > keepMs && !own.has(peerKey)) swarm.peers.delete(peerKey);
    if (since < 0) return { cursor, completed: sum, more: false, changes: new Uint8Array(0) };
    const news = [...swarm.peers]
      .filter(([peerKey, peer]) => peer.stamp > since && !own.has(peerKey))
      .map(([, peer]) => peer)
      .sort((a, b) => a.stamp - b.stamp);
    const more = news.length > this.#page;
    const told = news.slice(0, this.#page);
    return { cursor: more ? told.at(-1)!.stamp - 1 : cursor, completed: sum, more, changes: packed(told, nowMs) };
  }
}

interface SimEar extends SwarmEar {
  readonly place: number;
  readonly hear: (bytes: Uint8Array) => void;
  readonly onLost: (error: Error) => void;
}

class SimLink implements SwarmLink {
  readonly #store: SimSwarmStore;
  readonly #onLost: (error: Error) => void;
  readonly #underWay = new Set<(error: Error) => void>();
  #isOver = false;

  constructor(store: SimSwarmStore, onLost: (error: Error) => void) {
    this.#store = store;
    this.#onLost = onLost;
  }

  exchange(request: SwarmExchange): Promise<SwarmAnswer> {
    const copy = { ...request, infoHash: request.infoHash.slice(), changes: request.changes.slice() };
    return this.#whileOpen(() => this.#store.carryOut(copy));
  }

  send(place: number, bytes: Uint8Array): Promise<void> {
    return this.#whileOpen(() => this.#store.pass(place, bytes));
  }

  #whileOpen<T>(work: () => Promise<T>): Promise<T> {
    if (this.#isOver) return Promise.reject(new ShoalError('CONNECT_FAILED', 'the link is closed'));
    return new Promise((resolve, reject) => {
      this.#underWay.add(reject);
      work()
        .then(resolve, reject)
        .finally(() => this.#underWay.delete(reject));
    });
  }

  break(error: Error): void {
    if (this.#isOver) return;
    this.close();
    this.#onLost(error);
  }

  close(): void {
    this.#isOver = true;
    this.#store.drop(this);
    for (const reject of this.#underWay) reject(new ShoalError('CONNECT_FAILED', 'the link is closed'));
    this.#underWay.clear();
  }
}

function packed(peers: readonly StoredPeer[], nowMs: number): Uint8Array {
  const bytes = new Uint8Array(peers.length * MAX_CHANGE_LENGTH);
  let at = 0;
  for (const { role, heardMs, ip, port } of peers) {
    const ageS = Math.floor((nowMs - heardMs) / 1000);
    at = writeChange(bytes, at, role & CHANGE_GONE, ageS, ip, port);
  }
  return bytes.subarray(0, at);
}
