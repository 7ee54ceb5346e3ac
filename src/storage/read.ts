// Serving: pieces read ahead into memory that is ready for the wire, and lent to many sockets at once.
//
//   unit     |13|--block 0--|13|--block 1--|13|--block 2--| ...
//             ^ length, id, piece, begin of the piece message that the block is the end of
//
// The header of a block is the same for every peer, so it is written once, when the unit is loaded. A run of blocks
// that a peer asked for in order is one range of these bytes: nothing is copied or joined to send it.

import { assert } from '../base/assert.ts';
import { EMPTY } from '../base/bytes.ts';
import { BLOCK_BYTES, type Geometry } from '../metainfo/geometry.ts';
import type { Content } from '../ports/piece-io.ts';
import { PIECE_HEADER_BYTES, putPieceHeader } from '../wire/encoder.ts';
import type { Layout } from './layout.ts';
import { UnitMemory } from './unit-memory.ts';

const MESSAGE_BYTES: number = PIECE_HEADER_BYTES + BLOCK_BYTES;

/** Blocks in a unit, 1 MiB: few enough reads to keep the main thread free, and little lost where a peer wants one block. */
const UNIT_BLOCKS = 64;

/** Blocks of one piece in memory, each behind the header of its piece message. */
export interface ReadyUnit {
  /** Must not be changed; stays valid until the last `release`. */
  readonly bytes: Uint8Array;
  readonly piece: number;
  readonly firstBlock: number;
  readonly blockCount: number;
  /** One more user. */
  retain(): void;
  /** One user less. Bound: may be handed over as a callback. */
  readonly release: () => void;
}

/** Where the message with `block` begins in the bytes of its unit. */
export function messageStart(unit: ReadyUnit, block: number): number {
  return (block - unit.firstBlock) * MESSAGE_BYTES;
}

/** Where the message with `block` ends: the last block of a piece may be short. */
export function messageEnd(unit: ReadyUnit, block: number): number {
  return Math.min(messageStart(unit, block + 1), unit.bytes.length);
}

export interface ReaderSource {
  readonly content: Content;
  readonly layout: Layout;
  readonly geometry: Geometry;
  /** A piece cannot be read: FILE_CHANGED where a file is missing or short. Called before those who wait are. */
  onFault(piece: number, error: unknown): void;
}

/**
 * The memory for serving all torrents of a session. Units nobody uses stay as a cache and go, the least recently used
 * first, when their room is needed. While users hold the whole budget, single blocks are read instead, and dropped
 * after use: slow peers can make others slower, but never stop them.
 */
export class PieceReader {
  readonly #memory: UnitMemory;
  /** Loaded and unused, the least recently used first. */
  readonly #idle: Set<Unit> = new Set();

  constructor(budgetBytes: number) {
    this.#memory = new UnitMemory(budgetBytes, MESSAGE_BYTES);
  }

  /** Bytes in memory now: in use, being read, or cached. */
  get usedBytes(): number {
    return this.#memory.lentBytes;
  }

  /** Begins serving one torrent. Close the reader before the content. */
  open(source: ReaderSource): ContentReader {
    return new ContentReader(source, this.#memory, this.#idle);
  }
}

/** Serves one torrent. */
export class ContentReader {
  readonly #source: ReaderSource;
  readonly #memory: UnitMemory;
  readonly #idle: Set<Unit>;
  readonly #unitsPerPiece: number;
  /** By piece and place in it. */
  readonly #units: Map<number, Unit> = new Map();
  /** Units of one block, read while the budget is used up: by piece and block. */
  readonly #single: Map<number, Unit> = new Map();
  #loading = 0;
  #isClosed = false;
  #onLoadsDone: (() => void) | null = null;

  constructor(source: ReaderSource, memory: UnitMemory, idle: Set<Unit>) {
    this.#source = source;
    this.#memory = memory;
    this.#idle = idle;
    this.#unitsPerPiece = Math.ceil(source.geometry.pieceLengthBytes / (UNIT_BLOCKS * BLOCK_BYTES));
  }

