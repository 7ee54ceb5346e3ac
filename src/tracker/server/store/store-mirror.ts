// The swarms of a store that trackers share, as one thread's announces see them (docs/decisions): changes are gathered for
// half a second, told swarm by swarm, and with the same step come back those of others.
//
//   announce -> table, PendingChanges -> Exchanges, half a second later -> answer -> table
//   a swarm whose copy is old -> Waiting -> Exchanges, at once -> answer -> table -> announce
//   a frame for a connection of another tracker -> FarRelays -> store -> its StoreEar

import { isShoalError } from '../../../base/errors.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { Log } from '../../../ports/log.ts';
import type { Random } from '../../../ports/random.ts';
import type { SwarmExchange, SwarmStore } from '../../../ports/swarm-store.ts';
import { CHANGE_COMPLETES, CHANGE_GONE, CHANGE_NEW } from '../../protocol/swarm-changes.ts';
import type { SwarmMirror, Waiter } from '../access.ts';
import type { SwarmTable } from '../table/swarm-table.ts';
import { Exchanges, FRESH_MS, RETRY_MS } from './exchanges.ts';
import { FarPeers } from './far-peers.ts';
import { FarRelays } from './far-relays.ts';
import { Healing } from './healing.ts';
import type { Places } from './kept-place.ts';
import { LivePlaces } from './live-places.ts';
import { PendingChanges } from './pending-changes.ts';
import { roleChange } from './roles.ts';
import { StoreEar } from './store-ear.ts';
import { StoreLink } from './store-link.ts';
import { type GiveUp, TableCopy } from './table-copy.ts';
import type { UntoldCompletions } from './untold-completions.ts';
import { MAX_USED, UsedSwarms } from './used-swarms.ts';
import { Waiting } from './waiting.ts';

/** With so many waiting the store lags: where there is a copy that is not much older, it does for an answer. */
const MANY_WAITING = 64;
const LAGGING_MS = 10_000;
/** Steps under way for healing. */
const HEALING_WINDOW = 16;
/** At the end, for what is still to be told. */
const LAST_WORDS_MS = 1000;

const NOTHING: SwarmExchange = {
  infoHash: new Uint8Array(20),
  changes: new Uint8Array(0),
  since: -1,
  completed: 0,
  keepMs: 1000,
  isUrgent: false,
};

export interface StoreMirrorOptions {
  readonly store: SwarmStore;
  readonly table: SwarmTable;
  /** Of all threads that the table has. */
  readonly untold: UntoldCompletions;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Of this tracker, the same for all its threads. */
  readonly places: Places;
  /** Hears what others send to the place. Null: another thread does, or nobody is to. */
  readonly hear: ((bytes: Uint8Array) => void) | null;
  readonly giveUp: GiveUp;
  /** Swarms in use at once, a power of two. Default: {@link MAX_USED}. */
  readonly mostUsed?: number;
  /** How long a peer may be silent; see {@link Pacing.ageS}. */
  ageS(): number;
}

export class StoreMirror implements SwarmMirror {
  readonly farPeers: FarPeers;
  readonly farRelays: FarRelays;
  readonly #options: StoreMirrorOptions;
  readonly #link: StoreLink;
  readonly #places: LivePlaces;
  readonly #ear: StoreEar | null;
  readonly #used: UsedSwarms;
  readonly #pending: PendingChanges;
  readonly #waiting: Waiting;
  readonly #copy: TableCopy;
  readonly #exchanges: Exchanges;
  #healing: Healing | null = null;
  #healingSteps = 0;
  #needsHealing = false;
  /** The store may have become another one, or lost what it had: no copy is built upon. */
  #isDoubtful = false;
  #failedAtMs = Number.NEGATIVE_INFINITY;
  #isClosing = false;

