// What users' clients say of their uploads and downloads, noted during announces and handed on in batches: numbers in a
// row, no object per announce.

/** Numbers of a note: user, two halves of what names its client in one swarm, uploaded, downloaded, event, seconds. */
export const NOTE_NUMBERS = 7;
/** Notes of a batch: about five seconds of a busy private tracker. */
const BATCH_NOTES = 4096;

export class Ledger {
  readonly #send: (batch: Float64Array) => void;
  #batch = new Float64Array(NOTE_NUMBERS * BATCH_NOTES);
  #length = 0;

  /** `send` takes the batch over. */
  constructor(send: (batch: Float64Array) => void) {
    this.#send = send;
  }

  /** One announce. `infoHash` and `peerId` have 20 bytes, lent for the call; `event` is one of EVENT_*. */
  note(
    user: number,
    infoHash: Uint8Array,
    peerId: Uint8Array,
    uploaded: number,
    downloaded: number,
    event: number,
    nowS: number,
  ): void {
    let low = user;
    let high = ~user;
    for (let i = 0; i < 20; i++) {
      low = Math.imul(low ^ infoHash[i]!, 0x01000193) ^ peerId[i]!;
      high = Math.imul(high ^ peerId[i]!, 0x85ebca6b) ^ (infoHash[i]! << 7);
    }
    const batch = this.#batch;
    let at = this.#length;
    batch[at++] = user;
    batch[at++] = low >>> 0;
    batch[at++] = high >>> 0;
    batch[at++] = uploaded;
    batch[at++] = downloaded;
    batch[at++] = event;
    batch[at++] = nowS;
    this.#length = at;
    if (at === batch.length) this.flush();
  }

  /** Hands on what was noted. */
  flush(): void {
    if (this.#length === 0) return;
    const batch = this.#batch.slice(0, this.#length);
    this.#length = 0;
    this.#send(batch);
  }
}
