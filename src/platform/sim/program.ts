// One run of the program on a host: what it has open, and whether it still lives. A crash ends it in the middle.

import { assert } from '../../base/assert.ts';
import type { EventOwner, PlannedEvent, Schedule } from './schedule.ts';
import { digestOf, type Trace, type TraceKind } from './trace.ts';

export class SimProgram implements EventOwner {
  readonly schedule: Schedule;
  readonly trace: Trace;
  /** Number and name of the host. */
  readonly host: number;
  readonly name: string;
  readonly #open: Map<object, string> = new Map();
  #state: 'alive' | 'crashed' | 'ended' = 'alive';

  constructor(schedule: Schedule, trace: Trace, host: number, name: string) {
    this.schedule = schedule;
    this.trace = trace;
    this.host = host;
    this.name = name;
  }

  /** False after a crash or the end: nothing that was planned happens, nothing that is asked for is answered. */
  get isAlive(): boolean {
    return this.#state === 'alive';
  }

  /**
   * For the start of every call the program makes: false where it has crashed (what is left of it in memory may still
   * call; nobody hears it). Throws where it said that it has ended: then such a call is a bug.
   */
  canAct(): boolean {
    assert(this.#state !== 'ended', `${this.name} does nothing after its end`);
    return this.#state === 'alive';
  }

  crash(): void {
    this.#state = 'crashed';
    this.#open.clear();
  }

  /** The program says that it has closed everything; throws with what it has not. */
  end(): void {
    if (this.#state !== 'alive') return;
    const left = this.leaks();
    assert(left.length === 0, `all is closed at the end, but there is ${left.join(', ')}`);
    this.#state = 'ended';
  }

  /** Keeps `thing` among what must be closed; `what` names it in {@link leaks}. */
  opened(thing: object, what: string): void {
    this.#open.set(thing, what);
  }

  closed(thing: object): void {
    this.#open.delete(thing);
  }

  /** What is open, counted by kind. */
  leaks(): string[] {
    const counts = new Map<string, number>();
    for (const what of this.#open.values()) counts.set(what, (counts.get(what) ?? 0) + 1);
    return Array.from(counts, ([what, count]) => `${this.name}: ${count} ${what}`);
  }

  /** Plans a delivery to the program. */
  later(delayMs: number, kind: TraceKind, fire: () => void): PlannedEvent {
    return this.schedule.at(this.schedule.nowMs + delayMs, this, () => {
      this.note(kind);
      fire();
    });
  }

  /** Every call into the program, and every promise of it that is settled, is told to the trace. */
  note(kind: TraceKind, size = 0): void {
    this.trace.note(this.schedule.nowMs, kind, this.host, size);
  }

  noteBytes(kind: TraceKind, bytes: Uint8Array): void {
    this.trace.note(this.schedule.nowMs, kind, this.host, bytes.length, digestOf(bytes));
  }

  /** Answers after `delayMs` with what `work` gives then; counts as open until. Never settles after a crash. */
  answer<T>(delayMs: number, what: string, work: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      if (!this.canAct()) return;
      const pending = {};
      this.opened(pending, what);
      this.later(delayMs, 'answer', () => {
        this.closed(pending);
        try {
          resolve(work());
        } catch (error) {
          reject(error);
        }
      });
    });
  }
}