  /** Whether a request is for exactly one block: what units hold. Others go through {@link readRange}. */
  isBlock(piece: number, begin: number, lengthBytes: number): boolean {
    return (
      begin % BLOCK_BYTES === 0 &&
      lengthBytes > 0 &&
      lengthBytes === this.#source.geometry.blockBytes(piece, begin / BLOCK_BYTES)
    );
  }

  /**
   * The unit with a block of a verified piece, retained for the caller, where it is in memory. Else null, reading
   * begins, and `onReady` is called once when it is worth asking again (also after a fault). The same function given
   * twice for one unit is called once; it is not called after `close`.
   */
  get(piece: number, block: number, onReady: () => void): ReadyUnit | null {
    if (this.#isClosed) return null;
    const unit = this.#find(piece, block) ?? this.#load(piece, block) ?? this.#loadSingle(piece, block);
    if (unit.isLoaded) {
      unit.retain();
      return unit;
    }
    unit.waiting.add(onReady);
    return null;
  }

  /** Begins reading the unit with a block that will be asked for soon, where there is room. */
  prefetch(piece: number, block: number): void {
    if (!this.#isClosed && !this.#find(piece, block)) this.#load(piece, block);
  }

  /** Any bytes of a verified piece, padding as zeros, in memory of their own. Rejects as `Content.read` does. */
  async readRange(piece: number, begin: number, lengthBytes: number): Promise<Uint8Array> {
    const { content, layout, geometry } = this.#source;
    assert(begin >= 0 && begin + lengthBytes <= geometry.fullBytes(piece), 'range in piece');
    const bytes = new Uint8Array(lengthBytes);
    this.#loading++;
    try {
      await content.read(layout.rangeSpans(piece, begin, lengthBytes), bytes);
    } catch (error) {
      if (!this.#isClosed) this.#source.onFault(piece, error);
      throw error;
    } finally {
      this.#loadEnded();
    }
    return bytes;
  }

  /** Forgets what is in memory of a piece that was lost. Units in use stay valid for their users. */
  forget(piece: number): void {
    for (const unit of [...this.#units.values(), ...this.#single.values()]) if (unit.piece === piece) this.#drop(unit);
  }

  /** Resolves when nothing is being read any more. Units in use stay valid until they are released. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const unit of [...this.#units.values(), ...this.#single.values()]) this.#drop(unit);
    if (this.#loading > 0) await new Promise<void>((resolve) => (this.#onLoadsDone = resolve));
  }

  #find(piece: number, block: number): Unit | undefined {
    const unit = this.#units.get(piece * this.#unitsPerPiece + Math.floor(block / UNIT_BLOCKS));
    return unit ?? (this.#single.size === 0 ? undefined : this.#single.get(this.#singleKey(piece, block)));
  }

  #singleKey(piece: number, block: number): number {
    return piece * this.#unitsPerPiece * UNIT_BLOCKS + block;
  }

  #load(piece: number, block: number): Unit | null {
    const firstBlock = block - (block % UNIT_BLOCKS);
    const blocksLeft = Math.ceil(this.#source.geometry.pieceBytes(piece) / BLOCK_BYTES) - firstBlock;
    const blockCount = Math.min(UNIT_BLOCKS, blocksLeft);
    assert(block >= 0 && block < firstBlock + blockCount, 'block in piece');
    const memory = this.#takeMemory(blockCount);
    if (memory === null) return null;
    const key = piece * this.#unitsPerPiece + firstBlock / UNIT_BLOCKS;
    return this.#begin(new Unit(this.#units, key, piece, firstBlock, blockCount, memory, this.#onUnused));
  }

  #loadSingle(piece: number, block: number): Unit {
    const memory = this.#takeMemory(1) ?? this.#memory.takeByForce(1);
    const key = this.#singleKey(piece, block);
    return this.#begin(new Unit(this.#single, key, piece, block, 1, memory, this.#onUnused));
  }

  /** Makes room by dropping cached units, of this torrent and others. */
  #takeMemory(blockCount: number): Uint8Array | null {
    let memory = this.#memory.take(blockCount);
    for (const unit of this.#idle) {
      if (memory !== null) break;
      this.#drop(unit);
      memory = this.#memory.take(blockCount);
    }
    return memory;
  }

  #begin(unit: Unit): Unit {
    unit.home.set(unit.key, unit);
    this.#loading++;
    this.#read(unit).then(
      () => this.#ended(unit, true),
      (error: unknown) => {
        if (!unit.isDropped) this.#source.onFault(unit.piece, error);
        this.#ended(unit, false);
      },
    );
    return unit;
  }

  async #read(unit: Unit): Promise<void> {
    const { content, layout, geometry } = this.#source;
    const { piece, firstBlock, blockCount } = unit;
    const begin = firstBlock * BLOCK_BYTES;
    const lengthBytes = Math.min(blockCount * BLOCK_BYTES, geometry.pieceBytes(piece) - begin);
    const bytes = unit.memory.subarray(0, lengthBytes + blockCount * PIECE_HEADER_BYTES);
    await content.read(layout.gappedSpans(piece, begin, lengthBytes, PIECE_HEADER_BYTES), bytes);
    for (let block = firstBlock; block < firstBlock + blockCount; block++) {
      const at = (block - firstBlock) * MESSAGE_BYTES;
      putPieceHeader(bytes, at, piece, block * BLOCK_BYTES, geometry.blockBytes(piece, block));
    }
    unit.bytes = bytes;
  }

  #ended(unit: Unit, isGood: boolean): void {
    unit.isReading = false;
    unit.isLoaded = isGood;
    const { waiting } = unit;
    unit.waiting = new Set();
    if (isGood && !unit.isDropped) this.#idle.add(unit);
    else this.#drop(unit);
    if (!this.#isClosed) for (const onReady of waiting) onReady();
    this.#loadEnded();
  }

  #loadEnded(): void {
    if (--this.#loading === 0) this.#onLoadsDone?.();
  }

  /** The first user has come (`isUsed`), or the last one has gone. */
  readonly #onUnused = (unit: Unit, isUsed: boolean): void => {
    if (isUsed) this.#idle.delete(unit);
    else if (unit.isDropped || unit.home === this.#single) this.#drop(unit);
    else this.#idle.add(unit);
  };

  /** Nobody finds the unit any more; its memory comes back when nobody uses or fills it. */
  #drop(unit: Unit): void {
    unit.isDropped = true;
    this.#idle.delete(unit);
    if (unit.home.get(unit.key) === unit) unit.home.delete(unit.key);
    if (unit.users > 0 || unit.isReading || unit.memory === EMPTY) return;
    this.#memory.give(unit.memory);
    unit.memory = EMPTY;
    unit.bytes = EMPTY;
  }
}

/** A {@link ReadyUnit}, or what is going to be one. */
class Unit implements ReadyUnit {
  readonly home: Map<number, Unit>;
  readonly key: number;
  readonly piece: number;
  readonly firstBlock: number;
  readonly blockCount: number;
  readonly #onUse: (unit: Unit, isUsed: boolean) => void;
  memory: Uint8Array;
  bytes: Uint8Array = EMPTY;
  users = 0;
  isReading = true;
  isLoaded = false;
  isDropped = false;
  /** Whom to call when it is loaded. */
  waiting: Set<() => void> = new Set();

  constructor(
    home: Map<number, Unit>,
    key: number,
    piece: number,
    firstBlock: number,
    blockCount: number,
    memory: Uint8Array,
    onUse: (unit: Unit, isUsed: boolean) => void,
  ) {
    this.home = home;
    this.key = key;
    this.piece = piece;
    this.firstBlock = firstBlock;
    this.blockCount = blockCount;
    this.memory = memory;
    this.#onUse = onUse;
  }

  retain(): void {
    if (this.users++ === 0) this.#onUse(this, true);
  }

  readonly release = (): void => {
    assert(this.users > 0, 'a unit is released as often as it was retained');
    if (--this.users === 0) this.#onUse(this, false);
  };
}
