// The swarms of a store that trackers share, as one thread's announces see them (docs/decisions): changes are gathered for
// half a second, told swarm by swarm, and with the same step come back those of others.
//
//   announce -> table, PendingChanges -> UsedSwarms' queue -> exchange -> answer -> table
//   a swarm whose copy is old -> Waiting -> exchange, at once -> answer -> table -> announce

import type { Clock, Timer } from '../../../ports/clock.ts';
import type { Log } from '../../../ports/log.ts';
import type { Random } from '../../../ports/random.ts';
import type { SwarmAnswer, SwarmExchange, SwarmStore } from '../../../ports/swarm-store.ts';
import { CHANGE_COMPLETES, CHANGE_GONE } from '../../protocol/swarm-changes.ts';
import type { SwarmMirror, Waiter } from '../access.ts';
import type { SwarmTable } from '../swarm-table.ts';
import { Healing } from './healing.ts';
import { PendingChanges } from './pending-changes.ts';
import { roleChange } from './roles.ts';
import { StoreLink } from './store-link.ts';
import { TableCopy } from './table-copy.ts';
import { MAX_USED, UsedSwarms } from './used-swarms.ts';
import { Waiting } from './waiting.ts';

/** What is heard is told after so long at most, if the store keeps up: others that come for the swarm share the step… */
const TELL_MS = 500;
/** …and a copy so old is fetched anew before it answers: together less than two seconds. */
const FRESH_MS = 1300;
/** With so many waiting the store lags: where there is a copy that is not much older, it does for an answer. */
const MANY_WAITING = 64;
const LAGGING_MS = 10_000;
/** Steps under way: while the answers of some are read, the store is busy with others. */
const WINDOW = 160;
/** Likewise with those that somebody waits for. */
const URGENT_WINDOW = 512;
/** Of these for healing. */
const HEALING_WINDOW = 16;
/** After a step that failed: the swarm is told then, and the table healed when none has failed for so long. */
const RETRY_MS = 1000;
const SHORTEST_TIMER_MS = 5;
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
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Swarms in use at once, a power of two. Default: {@link MAX_USED}. */
  readonly mostUsed?: number;
  /** How long a peer may be silent; see {@link Pacing.ageS}. */
  ageS(): number;
}

export class StoreMirror implements SwarmMirror {
  readonly #options: StoreMirrorOptions;
  readonly #link: StoreLink;
  readonly #used: UsedSwarms;
  readonly #pending: PendingChanges;
  readonly #waiting: Waiting;
  readonly #copy: TableCopy;
  /** Swarms that somebody waits for, before all others. */
  readonly #urgent: number[] = [];
  #timer: Timer | null = null;
  #healing: Healing | null = null;
  #healingSteps = 0;
  #needsHealing = false;
  /** The store may have become another one, or lost what it had: no copy is built upon. */
  #isDoubtful = false;
  #failedAtMs = Number.NEGATIVE_INFINITY;
  #isClosing = false;
  #onIdle: (() => void) | null = null;

