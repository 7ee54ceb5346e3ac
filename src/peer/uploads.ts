// What one remote has asked of us and not yet got, in the order it asked.

/** Requests that a remote may have waiting: what we tell it as `reqq` (BEP 10). 2,000 blocks are 32 MiB on the way. */
export const MAX_WAITING_REQUESTS = 2000;

/** The request at the head of the queue: a reused record, valid until the queue changes. */
export interface Upload {
  piece: number;
  begin: number;
  length: number;
}

/** A ring of (piece, begin, length) that grows up to {@link MAX_WAITING_REQUESTS}. */
export class Uploads {
  /** Three numbers a request. */
  #ring: Uint32Array = new Uint32Array(3 * 16);
  #size = 16;
  #head = 0;
  #count = 0;
  readonly #first: Upload = { piece: 0, begin: 0, length: 0 };

  get count(): number {
    return this.#count;
  }

  /** False where the queue is full: the request is refused. */
  add(piece: number, begin: number, length: number): boolean {
    if (this.#count >= MAX_WAITING_REQUESTS) return false;
    if (this.#count === this.#size) this.#grow();
    const at = ((this.#head + this.#count++) % this.#size) * 3;
    this.#ring[at] = piece;
    this.#ring[at + 1] = begin;
    this.#ring[at + 2] = length;
    return true;
  }

  /** The request `ahead` places behind the head, or null. */
  peek(ahead = 0): Upload | null {
    if (ahead >= this.#count) return null;
    const at = ((this.#head + ahead) % this.#size) * 3;
    this.#first.piece = this.#ring[at]!;
    this.#first.begin = this.#ring[at + 1]!;
    this.#first.length = this.#ring[at + 2]!;
    return this.#first;
  }

  /** Takes `count` requests off the head. */
  shift(count = 1): void {
    this.#head = (this.#head + count) % this.#size;
    this.#count -= count;
  }

  /** Brings the request `ahead` places behind the head to the head; the others keep their order. */
  promote(ahead: number): void {
    if (ahead === 0) return;
    const { piece, begin, length } = this.peek(ahead)!;
    for (let i = ahead; i > 0; i--) this.#copy(i - 1, i);
    this.#ring.set([piece, begin, length], this.#head * 3);
  }

  /** Takes one request out wherever it stands; false where there is none such. */
  remove(piece: number, begin: number, length: number): boolean {
    const ring = this.#ring;
    for (let i = 0; i < this.#count; i++) {
      const at = ((this.#head + i) % this.#size) * 3;
      if (ring[at] !== piece || ring[at + 1] !== begin || ring[at + 2] !== length) continue;
      this.promote(i);
      this.shift();
      return true;
    }
    return false;
  }

  clear(): void {
    this.#head = this.#count = 0;
  }

  #copy(from: number, to: number): void {
    const ring = this.#ring;
    const source = ((this.#head + from) % this.#size) * 3;
    const target = ((this.#head + to) % this.#size) * 3;
    ring[target] = ring[source]!;
    ring[target + 1] = ring[source + 1]!;
    ring[target + 2] = ring[source + 2]!;
  }

  #grow(): void {
    const ring = new Uint32Array(this.#size * 6);
    for (let i = 0; i < this.#count; i++) {
      const { piece, begin, length } = this.peek(i)!;
      ring.set([piece, begin, length], i * 3);
    }
    [this.#ring, this.#head, this.#size] = [ring, 0, this.#size * 2];
  }
}
