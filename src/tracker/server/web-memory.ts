// What the WebSocket connections of a thread hold all together: messages under way, replies and offers that wait to be read,
// lists of swarms. Each has bounds of its own, but sixteen thousand at their bounds would hold gigabytes. Above the limit
// those go that hold most: whoever sends whole messages and reads holds next to nothing.

export interface Holder {
  readonly heldBytes: number;
  /** Counts anew what it holds. */
  recount(): void;
  /** Goes, and holds nothing from now on but a close frame. */
  shed(): void;
}

export class WebMemory {
  bytes = 0;
  readonly #limit: number;
  readonly #over: () => void;

  /** `over` is called whenever a change leaves more than `limit` bytes: {@link shed} is to be called soon. */
  constructor(limit: number, over: () => void) {
    this.#limit = limit;
    this.#over = over;
  }

  /** Nothing should be added that can be left out. */
  get isFull(): boolean {
    return this.bytes >= this.#limit;
  }

  change(bytes: number): void {
    this.bytes += bytes;
    if (bytes > 0 && this.bytes > this.#limit) this.#over();
  }

  /** Has the largest holders go until the limit is kept; returns how many. */
  shed(holders: readonly (Holder | null)[]): number {
    if (this.bytes <= this.#limit) return 0;
    // What was read meanwhile is not held any more.
    for (const holder of holders) holder?.recount();
    let count = 0;
    while (this.bytes > this.#limit) {
      const before = this.bytes;
      largest(holders)?.shed();
      if (this.bytes >= before) break;
      count++;
    }
    return count;
  }
}

function largest(holders: readonly (Holder | null)[]): Holder | null {
  let most: Holder | null = null;
  for (const holder of holders) {
    if (holder !== null && holder.heldBytes > (most?.heldBytes ?? 0)) most = holder;
  }
  return most;
}
