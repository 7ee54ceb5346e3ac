// Failover (BEP 12): a walk asks its trackers in order until one answers, and starts again when the next announce is due.
//
//   begin -> first in order --answer--> promoted; next walk when its interval is over
//              |--fails---> next at once              |--all failed--> next walk when a back-off is over
//              `--hangs---> next meanwhile

import type { Clock, Timer } from '../../ports/clock.ts';
import type { Tracked } from './tracked.ts';

/** A tracker that takes longer than this has the next one asked beside it: a start must not wait for a dead one. */
const PATIENCE_MS = 2500;

export interface WalkActions {
  /** Announces to one tracker; true when it answered. Never rejects. */
  ask(tracker: Tracked): Promise<boolean>;
  /** The first answer of a walk. */
  answered(tracker: Tracked): void;
  /** `nextAtMs` has changed. */
  ended(): void;
}

export class Walk {
  /** When the next walk is due; Infinity while one is under way. */
  nextAtMs = 0;
  readonly #order: () => readonly Tracked[];
  readonly #actions: WalkActions;
  readonly #clock: Clock;
  /** The tracker that ended the last walk. */
  #current: Tracked | null = null;
  #asked: Set<Tracked> | null = null;
  #underWay = 0;
  #patience: Timer | null = null;

  /** `order`: the trackers in the order to ask them, newly looked up for every walk. */
  constructor(order: () => readonly Tracked[], actions: WalkActions, clock: Clock) {
    this.#order = order;
    this.#actions = actions;
    this.#clock = clock;
  }

  covers(tracker: Tracked): boolean {
    return this.#order().includes(tracker);
  }

  /** Whether this tracker's own schedule says when it is asked. */
  plans(tracker: Tracked): boolean {
    return this.#current === null || this.#current === tracker || tracker.schedule.failures > 0;
  }

  begin(): void {
    if (this.#asked !== null) return;
    this.#asked = new Set();
    this.#underWay = 0;
    this.nextAtMs = Number.POSITIVE_INFINITY;
    this.#next(this.#asked);
  }

  /** As soon as the tracker that answered last allows. */
  wantMore(): void {
    if (this.#asked !== null || this.#current === null) return;
    this.#current.schedule.wantMore();
    this.nextAtMs = Math.min(this.nextAtMs, this.#current.schedule.nextAtMs);
  }

  /** A tracker was asked outside a walk and its schedule moved. */
  reschedule(): void {
    if (this.#asked === null) this.nextAtMs = this.#nextDueMs();
  }

  /** Nothing is asked any more. */
  close(): void {
    this.#patience?.cancel();
    this.#asked = null;
    this.nextAtMs = Number.POSITIVE_INFINITY;
  }

  #next(asked: Set<Tracked>): void {
    this.#patience?.cancel();
    const nowMs = this.#clock.nowMs();
    const rest = this.#order().filter((each) => !asked.has(each) && each.schedule.mayAskAtMs <= nowMs);
    const tracker = rest[0];
    if (tracker === undefined) {
      if (this.#underWay === 0) this.#end(null);
      return;
    }
    asked.add(tracker);
    this.#underWay++;
    if (rest.length > 1) this.#patience = this.#clock.after(PATIENCE_MS, () => this.#next(asked));
    void this.#actions.ask(tracker).then((ok) => this.#heard(asked, tracker, ok));
  }

  #heard(asked: Set<Tracked>, tracker: Tracked, ok: boolean): void {
    // Answers that come when the walk is over have told their peers already.
    if (this.#asked !== asked) return;
    this.#underWay--;
    if (ok) {
      this.#actions.answered(tracker);
      this.#end(tracker);
    } else this.#next(asked);
  }

  #end(current: Tracked | null): void {
    this.#patience?.cancel();
    this.#asked = null;
    this.#current = current;
    this.nextAtMs = this.#nextDueMs();
    this.#actions.ended();
  }

  #nextDueMs(): number {
    if (this.#current !== null) return this.#current.schedule.nextAtMs;
    return Math.min(...this.#order().map((each) => each.schedule.nextAtMs));
  }
}
