// Commits that come in quick succession wait for each other a little: their pieces are hashed side by side (hash-lanes.ts),
// which costs a quarter of hashing them one by one. Without the module for it, each goes at once.
//
//   time    x        x   x  x x x   x  x x  .......   x = a commit comes
//           at once  |<-- together -->|               up to 8 of one length, or until HOLD_MS after the first

import { isSha1Shared, LANES } from './hash-lanes.ts';

/** Also how soon one must follow another to be held: at a rate that costs little CPU nobody waits. */
const HOLD_MS = 15;

/** Of memory for pieces, which others wait for. */
const MOST_HELD_BYTES = 8 * 1024 * 1024;

export class CommitBatches<Commit> {
  readonly #send: (batch: readonly Commit[]) => void;
  readonly #isShared: (messages: number) => boolean;
  #held: Commit[] = [];
  /** Of each of them. */
  #lengthBytes = 0;
  #lastMs = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;

  /** `send` is given one commit or several of one length; `isShared`: whether so many are hashed faster together. */
  constructor(send: (batch: readonly Commit[]) => void, isShared: (messages: number) => boolean = isSha1Shared) {
    this.#send = send;
    this.#isShared = isShared;
  }

  add(commit: Commit, lengthBytes: number): void {
    const nowMs = performance.now();
    const isAlone = nowMs - this.#lastMs > HOLD_MS && this.#held.length === 0;
    this.#lastMs = nowMs;
    const most = Math.min(LANES, Math.floor(MOST_HELD_BYTES / lengthBytes));
    if (isAlone || !this.#isShared(most)) {
      this.#send([commit]);
      return;
    }
    if (lengthBytes !== this.#lengthBytes) this.flush();
    this.#lengthBytes = lengthBytes;
    this.#held.push(commit);
    if (this.#held.length >= most) this.flush();
    else this.#timer ??= setTimeout(this.#onTime, HOLD_MS);
  }

  /** Waits for no more. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#held.length === 0) return;
    const batch = this.#held;
    this.#held = [];
    this.#send(batch);
  }

  readonly #onTime = (): void => this.flush();
}
