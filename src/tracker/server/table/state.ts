// Swarms as records, so that a tracker that is started again knows them: written and read part by part, so that no turn
// of the loop grows with the table. Lost, they cost one announce interval.
//
//   a part:   "SHTR" | version 4 | peer ids 4 | written at, seconds since 1970, 8 | pieces of swarms
//   a piece:  info hash 20 | completed 4 | family 2 | peers 2 | each: compact 6 or 18, role and age 2, peer id 20 or none
//                                                             or, of web peers: peer id 20, nothing 2, role and age 2

import { readU16, readU32, writeU16, writeU32 } from '../../../base/bytes.ts';
import { ShoalError } from '../../../base/errors.ts';
import { ageIn, ELSEWHERE, RUN_LOG2, roleIn, SEED, TIME_UNIT_S, timeOf } from './peer-runs.ts';
import { type Family, IPV4, IPV6, ROOT, WEB } from './swarm-records.ts';
import type { SwarmTable } from './swarm-table.ts';
import { SEGMENT_WORDS } from './table-memory.ts';

const MAGIC = 0x53485452;
const VERSION = 2;
const HEAD_LENGTH = 20;
const PIECE_HEAD_LENGTH = 28;
const ID_LENGTH = 20;
/** Some 8,000 IPv4 peers: to write or read them takes a few milliseconds. */
const PART_LENGTH = 64 * 1024;
/** A piece has the peers of a run at most. */
const LONGEST_PIECE: number = PIECE_HEAD_LENGTH + (18 + 2 + ID_LENGTH) * 2 ** RUN_LOG2;
/** Swarms and slots looked at for one part, if few are written. */
const MAX_LOOKED = 100_000;
const IN_SEGMENT: number = SEGMENT_WORDS - 1;

/**
 * Writes all that is in the table, of web peers those of this tracker's connections where they are asked for. Swarms that
 * change meanwhile may come as they were or as they are.
 */
export class StateWriter {
  readonly #table: SwarmTable;
  readonly #lastFamily: Family;
  readonly #bytes = new Uint8Array(PART_LENGTH + LONGEST_PIECE);
  readonly #numbers = new DataView(this.#bytes.buffer);
  #at = 0;
  #shard = 0;
  #swarm = 0;
  #family: Family = IPV4;
  #slot = 0;

  constructor(table: SwarmTable, hasWebPeers = false) {
    this.#table = table;
    this.#lastFamily = hasWebPeers ? WEB : IPV6;
  }