  constructor(options: StoreMirrorOptions) {
    const { store, table, clock, random, log, hear, mostUsed = MAX_USED } = options;
    const { place } = options.places;
    this.#options = options;
    this.#used = new UsedSwarms(random.below(2 ** 32), mostUsed);
    this.#pending = new PendingChanges(random.below(2 ** 32), mostUsed, place);
    this.#waiting = new Waiting(clock);
    const on = { onUp: () => this.#onUp(), onAway: () => this.#onAway() };
    const link = new StoreLink({ store, clock, random, log, ...on });
    this.#link = link;
    this.#places = new LivePlaces(link, clock, options.places);
    this.farPeers = new FarPeers(table, place, this.#places);
    this.#copy = new TableCopy(table, this.#pending, options.untold, this.farPeers, options.giveUp);
    this.#ear = hear === null ? null : new StoreEar({ store, link, clock, random, log, place, hear });
    this.farRelays = new FarRelays(place, (to, batch) => link.send(to, batch));
    const state = { used: this.#used, pending: this.#pending, waiting: this.#waiting, copy: this.#copy };
    this.#exchanges = new Exchanges({
      ...state,
      clock,
      link,
      ageS: options.ageS,
      heal: (nowMs) => this.#heal(nowMs),
      onFailed: (nowMs) => {
        this.#failedAtMs = nowMs;
        this.#doubt();
      },
    });
  }

  get isAway(): boolean {
    return this.#link.isAway;
  }

  get place(): number {
    return this.#options.places.place;
  }

  /** Whether the tracker at a place is gone, and its web peers are not there any more. */
  isSilent(place: number): boolean {
    return this.#places.isSilent(place);
  }

  /** Rejects with STORE_REFUSED; a store that is not there is waited for meanwhile. */
  open(): Promise<void> {
    return this.#link.open();
  }

  isFresh(infoHash: Uint8Array): boolean {
    if (!this.#link.isUp) return true;
    const swarm = this.#used.find(infoHash);
    const copiedMs = swarm < 0 ? 0 : this.#used.copiedMs[swarm]!;
    const nowMs = this.#options.clock.nowMs();
    if (copiedMs !== 0) {
      const most = this.#waiting.count < MANY_WAITING ? FRESH_MS : LAGGING_MS;
      if (nowMs - copiedMs < most) return true;
    }
    if (swarm >= 0 && this.#used.isRefused(swarm, nowMs)) return true;
    return this.#link.owesMs >= this.#patienceMs(infoHash, copiedMs);
  }

  wait(infoHash: Uint8Array, waiter: Waiter): boolean {
    if (!this.#link.isUp || this.#waiting.isFull || this.#isClosing) return false;
    const nowMs = this.#options.clock.nowMs();
    const swarm = this.#used.use(infoHash, nowMs);
    if (swarm < 0 || this.#used.isRefused(swarm, nowMs)) return false;
    const patienceMs = this.#patienceMs(infoHash, this.#used.copiedMs[swarm]!);
    if (this.#link.owesMs >= patienceMs) return false;
    const isFirst = !this.#waiting.has(swarm);
    this.#waiting.add(swarm, waiter, patienceMs);
    if (isFirst) this.#exchanges.want(swarm);
    return true;
  }

  announced(
    infoHash: Uint8Array,
    ip: Uint8Array,
    port: number,
    role: number,
    completes: boolean,
    isNewWeb = false,
  ): void {
    const { untold } = this.#options;
    // Where there is no room for it, it is told with the count of the table.
    const isKept = completes && untold.change(infoHash, 1);
    const kind = roleChange(role) | (isKept ? CHANGE_COMPLETES : 0) | (isNewWeb ? CHANGE_NEW : 0);
    const isOneMore = this.#note(infoHash, kind, ip, port);
    if (isKept && !isOneMore) untold.change(infoHash, -1);
  }

  left(infoHash: Uint8Array, ip: Uint8Array, port: number): void {
    this.#note(infoHash, CHANGE_GONE, ip, port);
  }

  /** To be called about once a second. */
  tick(): void {
    const nowMs = this.#options.clock.nowMs();
    this.#link.tick();
    this.#pending.sweep(nowMs / 1000, this.#options.ageS());
    this.#places.tick();
    this.#ear?.tick();
    this.#used.sweep(nowMs, (swarm) => this.#pending.countOf(swarm) > 0);
    if (!this.#needsHealing || !this.#link.isUp || nowMs - this.#failedAtMs < RETRY_MS) return;
    // Under a flood of swarms something finds no room all the time: the table is told to its end, and copies are kept.
    if (this.#healing !== null && !this.#isDoubtful) return;
    if (this.#isDoubtful) this.#used.distrust();
    this.#needsHealing = false;
    this.#isDoubtful = false;
    this.#healing = new Healing(this.#options.table, this.place);
    for (const swarm of this.#used.all()) if (this.#pending.countOf(swarm) > 0) this.#used.toTell.add(swarm, nowMs);
    this.#exchanges.pump(true);
  }

  /** Tells what is still to be told, if that is soon done. */
  async close(): Promise<void> {
    this.#isClosing = true;
    this.#healing = null;
    this.#ear?.stop();
    this.#waiting.close();
    if (this.#link.isUp) {
      await new Promise<void>((resolve) => {
        const patience = this.#options.clock.after(LAST_WORDS_MS, resolve);
        void Promise.all([this.#exchanges.finish(), this.#places.close()]).then(() => {
          patience.cancel();
          resolve();
        });
      });
    }
    this.#exchanges.close();
    this.#link.close();
  }

  /** How long one waits for a store to tell of a swarm. */
  #patienceMs(infoHash: Uint8Array, copiedMs: number): number {
    return this.#waiting.patienceMs(copiedMs === 0 && !this.#copy.has(infoHash));
  }

  /** Returns whether there is a completion more to be told. */
  #note(infoHash: Uint8Array, kind: number, ip: Uint8Array, port: number): boolean {
    const nowMs = this.#options.clock.nowMs();
    const swarm = this.#used.use(infoHash, nowMs);
    if (swarm >= 0) this.#used.noteAsked(swarm, nowMs);
    const { isUp } = this.#link;
    // While the store is away, who is merely heard is in the table: it is told from there.
    const onlyKnown = !isUp && kind !== CHANGE_GONE && (kind & CHANGE_COMPLETES) === 0;
    const completing = swarm < 0 ? 0 : this.#pending.completingOf(swarm);
    if (swarm < 0 || !this.#pending.note(swarm, kind, ip, port, nowMs / 1000, onlyKnown)) this.#needsHealing = true;
    else if (isUp) this.#exchanges.tellSoon(swarm, nowMs);
    return swarm >= 0 && this.#pending.completingOf(swarm) > completing;
  }

  #onUp(): void {
    this.#places.onUp();
    this.#ear?.start();
    this.#doubt();
    this.#failedAtMs = Number.NEGATIVE_INFINITY;
    this.tick();
    // Where there is nothing to tell, whether it answers at all is still to be seen.
    if (this.#link.underWay === 0) this.#link.exchange(NOTHING).catch(() => undefined);
  }

  #doubt(): void {
    this.#isDoubtful = true;
    this.#needsHealing = true;
  }

  #onAway(): void {
    this.#places.onAway();
    this.#ear?.stop();
    this.#healing = null;
    for (const swarm of this.#used.all()) this.#pending.forgetHeard(swarm);
    this.#exchanges.onAway();
    this.#waiting.releaseAll();
  }

  /** One step of healing; false where there is none to be made now. */
  #heal(nowMs: number): boolean {
    if (this.#healing === null || this.#healingSteps >= HEALING_WINDOW) return false;
    const healing = this.#healing;
    const request = healing.next(nowMs / 1000, this.#options.ageS() * 1000);
    if (request === null) {
      this.#healing = null;
      return false;
    }
    this.#healingSteps++;
    const ended = (isDone: boolean): void => {
      this.#healingSteps--;
      if (!isDone && this.#healing === healing) {
        this.#healing = null;
        this.#doubt();
        this.#failedAtMs = this.#options.clock.nowMs();
      }
      this.#exchanges.pump(true);
    };
    const told = { ...request, completed: this.#copy.completedToTell(request.infoHash) };
    this.#link.exchange(told).then(
      () => ended(true),
      (error: unknown) => ended(isShoalError(error, 'SWARM_REFUSED')),
    );
    return true;
  }
}
