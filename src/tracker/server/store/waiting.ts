// Requests that wait for a swarm to be fetched from the store: so many at most, and so long at most.

import type { Clock, Timer } from '../../../ports/clock.ts';
import type { Waiter } from '../access.ts';

/** A flood for swarms that nobody knows gets no further: whoever comes beyond is answered from what is known. */
const MAX_WAITING = 4096;
const PATIENCE_MS = 300;

interface Place {
  readonly waiter: Waiter;
  readonly swarm: number;
  readonly untilMs: number;
  isOver: boolean;
}

export class Waiting {
  /** Who waits now. */
  count = 0;
  readonly #clock: Clock;
  readonly #bySwarm = new Map<number, Place[]>();
  /** In the order in which their time ends. */
  #inOrder: Place[] = [];
  #timer: Timer | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get isFull(): boolean {
    return this.#inOrder.length >= MAX_WAITING;
  }

  add(swarm: number, waiter: Waiter): void {
    const place = { waiter, swarm, untilMs: this.#clock.nowMs() + PATIENCE_MS, isOver: false };
    this.#inOrder.push(place);
    this.count++;
    const others = this.#bySwarm.get(swarm);
    if (others === undefined) this.#bySwarm.set(swarm, [place]);
    else others.push(place);
    if (this.#timer === null) this.#arm();
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
    // Those whose turn is over stand in the way of nobody but at the bound.
    if (this.isFull) this.#inOrder = this.#inOrder.filter(({ isOver }) => !isOver);
  }

  releaseAll(): void {
    for (const swarm of [...this.#bySwarm.keys()]) this.release(swarm);
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.releaseAll();
  }

  #end(place: Place): void {
    if (place.isOver) return;
    place.isOver = true;
    this.count--;
    place.waiter.goOn();
  }

  #arm(): void {
    const first = this.#inOrder[0];
    this.#timer = null;
    if (first === undefined) return;
    this.#timer = this.#clock.after(Math.max(1, first.untilMs - this.#clock.nowMs()), () => {
      const nowMs = this.#clock.nowMs();
      let over = 0;
      while (over < this.#inOrder.length && (this.#inOrder[over]!.isOver || this.#inOrder[over]!.untilMs <= nowMs))
        over++;
      const late = this.#inOrder.splice(0, over).filter(({ isOver }) => !isOver);
      for (const { swarm } of late) this.release(swarm);
      this.#arm();
    });
  }
}
