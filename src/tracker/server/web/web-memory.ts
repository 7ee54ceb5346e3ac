// What the WebSocket connections of a thread hold all together: messages under way, replies and offers that wait to be read,
// lists of swarms. Each has bounds of its own, but sixteen thousand at their bounds would hold gigabytes. Above the limit
// those go that hold most: whoever sends whole messages and reads holds next to nothing.

/** So much of the limit is full afterwards: what looking through all costs is paid for by an eighth of it each time. */
const ROOM = 7 / 8;
/** In one turn of the loop: each has to leave its swarms and be told why. */
const MOST = 512;

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

  /** Nothing that can be left out should be added for those who have not read what they were sent before. */
  get isHalfFull(): boolean {
    return this.bytes >= this.#limit / 2;
  }

  change(bytes: number): void {
    this.bytes += bytes;
    if (bytes > 0 && this.bytes > this.#limit) this.#over();
  }

  /**
   * Where the limit is exceeded has the largest holders go, until there is room again, or {@link MOST} at once: then it is
   * to be called again. Returns how many.
   */
  shed(holders: readonly (Holder | null)[]): number {
    if (this.bytes <= this.#limit) return 0;
    // What was read meanwhile is not held any more.
    for (const holder of holders) holder?.recount();
    if (this.bytes <= this.#limit) return 0;
    const room = this.#limit * ROOM;
    const least = leastToShed(holders, this.bytes - room);
    let count = 0;
    // First those that hold more than the least of them, then as many of its size as it takes.
    for (const size of [least + 1, least]) {
      for (const holder of holders) {
        if (this.bytes <= room || count === MOST) break;
        if (holder === null || holder.heldBytes < size) continue;
        holder.shed();
        count++;
      }
    }
    if (this.bytes > this.#limit && count > 0) this.#over();
    return count;
  }
}

/** What the smallest holds of those that hold most and so many bytes together; of the {@link MOST} largest, if that is less. */
function leastToShed(holders: readonly (Holder | null)[], bytes: number): number {
  const sizes = new Float64Array(holders.length);
  for (let i = 0; i < holders.length; i++) sizes[i] = holders[i]?.heldBytes ?? 0;
  sizes.sort();
  let at = sizes.length;
  for (let sum = 0; at > 0 && sum < bytes && sizes.length - at < MOST; ) sum += sizes[--at]!;
  return Math.max(1, sizes[at] ?? 1);
}
