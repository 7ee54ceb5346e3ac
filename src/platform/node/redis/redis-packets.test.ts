import { describe, expect, it } from 'vitest';
import { packExchanges, unpackAnswers } from './redis-packets.ts';

const request = { infoHash: new Uint8Array(20), since: -1, completed: 0, keepMs: 1000.4, isUrgent: false };

function answer(cursor: number, completed: number, status: number, rows: string): Buffer {
  const packed = Buffer.alloc(17 + rows.length);
  packed.writeDoubleBE(cursor, 0);
  packed.writeUInt32BE(completed, 8);
  packed[12] = status;
  packed.writeUInt32BE(rows.length, 13);
  packed.write(rows, 17, 'latin1');
  return packed;
}

describe('the packets of many steps', () => {
  it('has one request after the other', () => {
    const packed = packExchanges([
      { ...request, changes: Uint8Array.of(1, 2, 3) },
      { ...request, since: 1.8e12, completed: 0xffffffff, changes: new Uint8Array(0) },
    ]);
    expect(packed).toHaveLength(2 * 24 + 3);
    expect([packed.readDoubleBE(0), packed.readDoubleBE(8), packed.readUInt32BE(20), packed[26]]).toEqual([
      -1, 1000, 3, 3,
    ]);
    expect([packed.readDoubleBE(27), packed.readUInt32BE(43)]).toEqual([1.8e12, 0xffffffff]);
  });

  it('gives each its answer, or why it failed', () => {
    const packed = Buffer.concat([
      answer(5, 0xffffffff, 1, 'abc'),
      answer(0, 0, 2, 'WRONGTYPE'),
      answer(7, 0, 0, ''),
      answer(0, 0, 2, 'OOM'),
    ]);
    const [one, two, three, four] = unpackAnswers(packed, 4);
    expect(one).toEqual({ cursor: 5, completed: 0xffffffff, more: true, changes: Buffer.from('abc') });
    expect(two).toMatchObject({ message: 'WRONGTYPE', code: 'SWARM_REFUSED' });
    expect(four).toEqual(new Error('OOM'));
    expect(three).toMatchObject({ cursor: 7, more: false });
  });

  it('takes nothing that is broken off, or something else', () => {
    const packed = answer(5, 1, 0, 'abc');
    expect(() => unpackAnswers(packed.subarray(0, 10), 1)).toThrow('broken off');
    expect(() => unpackAnswers(packed.subarray(0, 19), 1)).toThrow('broken off');
    expect(() => unpackAnswers(packed, 2)).toThrow('broken off');
    expect(() => unpackAnswers([1, 2], 1)).toThrow('something else');
  });
});
