// The events of the world in the order in which they happen: by time, then by who was planned first.

import { assert } from '../../base/assert.ts';
import { Heap } from '../../base/heap.ts';

/** Whose event it is: those of an owner that is no longer alive never happen. */
export interface EventOwner {
  readonly isAlive: boolean;
}

export interface PlannedEvent {
  readonly timeMs: number;
  readonly order: number;
  readonly owner: EventOwner | null;
  /** Null once it happened or was cancelled. */
  fire: (() => void) | null;
}

// A program that plans events for "now" without end would never let time go on; no sane swarm comes near this.
const MAX_EVENTS_AT_ONE_INSTANT = 5_000_000;

export class Schedule {
  readonly #events: Heap<PlannedEvent> = new Heap(isBefore);
  #nowMs = 0;
  #order = 0;
  #cancelled = 0;
  #atThisInstant = 0;

  get nowMs(): number {
    return this.#nowMs;
  }

  /** Plans `fire` for `timeMs` (the past is now). Events of one instant happen in the order of these calls. */
  at(timeMs: number, owner: EventOwner | null, fire: () => void): PlannedEvent {
    assert(timeMs >= 0, 'an event has a time');
    const event: PlannedEvent = { timeMs: Math.max(timeMs, this.#nowMs), order: this.#order++, owner, fire };
    this.#events.push(event);
    return event;
  }

  cancel(event: PlannedEvent): void {
    if (event.fire === null) return;
    event.fire = null;
    this.#cancelled++;
    // Programs set time-outs far ahead and cancel nearly all: sweep when most of the heap is such leftovers.
    if (this.#cancelled > 1024 && this.#cancelled * 2 > this.#events.size) {
      this.#events.retain((kept) => kept.fire !== null);
      this.#cancelled = 0;
    }
  }

  /** Lets the next event happen; false where none is due until `limitMs`. */
  step(limitMs: number): boolean {
    for (;;) {
      const event = this.#events.peek();
      if (event === undefined || event.timeMs > limitMs) return false;
      this.#events.pop();
      const fire = event.fire;
      if (fire === null) {
        this.#cancelled--;
        continue;
      }
      event.fire = null;
      if (event.owner !== null && !event.owner.isAlive) continue;
      this.#moveTo(event.timeMs);
      fire();
      return true;
    }
  }

  /** Time goes on to `timeMs` with nothing left to happen before it. */
  skipTo(timeMs: number): void {
    if (timeMs > this.#nowMs) this.#moveTo(timeMs);
  }

  /** How many events are planned, cancelled ones not counted. */
  get pending(): number {
    return this.#events.size - this.#cancelled;
  }

  #moveTo(timeMs: number): void {
    if (timeMs > this.#nowMs) {
      this.#nowMs = timeMs;
      this.#atThisInstant = 0;
    }
    this.#atThisInstant++;
    assert(this.#atThisInstant < MAX_EVENTS_AT_ONE_INSTANT, `time goes on (it stands at ${timeMs} ms)`);
  }
}

function isBefore(a: PlannedEvent, b: PlannedEvent): boolean {
  return a.timeMs < b.timeMs || (a.timeMs === b.timeMs && a.order < b.order);
}
