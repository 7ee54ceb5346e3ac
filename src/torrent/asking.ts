// Asking peers for blocks: how many, which, and what becomes of requests that are not answered.

import { isSnubbed } from '../choker/snub.ts';
import { BLOCK_BYTES, type Geometry } from '../metainfo/geometry.ts';
import type { Peer } from '../peer/peer.ts';
import { blockAt } from '../peer/requests.ts';
import type { Picker } from '../picker/picker.ts';
import type { Limits } from '../rates/limits.ts';
import type { Slots } from './slots.ts';

/** Blocks picked by one call. */
const PICK_BATCH = 256;
/** What a remote takes that did not say how many requests may wait (BEP 10, `reqq`): the least that clients allow. */
const UNSAID_QUEUE = 250;

export interface AskingDeps {
  readonly geometry: Geometry;
  readonly picker: Picker;
  readonly slots: Slots;
  readonly limits: Limits;
  peer(number: number): Peer | null;
  /** Whether a peer is much slower than the others. */
  isSlow(peer: Peer): boolean;
  /** How long it takes to ask for all that is still to be asked for, at the rate of all peers. */
  leftMs(): number;
  /** Something changed that may let requests be made. */
  onRoom(): void;
  /** A piece was begun that will be written when it is whole. */
  onBegin(): void;
}

export class Asking {
  readonly #deps: AskingDeps;
  readonly #picked: Int32Array = new Int32Array(2 * PICK_BATCH);
  /** Bytes asked for by the last `#pickFor`. */
  #askedBytes = 0;

  constructor(deps: AskingDeps) {
    this.#deps = deps;
  }

  /** Fills a peer's pipeline. The requests go into its outbox. */
  ask(peer: Peer, nowMs: number): void {
    if (peer.isChoking || peer.have === null || peer.closed) return;
    for (let room = this.#roomOf(peer); room > 0; ) {
      const granted = this.#deps.limits.takeBlocks(room, nowMs);
      if (granted === 0) break;
      this.#askedBytes = 0;
      const asked = this.#pickFor(peer, granted);
      this.#deps.limits.giveBack(granted * BLOCK_BYTES - this.#askedBytes);
      if (asked === 0) break;
      if (peer.requests.count === asked) peer.lastBlockMs = nowMs;
      peer.pipeline.onRequest(asked, nowMs);
      room -= asked;
    }
  }

  #roomOf(peer: Peer): number {
    peer.pipeline.setLimit(peer.extensions.requestQueue ?? UNSAID_QUEUE);
    const target = peer.snubbed ? 1 : peer.pipeline.targetFor(this.#deps.leftMs());
    const room = target - peer.requests.count;
    // Asking in runs keeps the remote's reads and our writes large; a queue that is nearly empty is filled at once.
    return room * 4 >= target ? Math.min(room, PICK_BATCH) : 0;
  }

  #pickFor(peer: Peer, room: number): number {
    const { picker, geometry, slots } = this.#deps;
    const slow = peer.snubbed || this.#deps.isSlow(peer);
    const wish = { number: peer.number, have: peer.have!, parole: peer.parole, slow, suggested: peer.suggested };
    // Memory is taken ahead only where it can be of use: other torrents want it too.
    const mayBegin = picker.wantedLeft > slots.count && slots.hasRoom();
    const count = picker.pick(wish, room, mayBegin ? 1 : 0, this.#picked);
    let asked = 0;
    for (let i = 0; i < count; i++) {
      const piece = this.#picked[2 * i]!;
      const block = this.#picked[2 * i + 1]!;
      if (!slots.get(piece)) {
        if (!slots.begin(piece)) {
          picker.dropPiece(piece);
          continue;
        }
        this.#deps.onBegin();
      }
      const lengthBytes = geometry.blockBytes(piece, block);
      peer.sendRequest(piece, block, block * BLOCK_BYTES, lengthBytes);
      this.#askedBytes += lengthBytes;
      asked++;
    }
    return asked;
  }

  /** Another peer has brought a block that this one was asked for too. */
  cancel(number: number, deliverer: Peer, piece: number, block: number): void {
    const other = number === deliverer.number ? null : this.#deps.peer(number);
    if (!other?.requests.has(piece, block)) return;
    other.sendCancel(piece, block * BLOCK_BYTES, this.#deps.geometry.blockBytes(piece, block));
    this.#deps.picker.requestLost(piece, block, number);
    // With BEP 6 an answer, block or refusal, still comes and takes the request out; else it is out now.
    if (other.fast) return;
    other.requests.remove(piece, block);
    other.pipeline.onLost(1);
  }

  onRejected(peer: Peer, piece: number, begin: number): void {
    const block = blockAt(begin);
    if (peer.credit > 0) peer.credit--;
    if (block < 0 || !peer.requests.remove(piece, block)) return;
    peer.pipeline.onLost(1);
    this.#deps.picker.requestLost(piece, block, peer.number);
  }

  /** It chokes us or has gone: what was asked is free for others. A block that comes all the same is still taken. */
  forget(peer: Peer): void {
    peer.requests.clear();
    peer.pipeline.reset();
    this.#deps.picker.peerGone(peer.number);
  }

  /**
   * Once a second: a peer that owes blocks and sends none is snubbed, and what it owes is asked of others. It is asked
   * for one block again and again: it may be the only one, and have forgotten what it was asked for.
   */
  checkSnubbed(peer: Peer, nowMs: number): void {
    const waitingSinceMs = peer.requests.count > 0 ? peer.lastBlockMs : null;
    if (!isSnubbed(waitingSinceMs, peer.lastBlockBytesMs, nowMs)) return;
    peer.snubbed = true;
    peer.dropBlock();
    peer.requests.forEach((piece, block) => {
      this.#deps.picker.requestLost(piece, block, peer.number);
    });
    peer.requests.clear();
    peer.pipeline.reset();
    this.#deps.onRoom();
  }
}
