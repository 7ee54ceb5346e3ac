// In which swarms a WebSocket connection is, and under which peer ids: what is left when it closes, and whose messages may
// be passed to it. Bytes, not objects: most connections have one or two, some hundreds.
//
//   info hash 20 | peer id 20  …

import { HASH_LENGTH } from '../../protocol/announce.ts';

const LENGTH: number = 2 * HASH_LENGTH;
/** Of one connection: more torrents than a client keeps open at once. They are looked through one by one. */
export const MAX_MEMBERSHIPS = 1024;
const NONE: Uint8Array = new Uint8Array(0);

export class WebMemberships {
  count = 0;
  /** Never less than a quarter full: who leaves gives back. */
  #bytes = NONE;

  get heldBytes(): number {
    return this.#bytes.length;
  }

  has(infoHash: Uint8Array, peerId: Uint8Array): boolean {
    return this.#find(infoHash, peerId) >= 0;
  }

  /** Adds one that is not there. There must be fewer than {@link MAX_MEMBERSHIPS}. */
  add(infoHash: Uint8Array, peerId: Uint8Array): void {
    if (this.#bytes.length === this.count * LENGTH) {
      const more = new Uint8Array(Math.max(LENGTH, 2 * this.#bytes.length));
      more.set(this.#bytes);
      this.#bytes = more;
    }
    this.#bytes.set(infoHash, this.count * LENGTH);
    this.#bytes.set(peerId, this.count * LENGTH + HASH_LENGTH);
    this.count++;
  }

  remove(infoHash: Uint8Array, peerId: Uint8Array): void {
    const found = this.#find(infoHash, peerId);
    if (found < 0) return;
    this.count--;
    this.#bytes.copyWithin(found * LENGTH, this.count * LENGTH, (this.count + 1) * LENGTH);
    this.#shrink();
  }

  /** Takes the last one out, to be left: calls with info hash and peer id, which are lent. False where there is none. */
  takeLast(leave: (infoHash: Uint8Array, peerId: Uint8Array) => void): boolean {
    if (this.count === 0) return false;
    const at = --this.count * LENGTH;
    leave(this.#bytes.subarray(at, at + HASH_LENGTH), this.#bytes.subarray(at + HASH_LENGTH, at + LENGTH));
    this.#shrink();
    return true;
  }

  #shrink(): void {
    if (this.count === 0) this.#bytes = NONE;
    else if (4 * this.count * LENGTH < this.#bytes.length) this.#bytes = this.#bytes.slice(0, this.#bytes.length / 2);
  }

  #find(infoHash: Uint8Array, peerId: Uint8Array): number {
    const bytes = this.#bytes;
    for (let i = this.count - 1; i >= 0; i--) {
      const at = i * LENGTH;
      let same = 0;
      while (same < HASH_LENGTH && bytes[at + same] === infoHash[same]) same++;
      if (same < HASH_LENGTH) continue;
      while (same < LENGTH && bytes[at + same] === peerId[same - HASH_LENGTH]) same++;
      if (same === LENGTH) return i;
    }
    return -1;
  }
}
