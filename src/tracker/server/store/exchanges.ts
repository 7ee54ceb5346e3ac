// When which swarm is exchanged with the store: first those that somebody waits for, then those with news, then those that are
// asked for often and whose copies grow old; so many at once.
//
//   wanted ─┐
//   toTell ─┼─> step: changes taken -> store -> answer into the table, those who wait go on
//   toRefresh┘                          └─> failed: changes put back; refused: left alone for a while

import { isShoalError } from '../../../base/errors.ts';
import type { Clock, Timer } from '../../../ports/clock.ts';
import { MAX_EXCHANGED_CHANGES, type SwarmAnswer, type SwarmExchange } from '../../../ports/swarm-store.ts';
import type { PendingChanges } from './pending-changes.ts';
import type { StoreLink } from './store-link.ts';
import type { TableCopy } from './table-copy.ts';
import type { UsedSwarms } from './used-swarms.ts';
import type { Waiting } from './waiting.ts';

/** What is heard is told after so long at most, if the store keeps up: others that come for the swarm share the step… */
const TELL_MS = 500;
/** …and a copy so old is fetched anew before it answers: together less than two seconds. */
export const FRESH_MS = 1300;
/** A swarm that is asked for often is fetched when its copy is so old: the store has the rest of the time to answer in. */
const REFRESH_MS = 1100;
/** A copy that was fetched in between waits no shorter than this for its next turn. */
const SHORTEST_REFRESH_MS = 50;
/** Steps under way: while the answers of some are read, the store is busy with others. */
const WINDOW = 160;
/** Likewise with those that somebody waits for. */
const URGENT_WINDOW = 512;
/** To refresh is to do ahead what may not be needed: a busy store has other things to do. */
const REFRESH_WINDOW = 64;
/** After a step that failed the swarm is told again. */
export const RETRY_MS = 1000;
/** News of a swarm that the store refuses. Above this only who left or completed is kept: there is to be room for other swarms. */
const MOST_REFUSED: number = 16 * MAX_EXCHANGED_CHANGES;
/** From one turn to the next: what has become due meanwhile goes to the store together. */
const TURN_MS = 5;

export interface ExchangesOptions {
  readonly clock: Clock;
  readonly link: StoreLink;
  readonly used: UsedSwarms;
  readonly pending: PendingChanges;
  readonly waiting: Waiting;
  readonly copy: TableCopy;
  /** See {@link SwarmExchange.keepMs}. */
  ageS(): number;
  /** Sends a further exchange of its own; false where there is none to be sent now. */
  heal(nowMs: number): boolean;
  /** A step has failed: what the store knows is doubtful. */
  onFailed(nowMs: number): void;
}

export class Exchanges {
  readonly #options: ExchangesOptions;
  /** Swarms that somebody waits for, before all others. */
  readonly #wanted: number[] = [];
  #timer: Timer | null = null;
  #timerMs = 0;
  /** Something is due for which there was no room: the next answer makes some. */
  #isBlocked = false;
  #isClosing = false;
  /** Steps of its own under way: what else is, is not waited for in the end. */
  #underWay = 0;
  #onIdle: (() => void) | null = null;

  constructor(options: ExchangesOptions) {
    this.#options = options;
  }

  /** Somebody waits for a swarm: it is exchanged at once. */
  want(swarm: number): void {
    this.#wanted.push(swarm);
    this.pump();
  }

  /** A swarm has news. */
  tellSoon(swarm: number, nowMs: number): void {
    this.#options.used.toTell.add(swarm, nowMs + TELL_MS);
    this.#arm(nowMs);
  }

  /** Sends what somebody waits for, and in turns what is due, as far as there is room. */
  pump(isTurn: boolean = this.#isBlocked): void {
    const { clock, used } = this.#options;
    const nowMs = clock.nowMs();
    this.#sendWanted(nowMs);
    if (isTurn) this.#sendDue(nowMs);
    if (this.#isClosing && used.toTell.count === 0 && this.#underWay === 0) this.#onIdle?.();
    else this.#arm(nowMs);
  }

  /** The store is away: nobody is waited for. */
  onAway(): void {
    this.#wanted.length = 0;
    this.#isBlocked = false;
    this.#onIdle?.();
  }

  /** Tells what is still to be told; resolves when that is done, or the store is away. Nothing is refreshed from now on. */
  finish(): Promise<void> {
    this.#isClosing = true;
    return new Promise((resolve) => {
      this.#onIdle = resolve;
      this.pump(true);
    });
  }

  close(): void {
    this.#isClosing = true;
    this.#timer?.cancel();
    this.#timer = null;
  }

  #sendWanted(nowMs: number): void {
    const { link, waiting } = this.#options;
    while (link.isUp && link.underWay < URGENT_WINDOW) {
      const swarm = this.#wanted.shift();
      if (swarm === undefined) return;
      // Where nobody waits any more, those who did were answered: a slow store is not asked in vain, and no queue grows.
      if (waiting.has(swarm)) this.#step(swarm, nowMs, true);
      else this.#giveUp(swarm);
    }
  }