  /** The next part, which is the caller's; null when all was written, or where a shard cannot be entered. */
  next(nowS: number, wallS: number): Uint8Array | null {
    if (this.#shard >= this.#table.shardCount) return null;
    writeU32(this.#bytes, 0, MAGIC);
    writeU32(this.#bytes, 4, VERSION);
    writeU32(this.#bytes, 8, this.#table.keepsIds ? 1 : 0);
    writeU32(this.#bytes, 12, Math.floor(wallS / 2 ** 32));
    writeU32(this.#bytes, 16, wallS % 2 ** 32);
    this.#at = HEAD_LENGTH;
    for (let looked = 0; looked < MAX_LOOKED && this.#at < PART_LENGTH; ) {
      if (this.#shard >= this.#table.shardCount) break;
      // What a dead thread holds is emptied soon.
      if (this.#table.enterShard(this.#shard)) {
        looked += this.#some(nowS);
        this.#table.exit();
      } else this.#nextShard();
    }
    return this.#bytes.slice(0, this.#at);
  }

  /** Some swarms of the shard entered; returns what was looked at. */
  #some(nowS: number): number {
    const { records } = this.#table.shard;
    let looked = 0;
    while (looked < 2 ** (RUN_LOG2 + 2) && this.#at < PART_LENGTH) {
      if (this.#swarm >= records.end) {
        this.#nextShard();
        break;
      }
      looked++;
      if (records.isFree(this.#swarm)) this.#swarm++;
      else looked += this.#piece(nowS);
    }
    return looked;
  }

  #nextShard(): void {
    this.#shard++;
    this.#swarm = 0;
    this.#family = IPV4;
    this.#slot = 0;
  }

  /** One run of the current swarm; returns its slots. */
  #piece(nowS: number): number {
    const { shard } = this.#table;
    const slots = shard.slots(this.#swarm, this.#family);
    const count = this.#slot < slots ? this.#peers(nowS) : 0;
    if (count > 0 || (this.#family === IPV4 && this.#slot === 0 && this.#table.completed(this.#swarm) > 0)) {
      shard.records.readHash(this.#swarm, this.#bytes.subarray(this.#at, this.#at + 20));
      writeU32(this.#bytes, this.#at + 20, this.#table.completed(this.#swarm));
      writeU16(this.#bytes, this.#at + 24, this.#family);
      writeU16(this.#bytes, this.#at + 26, count);
      this.#at += PIECE_HEAD_LENGTH + count * peerLength(this.#family, this.#table.keepsIds);
    }
    this.#slot += 2 ** RUN_LOG2;
    if (this.#slot < slots) return 2 ** RUN_LOG2;
    this.#slot = 0;
    if (this.#family === this.#lastFamily) {
      this.#swarm++;
      this.#family = IPV4;
    } else this.#family++;
    return slots;
  }

  /** Writes the peers of a run behind the place of a piece's head; returns how many. */
  #peers(nowS: number): number {
    const { records, sets } = this.#table.shard;
    const shape = records.shape(this.#swarm, this.#family);
    const set = sets[this.#family];
    const run = set.runAt(records.get(this.#swarm, ROOT + this.#family), shape, this.#slot);
    if (run === 0) return 0;
    const { runs } = set;
    const memory = this.#table.memory.view(run);
    let to = this.#at + PIECE_HEAD_LENGTH;
    let count = 0;
    for (let slot = 0; slot < 1 << set.runLog2(shape); slot++) {
      const from = (run & IN_SEGMENT) + slot * runs.words;
      const tail = memory[from + runs.tail]!;
      if (tail === 0) continue;
      if (this.#family === WEB && runs.threadOf(run, slot) === ELSEWHERE) continue;
      runs.write(memory, from, this.#numbers, to);
      writeU16(this.#bytes, to + runs.keyLength + 2, roleIn(tail) | (ageIn(tail, timeOf(nowS)) / TIME_UNIT_S));
      if (runs.keepsIds) runs.writeExtra(memory, from, this.#bytes, to + runs.keyLength + 4);
      to += peerLength(this.#family, runs.keepsIds);
      count++;
    }
    return count;
  }
}

/** Goes over the pieces of a part; what the last `next` found is in its fields. */
export class PieceReader {
  /** Lent, like the peers. */
  infoHash: Uint8Array = new Uint8Array(0);
  completed = 0;
  family: Family = IPV4;
  /** One after the other, each of `peerLength` bytes; see {@link PieceReader.readPeer}. */
  peers: Uint8Array = new Uint8Array(0);
  peerLength = 0;
  /** When the part was written, in seconds since 1970. */
  readonly writtenS: number;
  /** Of the peer read last; of a web peer its peer id is the ip. */
  ip: Uint8Array = new Uint8Array(0);
  port = 0;
  role = 0;
  ageS = 0;
  id: Uint8Array | undefined;
  readonly #bytes: Uint8Array;
  readonly #hasIds: boolean;
  #at = HEAD_LENGTH;

  /** Throws STATE_VERSION for a part of another version and STATE_INVALID for what is none. */
  constructor(bytes: Uint8Array) {
    if (bytes.length < HEAD_LENGTH || readU32(bytes, 0) !== MAGIC) throw brokenState();
    if (readU32(bytes, 4) !== VERSION) {
      throw new ShoalError('STATE_VERSION', `the tracker's state has version ${readU32(bytes, 4)}, not ${VERSION}`);
    }
    this.#bytes = bytes;
    this.#hasIds = readU32(bytes, 8) === 1;
    this.writtenS = readU32(bytes, 12) * 2 ** 32 + readU32(bytes, 16);
  }

  /** False at the end. Throws STATE_INVALID where the part is broken off. */
  next(): boolean {
    const bytes = this.#bytes;
    const at = this.#at;
    if (at >= bytes.length) return false;
    if (bytes.length - at < PIECE_HEAD_LENGTH) throw brokenState();
    this.infoHash = bytes.subarray(at, at + 20);
    this.completed = readU32(bytes, at + 20);
    this.family = readU16(bytes, at + 24) as Family;
    if (this.family > WEB) throw brokenState();
    this.peerLength = peerLength(this.family, this.#hasIds);
    const end = at + PIECE_HEAD_LENGTH + readU16(bytes, at + 26) * this.peerLength;
    if (end > bytes.length) throw brokenState();
    this.peers = bytes.subarray(at + PIECE_HEAD_LENGTH, end);
    this.#at = end;
    return true;
  }

  /** Reads the peer at `at` of `peers`; false where it is none. */
  readPeer(at: number): boolean {
    const { peers } = this;
    const hasId = this.#hasIds && this.family !== WEB;
    const portAt = at + this.peerLength - (hasId ? ID_LENGTH : 0) - 4;
    const word = readU16(peers, portAt + 2);
    this.ip = peers.subarray(at, portAt);
    this.port = readU16(peers, portAt);
    this.role = roleIn(word);
    this.ageS = ageIn(0, word);
    this.id = hasId ? peers.subarray(portAt + 4, portAt + 4 + ID_LENGTH) : undefined;
    return this.port !== 0 && this.role <= SEED;
  }
}

/**
 * Puts the peers of a part into the table, but for those that are older than `maxAgeS` by now. Throws as
 * {@link PieceReader}; what came before a break is kept.
 */
export function restorePart(bytes: Uint8Array, table: SwarmTable, nowS: number, wallS: number, maxAgeS: number): void {
  const reader = new PieceReader(bytes);
  const awayS = Math.max(0, wallS - reader.writtenS);
  while (reader.next()) {
    const { infoHash, completed, peers } = reader;
    if (completed > 0) table.restore(infoHash, () => completed, nowS);
    table.exit();
    // Their connections are gone.
    if (reader.family === WEB) continue;
    for (let at = 0; at < peers.length; at += reader.peerLength) {
      if (!reader.readPeer(at) || reader.ageS + awayS >= maxAgeS) continue;
      const heardS = nowS - reader.ageS - awayS;
      table.announce(infoHash, reader.ip, reader.port, reader.role, false, heardS, reader.id);
      table.exit();
    }
  }
}

function peerLength(family: Family, hasIds: boolean): number {
  if (family === WEB) return ID_LENGTH + 4;
  return (family === IPV4 ? 8 : 20) + (hasIds ? ID_LENGTH : 0);
}

export function brokenState(): ShoalError {
  return new ShoalError('STATE_INVALID', "the tracker's state is broken; it begins with what can be read of it");
}
