// Who else fetches the same: among equally rare pieces every leech has an order of its own, in which the others' come last.
//
// Leeches that choose among the rarest pieces at random ask one seed for the same piece at the same time, and the seed sends
// it twice. All leeches that know each other's peer ids can tell, without a word, whose piece a piece is: his whose id,
// mixed with the piece's index, gives the highest number.

/** More are not compared with: among so many the piece that is nobody's before ours is as good as found. */
const MAX_RIVALS = 64;

/** The object is read during the call only. */
export interface Rival {
  /** A small whole number, its own while it is connected. */
  readonly number: number;
  /** 20 bytes. */
  readonly peerId: Uint8Array;
  readonly isSeed: boolean;
}

export class Rivals {
  #mine = 0;
  /** Tags of the first {@link MAX_RIVALS} rivals, in no order. */
  readonly #tags: Uint32Array = new Uint32Array(MAX_RIVALS);
  /** Whose tag is at the place. */
  readonly #numbers: Int32Array = new Int32Array(MAX_RIVALS);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** Our own peer id, as all peers of the torrent have it from us. */
  setOwn(peerId: Uint8Array): void {
    this.#mine = tagOf(peerId);
  }

  /** A connected peer: whether it lacks pieces may have changed. */
  note({ number, peerId, isSeed }: Rival): void {
    if (isSeed) this.leave(number);
    else if (this.#count < MAX_RIVALS && this.#placeOf(number) < 0) {
      this.#tags[this.#count] = tagOf(peerId);
      this.#numbers[this.#count++] = number;
    }
  }

  /** A peer has gone; one that is not noted changes nothing. */
  leave(number: number): void {
    const place = this.#placeOf(number);
    if (place < 0) return;
    this.#count--;
    this.#tags[place] = this.#tags[this.#count]!;
    this.#numbers[place] = this.#numbers[this.#count]!;
  }

  /** How many rivals have more of a claim to the piece than we have. */
  ahead(piece: number): number {
    const ours = claim(this.#mine, piece);
    let ahead = 0;
    for (let i = 0; i < this.#count; i++) if (claim(this.#tags[i]!, piece) > ours) ahead++;
    return ahead;
  }

  #placeOf(number: number): number {
    for (let i = 0; i < this.#count; i++) if (this.#numbers[i] === number) return i;
    return -1;
  }
}

/** The last four bytes: the first name the program. */
function tagOf(peerId: Uint8Array): number {
  const at = peerId.length - 4;
  return (peerId[at]! << 24) | (peerId[at + 1]! << 16) | (peerId[at + 2]! << 8) | peerId[at + 3]!;
}

/** A number that is as good as random for every pair (the finisher of MurmurHash3). */
function claim(tag: number, piece: number): number {
  let mixed = tag ^ Math.imul(piece + 1, 0x9e3779b1);
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
