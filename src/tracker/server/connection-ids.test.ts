import { describe, expect, it } from 'vitest';
import { writeU32 } from '../../base/bytes.ts';
import { SeededRandom } from '../../platform/sim/index.ts';
import { ConnectionIds } from './connection-ids.ts';

const here = Uint8Array.of(10, 0, 0, 1);

function packetFor(ids: ConnectionIds, ip: Uint8Array, nowMs: number): Uint8Array {
  ids.make(ip, nowMs);
  const packet = new Uint8Array(16);
  writeU32(packet, 0, ids.high);
  writeU32(packet, 4, ids.low);
  return packet;
}

describe('a connection id', () => {
  it('is good for at least two minutes and at most four', () => {
    const ids = new ConnectionIds(ConnectionIds.newKey(new SeededRandom(1, 'ids')));
    for (const madeMs of [0, 1, 60_000, 119_999, 1e12]) {
      const packet = packetFor(ids, here, madeMs);
      expect(ids.check(packet, here, madeMs)).toBe(true);
      expect(ids.check(packet, here, madeMs + 120_000)).toBe(true);
      expect(ids.check(packet, here, madeMs + 240_001)).toBe(false);
    }
  });

  it('is good for its address and tracker only, and in all of its bits', () => {
    const ids = new ConnectionIds(ConnectionIds.newKey(new SeededRandom(1, 'ids')));
    const packet = packetFor(ids, here, 5);
    expect(ids.check(packet, Uint8Array.of(10, 0, 0, 2), 5)).toBe(false);
    expect(ids.check(packet, new Uint8Array(16), 5)).toBe(false);
    expect(new ConnectionIds(ConnectionIds.newKey(new SeededRandom(2, 'ids'))).check(packet, here, 5)).toBe(false);
    for (let bit = 0; bit < 64; bit++) {
      const changed = packet.slice();
      changed[bit >> 3]! ^= 1 << (bit & 7);
      expect(ids.check(changed, here, 5)).toBe(false);
    }
  });
});