  constructor(options: StoreMirrorOptions) {
    const { store, clock, random, log, mostUsed = MAX_USED } = options;
    this.#options = options;
    this.#used = new UsedSwarms(random.below(2 ** 32), mostUsed);
    this.#pending = new PendingChanges(random.below(2 ** 32), mostUsed);
    this.#waiting = new Waiting(clock);
    this.#copy = new TableCopy(options.table, this.#pending);
    const on = { onUp: () => this.#onUp(), onAway: () => this.#onAway() };
    this.#link = new StoreLink({ store, clock, random, log, ...on });
  }

  get isAway(): boolean {
    return this.#link.isAway;
  }

  /** Rejects with STORE_REFUSED; a store that is not there is waited for meanwhile. */
  open(): Promise<void> {
    return this.#link.open();
  }

  isFresh(infoHash: Uint8Array): boolean {
    if (!this.#link.isPrompt) return true;
    const swarm = this.#used.find(infoHash);
    if (swarm < 0) return false;
    const copiedMs = this.#used.copiedMs[swarm]!;
    const most = this.#waiting.count < MANY_WAITING ? FRESH_MS : LAGGING_MS;
    return copiedMs !== 0 && this.#options.clock.nowMs() - copiedMs < most;
  }

  wait(infoHash: Uint8Array, waiter: Waiter): boolean {
    if (!this.#link.isPrompt || this.#waiting.isFull || this.#isClosing) return false;
    const swarm = this.#used.use(infoHash, this.#options.clock.nowMs());
    if (swarm < 0) return false;
    if (!this.#waiting.has(swarm)) this.#urgent.push(swarm);
    this.#waiting.add(swarm, waiter);
    this.#pump();
    return true;
  }

  announced(infoHash: Uint8Array, ip: Uint8Array, port: number, role: number, completes: boolean): void {
    this.#note(infoHash, roleChange(role) | (completes ? CHANGE_COMPLETES : 0), ip, port);
  }

  left(infoHash: Uint8Array, ip: Uint8Array, port: number): void {
    this.#note(infoHash, CHANGE_GONE, ip, port);
  }

  /** To be called about once a second. */
  tick(): void {
    const nowMs = this.#options.clock.nowMs();
    this.#link.tick();
    this.#used.sweep(nowMs, (swarm) => this.#pending.countOf(swarm) > 0);
    if (!this.#needsHealing || !this.#link.isUp || nowMs - this.#failedAtMs < RETRY_MS) return;
    // Under a flood of swarms something finds no room all the time: the table is told to its end, and copies are kept.
    if (this.#healing !== null && !this.#isDoubtful) return;
    if (this.#isDoubtful) this.#used.distrust();
    this.#needsHealing = false;
    this.#isDoubtful = false;
    this.#healing = new Healing(this.#options.table);
    for (const swarm of this.#used.all()) if (this.#pending.countOf(swarm) > 0) this.#used.queue(swarm, nowMs);
    this.#pump();
  }

  /** Tells what is still to be told, if that is soon done. */
  async close(): Promise<void> {
    const { clock } = this.#options;
    this.#isClosing = true;
    this.#healing = null;
    this.#waiting.close();
    if (this.#link.isUp) {
      await new Promise<void>((resolve) => {
        const patience = clock.after(LAST_WORDS_MS, resolve);
        this.#onIdle = () => {
          patience.cancel();
          resolve();
        };
        this.#pump();
      });
    }
    this.#timer?.cancel();
    this.#timer = null;
    this.#link.close();
  }

  #note(infoHash: Uint8Array, kind: number, ip: Uint8Array, port: number): void {
    const nowMs = this.#options.clock.nowMs();
    const swarm = this.#used.use(infoHash, nowMs);
    const { isUp } = this.#link;
    // While the store is away, who is merely heard is in the table: it is told from there.
    const onlyKnown = !isUp && kind !== CHANGE_GONE && (kind & CHANGE_COMPLETES) === 0;
    if (swarm < 0 || !this.#pending.note(swarm, kind, ip, port, nowMs / 1000, onlyKnown)) this.#needsHealing = true;
    else if (isUp) {
      this.#used.queue(swarm, nowMs + TELL_MS);
      this.#arm(nowMs);
    }
  }

  #onUp(): void {
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
    this.#healing = null;
    this.#urgent.length = 0;
    for (const swarm of this.#used.all()) this.#pending.forgetHeard(swarm);
    this.#waiting.releaseAll();
    this.#onIdle?.();
  }

  /** Sends what is due, as far as there is room. */
  #pump(): void {
    const nowMs = this.#options.clock.nowMs();
    while (this.#link.isUp && this.#link.underWay < URGENT_WINDOW) {
      const urgent = this.#urgent.shift();
      // Where nobody waits any more, those who did were answered: a slow store is not asked in vain, and no queue grows.
      if (urgent !== undefined && !this.#waiting.has(urgent)) continue;
      if (urgent !== undefined) this.#step(urgent, nowMs, true);
      else if (this.#link.underWay >= WINDOW) break;
      else if (this.#used.nextDueMs <= nowMs || (this.#isClosing && this.#used.queued > 0)) {
        this.#step(this.#used.shift(), nowMs, false);
      } else if (!this.#heal(nowMs)) break;
    }
    if (this.#isClosing && this.#used.queued === 0 && this.#link.underWay === 0) this.#onIdle?.();
    else this.#arm(nowMs);
  }

  #arm(nowMs: number): void {
    // With the window full, answers go on.
    if (this.#timer !== null || this.#used.queued === 0 || !this.#link.isUp || this.#link.underWay >= WINDOW) return;
    const delayMs = Math.max(SHORTEST_TIMER_MS, this.#used.nextDueMs - nowMs);
    this.#timer = this.#options.clock.after(delayMs, () => {
      this.#timer = null;
      this.#pump();
    });
  }

  #step(swarm: number, nowMs: number, isUrgent: boolean): void {
    // What is under way sees to the rest when it is done.
    if (this.#used.isBusy(swarm)) return;
    this.#used.setBusy(swarm, true);
    const infoHash = this.#used.infoHash(swarm);
    const completed = this.#copy.completedToTell(swarm, infoHash);
    const completing = this.#pending.completingOf(swarm);
    const changes = this.#pending.take(swarm, nowMs / 1000);
    const told = completed + completing - this.#pending.completingOf(swarm);
    const since = this.#used.cursors[swarm]!;
    const keepMs = this.#options.ageS() * 1000;
    const request = { infoHash, changes, since, completed, keepMs, isUrgent };
    this.#link.exchange(request).then(
      (answer) => this.#answered(swarm, request, told, answer, nowMs),
      () => this.#failed(swarm, request),
    );
  }

  #answered(swarm: number, asked: SwarmExchange, told: number, answer: SwarmAnswer, askedMs: number): void {
    const { infoHash, since } = asked;
    const nowMs = this.#options.clock.nowMs();
    this.#used.setBusy(swarm, false);
    this.#copy.apply(swarm, infoHash, told, answer, nowMs / 1000);
    // Another answer than of this link, or from before healing began, is not built upon.
    if (this.#used.cursors[swarm] === since) this.#used.cursors[swarm] = answer.cursor;
    if (answer.more) this.#step(swarm, nowMs, true);
    else {
      this.#used.copiedMs[swarm] = askedMs;
      this.#waiting.release(swarm);
      if (this.#pending.countOf(swarm) > 0) this.#used.queue(swarm, nowMs + TELL_MS);
      else if (!this.#waiting.has(swarm) && !this.#copy.has(infoHash)) this.#used.giveUp(swarm);
    }
    this.#pump();
  }

  #failed(swarm: number, { changes }: SwarmExchange): void {
    const nowMs = this.#options.clock.nowMs();
    this.#used.setBusy(swarm, false);
    this.#pending.putBack(swarm, changes, nowMs / 1000);
    this.#failedAtMs = nowMs;
    this.#doubt();
    this.#waiting.release(swarm);
    if (this.#link.isUp) this.#used.queue(swarm, nowMs + RETRY_MS);
    this.#arm(nowMs);
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
    const swarm = this.#used.find(request.infoHash);
    const completing = swarm < 0 ? 0 : this.#pending.completingOf(swarm);
    this.#healingSteps++;
    const ended = (isDone: boolean): void => {
      this.#healingSteps--;
      if (!isDone && this.#healing === healing) {
        this.#healing = null;
        this.#doubt();
        this.#failedAtMs = this.#options.clock.nowMs();
      }
      this.#pump();
    };
    const told = { ...request, completed: Math.max(0, request.completed - completing) };
    this.#link.exchange(told).then(
      () => ended(true),
      () => ended(false),
    );
    return true;
  }
}
