// Requests that wait for a swarm to be fetched from the store: so many at most, and so long at most. Where nobody is known,
// all that could be said is that nobody is there: those wait longer.

import type { Clock, Timer } from '../../../ports/clock.ts';
import type { Waiter } from '../access.ts';

/** A flood for swarms that nobody knows gets no further: whoever comes beyond is answered from what is known. */
const MAX_WAITING = 4096;
/** For that flood, too: where so many wait long, others wait as if something were known. */
const MAX_PATIENT = 1024;
const PATIENCE_MS = 300;
/** A client keeps an empty answer for half an hour; a second is what it hardly notices. */
const LONG_PATIENCE_MS = 1000;

interface Place {
  readonly waiter: Waiter;
  readonly swarm: number;
  readonly untilMs: number;
  isOver: boolean;
}

export class Waiting {
  /** Who waits now. */
  count = 0;
  readonly #bySwarm = new Map<number, Set<Place>>();
  readonly #clock: Clock;
  readonly #line: Line;
  readonly #patient: Line;

  constructor(clock: Clock) {
    const onLate = (place: Place): void => this.#giveUp(place);
    this.#clock = clock;
    this.#line = new Line(clock, onLate);
    this.#patient = new Line(clock, onLate);
  }

  get isFull(): boolean {
    return this.#line.length + this.#patient.length >= MAX_WAITING;
  }

  /** How long one waits who comes now; `knowsNobody`: of the swarm. */
  patienceMs(knowsNobody: boolean): number {
    return knowsNobody && this.#patient.length < MAX_PATIENT ? LONG_PATIENCE_MS : PATIENCE_MS;
  }

  add(swarm: number, waiter: Waiter, patienceMs: number): void {
    const place = { waiter, swarm, untilMs: this.#clock.nowMs() + patienceMs, isOver: false };
    (patienceMs > PATIENCE_MS ? this.#patient : this.#line).add(place);
    this.count++;
    const others = this.#bySwarm.get(swarm);
    if (others === undefined) this.#bySwarm.set(swarm, new Set([place]));
    else others.add(place);
  }

  has(swarm: number): boolean {
    return this.#bySwarm.has(swarm);
  }

  /** Lets those go on that wait for a swarm. */
  release(swarm: number): void {
    const places = this.#bySwarm.get(swarm);
    if (places === undefined) return;
    this.#bySwarm.delete(swarm);
    for (const place of places) this.#end(place);
    // Those whose turn is over stand in the way of nobody but at the bounds.
    if (this.isFull) this.#line.clear();
    if (this.isFull || this.#patient.length >= MAX_PATIENT) this.#patient.clear();
  }

  releaseAll(): void {
    for (const swarm of [...this.#bySwarm.keys()]) this.release(swarm);
  }

  close(): void {
    this.#line.close();
    this.#patient.close();
    this.releaseAll();
  }

  #giveUp(place: Place): void {
    const others = this.#bySwarm.get(place.swarm);
    others?.delete(place);
    if (others?.size === 0) this.#bySwarm.delete(place.swarm);
    this.#end(place);
  }

  #end(place: Place): void {
    if (place.isOver) return;
    place.isOver = true;
    this.count--;
    place.waiter.goOn();
  }
}

/** Those who wait equally long, in the order in which their time ends, with one timer. */
class Line {
  readonly #clock: Clock;
  readonly #onLate: (place: Place) => void;
  #places: Place[] = [];
  #timer: Timer | null = null;

  constructor(clock: Clock, onLate: (place: Place) => void) {
    this.#clock = clock;
    this.#onLate = onLate;
  }

  get length(): number {
    return this.#places.length;
  }

  add(place: Place): void {
    this.#places.push(place);
    if (this.#timer === null) this.#arm();
  }

  /** Lets go of those whose turn is over. */
  clear(): void {
    this.#places = this.#places.filter(({ isOver }) => !isOver);
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  #arm(): void {
    const first = this.#places[0];
    this.#timer = null;
    if (first === undefined) return;
    this.#timer = this.#clock.after(Math.max(1, first.untilMs - this.#clock.nowMs()), () => {
      const nowMs = this.#clock.nowMs();
      let over = 0;
      while (over < this.#places.length && (this.#places[over]!.isOver || this.#places[over]!.untilMs <= nowMs)) over++;
      const late = this.#places.splice(0, over).filter(({ isOver }) => !isOver);
      for (const place of late) this.#onLate(place);
      this.#arm();
    });
  }
}
