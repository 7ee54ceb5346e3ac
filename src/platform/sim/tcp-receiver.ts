// The receiving half of a simulated TCP stream: turns at the host's downlink, the buffer, chunks for the program.

import type { Flow } from './link.ts';
import type { SeededRandom } from './random.ts';
import type { Packet } from './tcp-sender.ts';

/** What the receiver needs of its stream. */
export interface ReceiverSide {
  /** `chunk` is borrowed for the call. False: read no further. */
  chunk(chunk: Uint8Array): boolean;
  /** All was read, and the remote has finished. */
  ended(): void;
  reset(): void;
  /** Bytes were taken out of the buffer: the remote may send as many more. */
  acknowledge(bytes: number): void;
  /** Calls `read` again, later. */
  readLater(): void;
  /** Bytes for somebody who is gone. */
  isGone(): boolean;
  refuse(): void;
}

// A chunk that was borrowed is overwritten with this: who keeps it reads rubbish, and a test sees it.
const POISON = 0xdd;

export class TcpReceiver implements Flow {
  isQueued = false;
  isPaused = false;
  readonly #side: ReceiverSide;
  readonly #acknowledgeBytes: number;
  /** For splitting chunks; null: as they come. */
  readonly #random: SeededRandom | null;
  #arrived: Packet[] = [];
  #arrivedHead = 0;
  #buffer: Uint8Array[] = [];
  #bufferHead = 0;
  #takenBytes = 0;
  #isFinished = false;
  #isReading = false;

  constructor(side: ReceiverSide, windowBytes: number, random: SeededRandom | null) {
    this.#side = side;
    // A window update an eighth of a window: few events, and nearly the whole window stays in use.
    this.#acknowledgeBytes = windowBytes / 8;
    this.#random = random;
  }

  /** Whether there are bytes that the program has not been given. */
  get hasUnread(): boolean {
    return this.#bufferHead < this.#buffer.length;
  }

  /** A packet has come as far as the host's downlink. */
  arrive(packet: Packet): void {
    this.#arrived.push(packet);
  }

  begin(): number {
    const packet = this.#arrived[this.#arrivedHead];
    if (packet === undefined) return -1;
    return typeof packet === 'string' ? 0 : packet.length;
  }

  finish(): void {
    const packet = this.#arrived[this.#arrivedHead++]!;
    if (this.#arrivedHead === this.#arrived.length) {
      this.#arrived = [];
      this.#arrivedHead = 0;
    }
    if (this.#side.isGone()) {
      if (typeof packet !== 'string') this.#side.refuse();
      return;
    }
    if (packet === 'reset') {
      this.#side.reset();
      return;
    }
    if (packet === 'fin') this.#isFinished = true;
    else this.#buffer.push(packet);
    if (!this.#isReading) this.read();
  }

  resume(): void {
    if (!this.isPaused) return;
    this.isPaused = false;
    this.#continueLater();
  }

  /** Gives chunks to the program until there are none, it pauses, or chance says that the rest has not come yet. */
  read(): void {
    this.#isReading = false;
    while (!this.isPaused && this.#bufferHead < this.#buffer.length) {
      if (!this.#readChunk()) return;
      if (this.hasUnread && this.#random?.below(8) === 0) {
        this.#continueLater();
        return;
      }
    }
    if (this.isPaused || !this.#isFinished) return;
    this.#isFinished = false;
    this.#side.ended();
  }

  #continueLater(): void {
    if (this.#isReading) return;
    this.#isReading = true;
    this.#side.readLater();
  }

  #readChunk(): boolean {
    const first = this.#buffer[this.#bufferHead]!;
    const length = this.#random === null ? first.length : chunkLength(first.length, this.#random);
    const chunk = length === first.length ? first : first.subarray(0, length);
    if (length < first.length) this.#buffer[this.#bufferHead] = first.subarray(length);
    else if (++this.#bufferHead === this.#buffer.length) {
      this.#buffer = [];
      this.#bufferHead = 0;
    }
    this.#takenBytes += length;
    if (this.#takenBytes >= this.#acknowledgeBytes) {
      this.#side.acknowledge(this.#takenBytes);
      this.#takenBytes = 0;
    }
    const goOn = this.#side.chunk(chunk);
    chunk.fill(POISON);
    return goOn;
  }
}

/** Half of the chunks whole, the others cut anywhere, often near the beginning, where headers are. */
function chunkLength(available: number, random: SeededRandom): number {
  const choice = random.below(8);
  if (choice < 4) return available;
  return 1 + random.below(choice < 6 ? Math.min(available, 24) : available);
}
