// Swarms that are due at a time, each once, in the order in which they came: all wait about as long.

export class DueQueue {
  readonly #most: number;
  /** A ring. */
  readonly #swarms: Int32Array;
  readonly #isIn: Uint8Array;
  readonly #dueMs: Float64Array;
  #head = 0;
  #count = 0;

  /** `most`: a power of two; the swarms' numbers are below it. */
  constructor(most: number) {
    this.#most = most;
    this.#swarms = new Int32Array(most);
    this.#isIn = new Uint8Array(most);
    this.#dueMs = new Float64Array(most);
  }

  get count(): number {
    return this.#count;
  }

  has(swarm: number): boolean {
    return this.#isIn[swarm] === 1;
  }

  /** Is due at `dueMs`, unless it is here already; not earlier than those that came before. */
  add(swarm: number, dueMs: number): void {
    if (this.#isIn[swarm] === 1) return;
    this.#isIn[swarm] = 1;
    this.#swarms[(this.#head + this.#count++) & (this.#most - 1)] = swarm;
    this.#dueMs[swarm] = dueMs;
  }

  /** When the first is due; infinite where there is none. */
  get nextDueMs(): number {
    return this.#count === 0 ? Number.POSITIVE_INFINITY : this.#dueMs[this.#swarms[this.#head]!]!;
  }

  /** Takes the first. */
  shift(): number {
    const swarm = this.#swarms[this.#head]!;
    this.#head = (this.#head + 1) & (this.#most - 1);
    this.#count--;
    this.#isIn[swarm] = 0;
    return swarm;
  }
}
