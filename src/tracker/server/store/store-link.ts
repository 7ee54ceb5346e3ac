// The link to the swarm store: opened, watched, and opened again. What it cannot do now it rejects at once; it queues nothing.

import { describeError, isShoalError, ShoalError } from '../../../base/errors.ts';
import type { Clock, Timer } from '../../../ports/clock.ts';
import type { Log } from '../../../ports/log.ts';
import type { Random } from '../../../ports/random.ts';
import type { SwarmAnswer, SwarmExchange, SwarmLink, SwarmStore } from '../../../ports/swarm-store.ts';

/** A store that has said nothing for so long, though asked, is away. It answers in a millisecond or two. */
const SILENT_MS = 2000;
/** From one try to the next, growing; each a little different, so that trackers do not all come at once. */
const FIRST_RETRY_MS = 250;
const LAST_RETRY_MS = 5000;
/** That it refuses swarms is told so often at most. */
const REFUSALS_TOLD_MS = 10 * 60_000;

export interface StoreLinkOptions {
  readonly store: SwarmStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** The store can be asked, again or for the first time. What it knows may be of another time. */
  onUp(): void;
  /** The store is gone; the exchanges under way reject, soon after. */
  onAway(): void;
}

export class StoreLink {
  readonly #options: StoreLinkOptions;
  #link: SwarmLink | null = null;
  #underWay = 0;
  /** Since when the store owes an answer. */
  #waitingSinceMs = 0;
  /** Since when every answer was a refusal; 0: the last was none. */
  #failingSinceMs = 0;
  #retryMs = FIRST_RETRY_MS;
  #retry: Timer | null = null;
  #isClosed = false;
  /** It was told to be away, and nothing has shown that it is back: a store may be there and refuse everything. */
  #isTold = false;
  /** It was there when it went away, and refused: being there does not show that it is back, being told something does. */
  #hasRefused = false;
  #refusalToldMs = Number.NEGATIVE_INFINITY;

  constructor(options: StoreLinkOptions) {
    this.#options = options;
  }

  /** It can be asked. */
  get isUp(): boolean {
    return this.#link !== null;
  }

  get isAway(): boolean {
    return this.#link === null || this.#isTold;
  }

  /** For how long it has owed an answer; infinite where it cannot be asked. */
  get owesMs(): number {
    if (this.#link === null) return Number.POSITIVE_INFINITY;
    return this.#underWay === 0 ? 0 : this.#options.clock.nowMs() - this.#waitingSinceMs;
  }

  get underWay(): number {
    return this.#underWay;
  }

  /**
   * Opens it; a store that is not there is tried again and again. The first time rejects with STORE_REFUSED, or what else
   * is wrong with what was asked for.
   */
  async open(): Promise<void> {
    const { store } = this.#options;
    let lost: Error | null = null;
    let link: SwarmLink | null = null;
    try {
      link = await store.open((error) => {
        lost = error;
        if (link !== null && link === this.#link) this.#goAway(error);
      });
    } catch (error) {
      if (!isShoalError(error, 'CONNECT_FAILED') && !this.#isTold) throw error;
      this.#tellAway(error);
    }
    if (link !== null && (this.#isClosed || lost !== null)) {
      link.close();
      link = null;
      if (lost !== null) this.#tellAway(lost);
    }
    if (this.#isClosed) return;
    if (link === null) this.#tryAgain();
    else this.#comeUp(link);
  }

  /** Rejects as the store does, and while there is none. `isProof`: whether it is carried out tells how the store is. */
  async exchange(request: SwarmExchange, isProof = true): Promise<SwarmAnswer> {
    const link = this.#link;
    if (link === null) throw new ShoalError('CONNECT_FAILED', 'the store is away');
    const { clock } = this.#options;
    if (this.#underWay++ === 0) this.#waitingSinceMs = clock.nowMs();
    try {
      const answer = await link.exchange(request);
      if (isProof || !this.#hasRefused) this.#succeeded(request, isProof);
      return answer;
    } catch (error) {
      if (isShoalError(error, 'SWARM_REFUSED')) this.#tellRefused(error);
      else if (isProof) this.#failed(link, error);
      throw error;
    } finally {
      this.#underWay--;
      this.#waitingSinceMs = clock.nowMs();
    }
  }

  /** See {@link SwarmLink.send}. What becomes of it does not tell how the store is. */
  async send(place: number, bytes: Uint8Array): Promise<void> {
    if (this.#link === null) throw new ShoalError('CONNECT_FAILED', 'the store is away');
    await this.#link.send(place, bytes);
  }

  /** To be called about once a second. */
  tick(): void {
    const silentMs = this.#options.clock.nowMs() - this.#waitingSinceMs;
    if (this.#link !== null && this.#underWay > 0 && silentMs > SILENT_MS) {
      this.#goAway(new ShoalError('CONNECT_FAILED', `it has not answered for ${Math.round(silentMs / 1000)} s`));
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#retry?.cancel();
    this.#link?.close();
    this.#link = null;
  }

  #comeUp(link: SwarmLink): void {
    this.#link = link;
    this.#failingSinceMs = 0;
    this.#options.onUp();
  }

  #succeeded({ since, changes }: SwarmExchange, isProof: boolean): void {
    if (isProof) this.#failingSinceMs = 0;
    if (!this.#isTold || (this.#hasRefused && (since < 0 || changes.length === 0))) return;
    this.#retryMs = FIRST_RETRY_MS;
    this.#isTold = false;
    this.#hasRefused = false;
    this.#options.log.write('warn', 'the swarm store is back', { store: this.#options.store.name });
  }

  #failed(link: SwarmLink, error: unknown): void {
    const nowMs = this.#options.clock.nowMs();
    if (this.#failingSinceMs === 0) this.#failingSinceMs = nowMs;
    if (link !== this.#link || nowMs - this.#failingSinceMs <= SILENT_MS) return;
    this.#hasRefused = true;
    this.#goAway(error);
  }

  /** Which swarm is not told: logs have none. */
  #tellRefused(error: ShoalError): void {
    const { clock, log, store } = this.#options;
    const nowMs = clock.nowMs();
    if (nowMs - this.#refusalToldMs < REFUSALS_TOLD_MS) return;
    this.#refusalToldMs = nowMs;
    const told = { store: store.name, error: describeError(error) };
    log.write(
      'warn',
      'the swarm store refuses swarms for what it has of them; these are tried again now and then',
      told,
    );
  }

  #goAway(error: unknown): void {
    const link = this.#link;
    this.#link = null;
    link?.close();
    if (this.#isClosed) return;
    this.#tellAway(error);
    this.#options.onAway();
    this.#tryAgain();
  }

  /** Once, however often it is tried. */
  #tellAway(error: unknown): void {
    if (this.#isTold || this.#isClosed) return;
    this.#isTold = true;
    const { log, store } = this.#options;
    const told = { store: store.name, error: describeError(error) };
    log.write('warn', 'the swarm store is away; until it is back announces are answered from what is known here', told);
  }

  #tryAgain(): void {
    const { clock, random } = this.#options;
    const delayMs = this.#retryMs / 2 + random.below(this.#retryMs);
    this.#retryMs = Math.min(LAST_RETRY_MS, 2 * this.#retryMs);
    this.#retry = clock.after(delayMs, () => void this.open());
  }
}
