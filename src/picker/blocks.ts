// The blocks of pieces that are begun: which are missing, requested (by whom) or arrived (from whom).
//
//   missing --request--> requested --arrived--> arrived
//      ^                     |                     |
//      `---- all lost -------'   (piece failed) ---'

/** Nobody. */
export const NONE = -1;

export const MISSING = 0;
export const REQUESTED = 1;
export const ARRIVED = 2;

/**
 * One begun piece. Objects are pooled: a piece that is done gives its arrays to the next. A block is asked of two peers
 * at most (the second only in endgame), which bounds what endgame can waste to one copy of what is outstanding.
 */
export class BegunPiece {
  piece: number = NONE;
  blockCount = 0;
  /** Blocks by state. */
  missing = 0;
  requested = 0;
  arrived = 0;
  /** Requested blocks that have two requesters. */
  doubled = 0;
  /** The peer that is meant to bring the whole piece. */
  owner: number = NONE;
  /** Whether the owner is of the slow class, whose pieces other slow peers may share. */
  slow = false;
  /** Only the owner may be asked: its data, or the piece, is suspect, and the next verdict shall name one peer. */
  exclusive = false;
  /** Its blocks may be asked for: it is still wanted, and its hash is known. */
  pickable = true;
  /** Place in the picker's list. */
  listIndex = 0;
  /** By block: MISSING, REQUESTED or ARRIVED. */
  readonly states: Uint8Array;
  /** By block: who was asked first; of an arrived block, who delivered it. */
  readonly first: Int32Array;
  /** By block: who else was asked and has not been told off. */
  readonly second: Int32Array;
  /** No block below this is missing. */
  #firstMissing = 0;

  constructor(maxBlocks: number) {
    this.states = new Uint8Array(maxBlocks);
    this.first = new Int32Array(maxBlocks);
    this.second = new Int32Array(maxBlocks);
  }

  begin(piece: number, blockCount: number): void {
    this.piece = piece;
    this.blockCount = blockCount;
    this.exclusive = false;
    this.pickable = true;
    this.owner = NONE;
    this.slow = false;
    this.missAll();
  }

  /** Every block is missing again and was asked of nobody. */
  missAll(): void {
    this.missing = this.blockCount;
    this.requested = 0;
    this.arrived = 0;
    this.doubled = 0;
    this.states.fill(MISSING, 0, this.blockCount);
    this.first.fill(NONE, 0, this.blockCount);
    this.second.fill(NONE, 0, this.blockCount);
    this.#firstMissing = 0;
  }

  /** Whether nothing was asked for and nothing came: it can still become anybody's piece. */
  get isUntouched(): boolean {
    return this.missing === this.blockCount;
  }

  /**
   * Marks up to `count` missing blocks as requested by `peer` and writes them as pairs (piece, block) into `out` from
   * pair `at` on. Blocks come in ascending runs: from the front for the owner, from the back for one who helps, so that
   * both ask for whole runs.
   */
  take(peer: number, count: number, out: Int32Array, at: number, fromBack: boolean): number {
    const wanted = Math.min(count, this.missing);
    let block = fromBack ? this.#startOfLast(wanted) : this.#firstMissing;
    let taken = 0;
    for (; taken < wanted; block++) {
      if (this.states[block] !== MISSING) continue;
      this.states[block] = REQUESTED;
      this.first[block] = peer;
      out[2 * (at + taken)] = this.piece;
      out[2 * (at + taken) + 1] = block;
      taken++;
    }
    if (!fromBack || this.missing === taken) this.#firstMissing = block;
    this.missing -= taken;
    this.requested += taken;
    return taken;
  }

  /** Asks a second peer for a requested block. */
  double(block: number, peer: number): void {
    this.second[block] = peer;
    this.doubled++;
  }

  /** Whether `peer` was asked for a block and neither delivered nor lost it. */
  isAsked(block: number, peer: number): boolean {
    return this.second[block] === peer || (this.states[block] === REQUESTED && this.first[block] === peer);
  }

