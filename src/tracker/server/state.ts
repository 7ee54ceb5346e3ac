// Swarms as one record, so that a tracker that is started again knows them. Lost, it costs one announce interval.
//
//   "SHTR" | version 4 | written at, seconds since 1970, 8
//   a swarm: info hash 20 | completed 4 | IPv4 peers 4 | IPv6 peers 4 | peers, IPv4 first
//   a peer:  compact 6 or 18 | role 2 | age in seconds 4

import { readU16, readU32, writeU16, writeU32 } from '../../base/bytes.ts';
import { ShoalError } from '../../base/errors.ts';
import { LEECH, PARTIAL_SEED, SEED } from './peer-runs.ts';
import type { SwarmTable } from './swarm-table.ts';

const MAGIC = 0x53485452;
const VERSION = 1;
const HEAD_LENGTH = 16;
const SWARM_LENGTH = 32;
const IP_LENGTHS = [4, 16] as const;
/** Role and age, and the port. */
const PEER_REST = 8;

/** The record of all that is in the table. */
export function encodeState(table: SwarmTable, nowS: number, wallS: number): Uint8Array {
  const writer = new StateWriter();
  writer.u32(MAGIC);
  writer.u32(VERSION);
  writer.u32(Math.floor(wallS / 2 ** 32));
  writer.u32(wallS % 2 ** 32);
  table.forEachSwarm((swarm, infoHash) => {
    writer.put(infoHash);
    writer.u32(table.completed(swarm));
    const countsAt = writer.at;
    writer.u32(0);
    writer.u32(0);
    for (const [i, ipLength] of IP_LENGTHS.entries()) {
      let count = 0;
      table.forEachPeer(swarm, ipLength === 4 ? 4 : 6, nowS, (compact, role, ageS) => {
        writer.put(compact);
        writer.u16(role);
        writer.u32(ageS);
        count++;
      });
      writeU32(writer.bytes, countsAt + 4 * i, count);
    }
  });
  return writer.bytes.slice(0, writer.at);
}

/**
 * Puts the peers of a record into the table, but for those that are older than `maxAgeS` by now. Throws STATE_VERSION for
 * a record of another version and STATE_INVALID for a broken one; what came before the break is kept.
 */
export function restoreState(bytes: Uint8Array, table: SwarmTable, nowS: number, wallS: number, maxAgeS: number): void {
  if (bytes.length < HEAD_LENGTH || readU32(bytes, 0) !== MAGIC) throw broken();
  if (readU32(bytes, 4) !== VERSION) {
    throw new ShoalError('STATE_VERSION', `the tracker's state has version ${readU32(bytes, 4)}, not ${VERSION}`);
  }
  const awayS = Math.max(0, wallS - (readU32(bytes, 8) * 2 ** 32 + readU32(bytes, 12)));
  let at = HEAD_LENGTH;
  while (at < bytes.length) {
    if (bytes.length - at < SWARM_LENGTH) throw broken();
    const infoHash = bytes.subarray(at, at + 20);
    const completed = readU32(bytes, at + 20);
    const counts = [readU32(bytes, at + 24), readU32(bytes, at + 28)];
    at += SWARM_LENGTH;
    if (completed > 0) table.restore(infoHash, completed, nowS);
    for (const [i, ipLength] of IP_LENGTHS.entries()) {
      const length = ipLength + PEER_REST;
      if ((bytes.length - at) / length < counts[i]!) throw broken();
      for (const end = at + counts[i]! * length; at < end; at += length) {
        const ageS = readU32(bytes, at + ipLength + 4) + awayS;
        const port = readU16(bytes, at + ipLength);
        const role = readU16(bytes, at + ipLength + 2);
        if (ageS >= maxAgeS || port === 0 || !isRole(role)) continue;
        table.announce(infoHash, bytes.subarray(at, at + ipLength), port, role, false, nowS - ageS);
      }
    }
  }
}

function isRole(role: number): boolean {
  return role === LEECH || role === PARTIAL_SEED || role === SEED;
}

function broken(): ShoalError {
  return new ShoalError('STATE_INVALID', "the tracker's state is broken; it begins with what can be read of it");
}

class StateWriter {
  bytes = new Uint8Array(64 * 1024);
  at = 0;

  put(part: Uint8Array): void {
    this.#reserve(part.length);
    this.bytes.set(part, this.at);
    this.at += part.length;
  }

  u16(value: number): void {
    this.#reserve(2);
    writeU16(this.bytes, this.at, value);
    this.at += 2;
  }

  u32(value: number): void {
    this.#reserve(4);
    writeU32(this.bytes, this.at, value);
    this.at += 4;
  }

  #reserve(length: number): void {
    if (this.at + length <= this.bytes.length) return;
    const larger = new Uint8Array(this.bytes.length * 2 + length);
    larger.set(this.bytes);
    this.bytes = larger;
  }
}
