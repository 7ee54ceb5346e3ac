// Hears what other trackers send to this one's place, while the store is there. That it still hears is found out by sending to
// itself: a link may be dead and not say so.

import { EMPTY } from '../../../base/bytes.ts';
import { describeError, ShoalError } from '../../../base/errors.ts';
import type { Clock, Timer } from '../../../ports/clock.ts';
import type { Log } from '../../../ports/log.ts';
import type { Random } from '../../../ports/random.ts';
import type { SwarmEar, SwarmStore } from '../../../ports/swarm-store.ts';
import type { StoreLink } from './store-link.ts';

/** From one word to itself to the next. */
const CHECK_MS = 10_000;
/** Two of them and a little were not heard. */
const DEAF_MS = 25_000;
/** From one try to the next, growing; each a little different. */
const FIRST_RETRY_MS = 250;
const LAST_RETRY_MS = 5000;
/** Once is no news: the store may be about to go away, which is told by itself. */
const FAILURES_TO_TELL = 2;

export interface StoreEarOptions {
  readonly store: SwarmStore;
  readonly link: StoreLink;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly place: number;
  /** What was sent, which is the hearer's. */
  hear(bytes: Uint8Array): void;
}

export class StoreEar {
  readonly #options: StoreEarOptions;
  #ear: SwarmEar | null = null;
  /** What an ear of another turn says does not count any more. */
  #turn = 0;
  #isWanted = false;
  #retry: Timer | null = null;
  #retryMs = FIRST_RETRY_MS;
  /** Since something was heard. */
  #failures = 0;
  #heardMs = 0;
  #checkedMs = 0;

  constructor(options: StoreEarOptions) {
    this.#options = options;
  }

  /** The store is there. */
  start(): void {
    this.#isWanted = true;
    this.#retryMs = FIRST_RETRY_MS;
    void this.#open();
  }

  /** The store is away, or no longer of use. Idempotent. */
  stop(): void {
    this.#isWanted = false;
    this.#drop();
  }

  /** To be called about once a second. */
  tick(): void {
    if (this.#ear === null) return;
    const nowMs = this.#options.clock.nowMs();
    if (nowMs - this.#heardMs > DEAF_MS) this.#lost(new ShoalError('CONNECT_FAILED', 'nothing comes through'));
    else if (nowMs - this.#checkedMs >= CHECK_MS) this.#check();
  }

  async #open(): Promise<void> {
    this.#drop();
    const turn = this.#turn;
    const { store, place, clock } = this.#options;
    try {
      const ear = await store.listen(
        place,
        (bytes) => {
          if (turn === this.#turn) this.#heard(bytes);
        },
        (error) => {
          if (turn === this.#turn) this.#lost(error);
        },
      );
      if (turn !== this.#turn) {
        ear.close();
        return;
      }
      this.#ear = ear;
      this.#heardMs = clock.nowMs();
      this.#check();
    } catch (error) {
      if (turn === this.#turn) this.#lost(error);
    }
  }

  #check(): void {
    const { link, place, clock } = this.#options;
    this.#checkedMs = clock.nowMs();
    link.send(place, EMPTY).catch(() => undefined);
  }

  #heard(bytes: Uint8Array): void {
    const { clock, hear, log, store } = this.#options;
    this.#heardMs = clock.nowMs();
    this.#retryMs = FIRST_RETRY_MS;
    if (this.#failures >= FAILURES_TO_TELL) {
      log.write('warn', 'what other trackers send to WebSocket clients is heard again', { store: store.name });
    }
    this.#failures = 0;
    if (bytes.length > 0) hear(bytes);
  }

  #lost(error: unknown): void {
    this.#drop();
    if (!this.#isWanted) return;
    const { clock, random, log, store } = this.#options;
    if (++this.#failures === FAILURES_TO_TELL) {
      const told = { store: store.name, error: describeError(error) };
      log.write('warn', 'what other trackers send to WebSocket clients cannot be heard', told);
    }
    const delayMs = this.#retryMs / 2 + random.below(this.#retryMs);
    this.#retryMs = Math.min(LAST_RETRY_MS, 2 * this.#retryMs);
    this.#retry = clock.after(delayMs, () => void this.#open());
  }

  #drop(): void {
    this.#turn++;
    this.#retry?.cancel();
    this.#retry = null;
    this.#ear?.close();
    this.#ear = null;
  }
}
