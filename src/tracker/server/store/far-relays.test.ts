import { describe, expect, it } from 'vitest';
import { latin1, utf8 } from '../../../base/bytes.ts';
import { MAX_SENT_LENGTH } from '../../../ports/swarm-store.ts';
import { CHANGE_SEED } from '../../protocol/swarm-changes.ts';
import { OPCODE_TEXT } from '../../protocol/websocket-frames.ts';
import { encodeFrame } from '../../protocol/websocket-writer.ts';
import { FarFrame, FarRelays, NO_ROLE, readFarFrames } from './far-relays.ts';

const id = (n: number): Uint8Array => new Uint8Array(20).fill(n);
const frameOf = (text: string): Uint8Array => encodeFrame(OPCODE_TEXT, utf8(JSON.stringify({ text })), null);

describe('relays to other trackers', () => {
  it('send all frames of a turn for a place together, which are read as they were written', () => {
    const sent: [number, Uint8Array][] = [];
    const relays = new FarRelays(9, async (place, batch) => void sent.push([place, batch]));
    for (let n = 0; n < 6; n++) {
      const role = n === 0 ? CHANGE_SEED : NO_ROLE;
      expect(relays.add(0xfffffff0 + (n % 2), id(n), id(20 + n), id(40 + n), role, frameOf(`to ${n}`))).toBe(true);
    }
    relays.flush();
    relays.flush();
    expect(sent.map(([place]) => place)).toEqual([0xfffffff0, 0xfffffff1]);
    const read: string[] = [];
    const isGood = readFarFrames(sent[0]![1], new FarFrame(), ({ place, infoHash, peerId, from, role, frame }) => {
      read.push(`${place} ${infoHash[0]} ${peerId[19]} ${from[0]} ${role} ${latin1(frame.subarray(2))}`);
    });
    expect(isGood).toBe(true);
    expect(read).toEqual(['9 0 20 40 2 {"text":"to 0"}', '9 2 22 42 3 {"text":"to 2"}', '9 4 24 44 3 {"text":"to 4"}']);
  });

  it('leave out what is none, and tell of it', () => {
    const batches: Uint8Array[] = [];
    const relays = new FarRelays(9, async (_place, batch) => void batches.push(batch));
    for (const frame of [frameOf('good'), utf8('bad'), frameOf('better')]) {
      relays.add(1, id(1), id(2), id(3), NO_ROLE, frame);
    }
    relays.flush();
    let count = 0;
    const read = (batch: Uint8Array): boolean => readFarFrames(batch, new FarFrame(), () => count++);
    expect([read(batches[0]!), count]).toEqual([false, 2]);
    expect([read(batches[0]!.subarray(0, -1)), count]).toEqual([false, 3]);
    expect([read(new Uint8Array(0)), count]).toEqual([true, 3]);
  });

  it('have a bound on what the store has not taken, and on what is sent at once', async () => {
    const frame = frameOf('x'.repeat(16_000));
    const lengths: number[] = [];
    let settle: (() => void)[] = [];
    const relays = new FarRelays(9, (_place, batch) => {
      lengths.push(batch.length);
      return new Promise((resolve, reject) => settle.push(settle.length % 2 === 0 ? resolve : reject));
    });
    const fill = (): number => {
      let taken = 0;
      while (relays.add(taken % 2, id(1), id(2), id(3), NO_ROLE, frame)) taken++;
      relays.flush();
      return taken;
    };
    const first = fill();
    expect(first).toBeGreaterThan(200);
    expect(Math.max(...lengths)).toBeLessThanOrEqual(MAX_SENT_LENGTH);
    expect(fill()).toBe(0);
    const sent = settle;
    settle = [];
    for (const each of sent) each();
    await new Promise((resolve) => setImmediate(resolve));
    expect(fill()).toBe(first);
  });

  it('leave room for others where what is sent to one place is not taken', () => {
    const frame = frameOf('x'.repeat(16_000));
    const relays = new FarRelays(9, () => new Promise(() => undefined));
    const add = (place: number): boolean => relays.add(place, id(1), id(2), id(3), NO_ROLE, frame);
    let taken = 0;
    while (add(1)) taken++;
    expect(taken).toBeGreaterThan(100);
    for (let n = 0; n < 100; n++) expect(add(2)).toBe(true);
    expect(add(1)).toBe(false);
  });
});