  /** The block came from `peer`, one of its requesters. The other requester, if any, stays in `second`. */
  arrive(block: number, peer: number): void {
    if (this.second[block] !== NONE) this.doubled--;
    if (this.second[block] === peer) this.second[block] = this.first[block]!;
    this.first[block] = peer;
    this.states[block] = ARRIVED;
    this.requested--;
    this.arrived++;
  }

  /** `peer` will not deliver the block; false where it was not asked for it. */
  lose(block: number, peer: number): boolean {
    if (!this.isAsked(block, peer)) return false;
    const wasDoubled = this.second[block] !== NONE;
    const arrived = this.states[block] === ARRIVED;
    if (this.second[block] !== peer) this.first[block] = this.second[block]!;
    this.second[block] = NONE;
    if (arrived) return true;
    if (wasDoubled) this.doubled--;
    else {
      this.requested--;
      this.#miss(block);
    }
    return true;
  }

  /** An arrived block turned out bad. */
  spoil(block: number): void {
    if (this.states[block] !== ARRIVED) return;
    this.arrived--;
    this.second[block] = NONE;
    this.#miss(block);
  }

  /** A missing block is asked of `peer` after all. */
  request(block: number, peer: number): void {
    this.states[block] = REQUESTED;
    this.first[block] = peer;
    this.missing--;
    this.requested++;
  }

  #miss(block: number): void {
    this.states[block] = MISSING;
    this.first[block] = NONE;
    this.missing++;
    if (block < this.#firstMissing) this.#firstMissing = block;
  }

  #startOfLast(count: number): number {
    let block = this.blockCount;
    for (let left = count; left > 0; ) if (this.states[--block] === MISSING) left--;
    return block;
  }
}

/**
 * All begun pieces. Those with a block to ask for come first in the list, so that picking walks over no others:
 *
 * ```
 * list  | may be picked from ... | all asked for, arrived or not wanted ... |
 *                                ^ openCount
 * ```
 */
export class BegunPieces {
  readonly #maxBlocks: number;
  readonly #byPiece = new Map<number, BegunPiece>();
  readonly #list: BegunPiece[] = [];
  readonly #pool: BegunPiece[] = [];
  #openCount = 0;

  constructor(maxBlocks: number) {
    this.#maxBlocks = maxBlocks;
  }

  get count(): number {
    return this.#list.length;
  }

  get openCount(): number {
    return this.#openCount;
  }

  /** Blocks of them that may be asked for and are not. */
  get missing(): number {
    let blocks = 0;
    for (let i = 0; i < this.#openCount; i++) blocks += this.#list[i]!.missing;
    return blocks;
  }

  get(piece: number): BegunPiece | undefined {
    return this.#byPiece.get(piece);
  }

  /** By place in the list; below `openCount` are those with a block to ask for. */
  at(index: number): BegunPiece {
    return this.#list[index]!;
  }

  pieces(): IterableIterator<number> {
    return this.#byPiece.keys();
  }

  begin(piece: number, blockCount: number): BegunPiece {
    const begun = this.#pool.pop() ?? new BegunPiece(this.#maxBlocks);
    begun.begin(piece, blockCount);
    begun.listIndex = this.#list.length;
    this.#list.push(begun);
    this.#byPiece.set(piece, begun);
    this.setOpen(begun, true);
    return begun;
  }

  /** Forgets a piece; its object must not be used any more. */
  end(begun: BegunPiece): void {
    this.setOpen(begun, false);
    this.#swap(begun, this.#list.length - 1);
    this.#list.pop();
    this.#byPiece.delete(begun.piece);
    this.#pool.push(begun);
  }

  /** Moves a piece to the part of the list where it belongs. */
  setOpen(begun: BegunPiece, open: boolean): void {
    if (open === begun.listIndex < this.#openCount) return;
    if (open) this.#swap(begun, this.#openCount++);
    else this.#swap(begun, --this.#openCount);
  }

  #swap(begun: BegunPiece, index: number): void {
    const other = this.#list[index]!;
    this.#list[begun.listIndex] = other;
    other.listIndex = begun.listIndex;
    this.#list[index] = begun;
    begun.listIndex = index;
  }
}
