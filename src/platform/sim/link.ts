// Pipes with a bandwidth, shared fairly by what goes through them, and routes with a latency between hosts.

import type { Schedule } from './schedule.ts';

/** One stream or socket that sends through a pipe. */
export interface Flow {
  /** Kept by the pipe: whether it waits there. */
  isQueued: boolean;
  /** Takes the next quantum; its bytes, 0 for what costs nothing, -1 for nothing to send. */
  begin(): number;
  /** The quantum has gone through. May call the program. */
  finish(): void;
}

/**
 * One direction of a host's access line. Flows that have something to send take turns, a quantum each, so that
 * they share the bandwidth alike however much each of them has waiting.
 *
 * ```
 * flow a |■■■■■|\
 * flow b |■|-----> round: a b c a c a a … -> one quantum at a time, size / bandwidth long
 * flow c |■■|---/
 * ```
 */
export class Pipe {
  readonly #schedule: Schedule;
  readonly #round: Flow[] = [];
  #head = 0;
  #bytesPerSecond: number;
  #current: Flow | null = null;
  #isRunning = false;

  constructor(schedule: Schedule, bytesPerSecond: number) {
    this.#schedule = schedule;
    this.#bytesPerSecond = bytesPerSecond;
  }

  /** From the next quantum on. */
  setBandwidth(bytesPerSecond: number): void {
    this.#bytesPerSecond = bytesPerSecond;
  }

  /** For calls of the program: `flow` has something to send; it is asked later in this instant, never within this call. */
  wake(flow: Flow): void {
    if (this.#mustStart(flow)) this.#schedule.at(this.#schedule.nowMs, null, this.#step);
  }

  /** For what comes from the net: `flow` may be asked at once. */
  enter(flow: Flow): void {
    if (this.#mustStart(flow)) this.#step();
  }

  #mustStart(flow: Flow): boolean {
    if (flow.isQueued) return false;
    flow.isQueued = true;
    this.#round.push(flow);
    if (this.#isRunning) return false;
    this.#isRunning = true;
    return true;
  }

  readonly #step = (): void => {
    const done = this.#current;
    this.#current = null;
    done?.finish();
    for (;;) {
      const flow = this.#next();
      if (flow === null) {
        this.#isRunning = false;
        return;
      }
      const bytes = flow.begin();
      if (bytes < 0) {
        flow.isQueued = false;
        continue;
      }
      this.#round.push(flow);
      const tookMs = (bytes * 1000) / this.#bytesPerSecond;
      if (tookMs === 0) {
        flow.finish();
        continue;
      }
      this.#current = flow;
      this.#schedule.at(this.#schedule.nowMs + tookMs, null, this.#step);
      return;
    }
  };

  #next(): Flow | null {
    if (this.#head === this.#round.length) return null;
    const flow = this.#round[this.#head]!;
    this.#head++;
    if (this.#head > 1024 && this.#head * 2 > this.#round.length) {
      this.#round.splice(0, this.#head);
      this.#head = 0;
    }
    return flow;
  }
}

/** What can be said about the way between two hosts; both directions are alike. */
export interface RouteSettings {
  /** One way. */
  readonly latencyMs?: number;
  /** Share of datagrams that are lost, sent twice, or late by up to a latency, 0 to 1. Streams do not lose anything. */
  readonly lossRate?: number;
  readonly duplicateRate?: number;
  readonly reorderRate?: number;
}

export class Route {
  readonly #schedule: Schedule;
  /** One way. */
  latencyMs: number;
  lossRate = 0;
  duplicateRate = 0;
  reorderRate = 0;
  #isCut = false;
  #held: (() => void)[] = [];

  constructor(schedule: Schedule, latencyMs: number) {
    this.#schedule = schedule;
    this.latencyMs = latencyMs;
  }

  get isCut(): boolean {
    return this.#isCut;
  }

  set(settings: RouteSettings): void {
    this.latencyMs = settings.latencyMs ?? this.latencyMs;
    this.lossRate = settings.lossRate ?? this.lossRate;
    this.duplicateRate = settings.duplicateRate ?? this.duplicateRate;
    this.reorderRate = settings.reorderRate ?? this.reorderRate;
  }

  /** What streams send meanwhile is sent again when the way is there again; datagrams are lost. */
  cut(): void {
    this.#isCut = true;
  }

  heal(): void {
    this.#isCut = false;
    const held = this.#held;
    this.#held = [];
    // At once: what is on its way by now must not overtake it.
    for (const arrive of held) arrive();
  }

  /**
   * Carries one thing of a stream over; `notBeforeMs` keeps it behind what the stream sent before. Gives the time at
   * which it arrives unless the way is cut meanwhile.
   */
  carry(notBeforeMs: number, arrive: () => void): number {
    const atMs = Math.max(this.#schedule.nowMs + this.latencyMs, notBeforeMs);
    this.#schedule.at(atMs, null, () => {
      if (this.#isCut) this.#held.push(arrive);
      else arrive();
    });
    return atMs;
  }
}