  /** Of a swarm that nobody waits for any more, and in which nobody is, nothing is kept. */
  #giveUp(swarm: number): void {
    const { used, pending, copy } = this.#options;
    if (pending.countOf(swarm) === 0 && !copy.has(used.infoHash(swarm))) used.giveUp(swarm);
  }

  #sendDue(nowMs: number): void {
    const { link, used, pending, heal } = this.#options;
    this.#isBlocked = false;
    while (link.isUp) {
      if (link.underWay >= WINDOW) {
        this.#isBlocked = true;
        return;
      }
      if (used.toTell.nextDueMs <= nowMs || (this.#isClosing && used.toTell.count > 0)) {
        const swarm = used.toTell.shift();
        // A step for those who waited may have told it.
        if (pending.countOf(swarm) === 0) continue;
        if (used.isRefused(swarm, nowMs)) this.#putOff(swarm, nowMs);
        else this.#step(swarm, nowMs, false);
      } else if (!this.#refresh(nowMs) && !heal(nowMs)) return;
    }
  }

  /** Looks after the first of the swarms to be refreshed; false where none is due, or the store is busy. */
  #refresh(nowMs: number): boolean {
    const { link, used } = this.#options;
    if (this.#isClosing || used.toRefresh.nextDueMs > nowMs || link.underWay >= REFRESH_WINDOW) return false;
    const swarm = used.toRefresh.shift();
    if (!used.isOften(swarm, nowMs)) return true;
    const dueMs = used.copiedMs[swarm]! + REFRESH_MS;
    if (dueMs > nowMs + SHORTEST_REFRESH_MS) used.toRefresh.add(swarm, dueMs);
    else this.#step(swarm, nowMs, false);
    return true;
  }

  #arm(nowMs: number): void {
    const { clock, link, used } = this.#options;
    const dueMs = Math.min(used.toTell.nextDueMs, used.toRefresh.nextDueMs);
    // With the window full, answers go on.
    if (dueMs === Number.POSITIVE_INFINITY || !link.isUp || this.#isBlocked) return;
    const atMs = Math.max(nowMs + TURN_MS, dueMs);
    if (this.#timer !== null) {
      if (this.#timerMs <= atMs) return;
      this.#timer.cancel();
    }
    this.#timerMs = atMs;
    this.#timer = clock.after(atMs - nowMs, () => {
      this.#timer = null;
      this.pump(true);
    });
  }

  #step(swarm: number, nowMs: number, isUrgent: boolean): void {
    const { link, used, pending, copy, ageS } = this.#options;
    // What is under way sees to the rest when it is done.
    if (used.isBusy(swarm) || used.isRefused(swarm, nowMs)) return;
    used.setBusy(swarm, true);
    const infoHash = used.infoHash(swarm);
    const completed = copy.completedToTell(infoHash);
    const completing = pending.completingOf(swarm);
    const changes = pending.take(swarm, nowMs / 1000, ageS());
    const told = completing - pending.completingOf(swarm);
    const request = { infoHash, changes, since: used.cursors[swarm]!, completed, keepMs: ageS() * 1000, isUrgent };
    this.#underWay++;
    link.exchange(request).then(
      (answer) => this.#answered(swarm, request, told, answer, nowMs),
      (error: unknown) => this.#failed(swarm, request, told, error),
    );
  }

  #answered(swarm: number, asked: SwarmExchange, told: number, answer: SwarmAnswer, askedMs: number): void {
    const { clock, used, pending, copy, waiting } = this.#options;
    const { infoHash, since, changes } = asked;
    const nowMs = clock.nowMs();
    this.#underWay--;
    used.setBusy(swarm, false);
    used.accepted(swarm);
    copy.apply(swarm, infoHash, changes, told, answer, nowMs / 1000);
    // Another answer than of this link, or from before healing began, is not built upon.
    if (used.cursors[swarm] === since) used.cursors[swarm] = answer.cursor;
    if (answer.more) this.#step(swarm, nowMs, true);
    else {
      used.copiedMs[swarm] = askedMs;
      waiting.release(swarm);
      if (pending.countOf(swarm) > 0) used.toTell.add(swarm, nowMs + TELL_MS);
      else if (!waiting.has(swarm)) this.#giveUp(swarm);
      if (used.isOften(swarm, nowMs)) used.toRefresh.add(swarm, askedMs + REFRESH_MS);
    }
    this.pump();
  }

  #failed(swarm: number, { infoHash, changes }: SwarmExchange, told: number, error: unknown): void {
    const { clock, link, used, pending, copy, waiting, onFailed } = this.#options;
    const nowMs = clock.nowMs();
    this.#underWay--;
    used.setBusy(swarm, false);
    const completing = pending.completingOf(swarm);
    pending.putBack(swarm, changes, nowMs / 1000);
    copy.cannotTell(infoHash, told + completing - pending.completingOf(swarm));
    if (isShoalError(error, 'SWARM_REFUSED')) {
      used.refused(swarm, nowMs);
      this.#putOff(swarm, nowMs);
      waiting.release(swarm);
      this.pump();
      return;
    }
    onFailed(nowMs);
    waiting.release(swarm);
    if (link.isUp) used.toTell.add(swarm, nowMs + RETRY_MS);
    this.#arm(nowMs);
  }

  /** A swarm that is left alone keeps its place among those with news, and no other from its own. */
  #putOff(swarm: number, nowMs: number): void {
    const { link, used, pending } = this.#options;
    if (pending.countOf(swarm) > MOST_REFUSED) pending.forgetHeard(swarm);
    if (link.isUp && !this.#isClosing) used.toTell.add(swarm, nowMs + TELL_MS);
  }
}
