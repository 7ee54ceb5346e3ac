// What the decoder makes: dictionaries, and values that it checked without building them.

/** Integers are numbers where they are safe, else bigints. Byte strings are borrowed from the decoded input. */
export type BencodeValue = number | bigint | Uint8Array | readonly BencodeValue[] | BencodeDict | BencodeRaw;

/** Bytes that are bencoded already: they go out as they are, and come from the decoder where it was told to leave them. */
export class BencodeRaw {
  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }
}

/** Where lookup by a scan ends and an index pays. */
const SCAN_KEYS = 8;

/** Slots of a dictionary: key, value, where the value begins and ends in the input; and so on. */
export type Slot = string | BencodeValue;
export const STRIDE = 4;

/**
 * A decoded dictionary. Keys are raw bytes as latin1 text (one character a byte); iteration is in input order.
 * One array holds all: torrents of many files have a dictionary or two for each of them.
 */
export class BencodeDict implements Iterable<readonly [string, BencodeValue]> {
  readonly size: number;
  readonly #input: Uint8Array;
  readonly #slots: readonly Slot[];
  #index: Map<string, number> | undefined;

  /** Made by the decoder. */
  constructor(input: Uint8Array, slots: readonly Slot[]) {
    this.size = slots.length / STRIDE;
    this.#input = input;
    this.#slots = slots;
  }

  get(key: string): BencodeValue | undefined {
    const at = this.#find(key);
    return at < 0 ? undefined : (this.#slots[at + 1] as BencodeValue);
  }

  has(key: string): boolean {
    return this.#find(key) >= 0;
  }

  /** The exact bytes of a value, a view into the input: what an info hash is taken of. */
  rawSpan(key: string): Uint8Array | undefined {
    const at = this.#find(key);
    return at < 0 ? undefined : this.#input.subarray(this.#slots[at + 2] as number, this.#slots[at + 3] as number);
  }

  /** In input order. */
  *keys(): IterableIterator<string> {
    for (let at = 0; at < this.#slots.length; at += STRIDE) yield this.#slots[at] as string;
  }

  *[Symbol.iterator](): IterableIterator<readonly [string, BencodeValue]> {
    for (let at = 0; at < this.#slots.length; at += STRIDE) {
      yield [this.#slots[at] as string, this.#slots[at + 1] as BencodeValue];
    }
  }

  /** The slot of a key, or -1. */
  #find(key: string): number {
    if (this.size > SCAN_KEYS) {
      this.#index ??= new Map([...this.keys()].map((each, i) => [each, i * STRIDE]));
      return this.#index.get(key) ?? -1;
    }
    for (let at = 0; at < this.#slots.length; at += STRIDE) if (this.#slots[at] === key) return at;
    return -1;
  }
}
