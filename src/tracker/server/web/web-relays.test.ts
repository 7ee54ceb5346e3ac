import { describe, expect, it } from 'vitest';
import { toHex } from '../../../base/bytes.ts';
import { WebMemberships } from './web-memberships.ts';
import { relayMemory, WebRelays } from './web-relays.ts';

const id = (n: number): Uint8Array => new Uint8Array(20).fill(n);

describe('relays', () => {
  it('post all frames of a turn for a thread as one batch, which is read as it was written', () => {
    const memory = relayMemory();
    const posted: [number, Uint8Array][] = [];
    const sender = new WebRelays(memory, (thread, batch) => posted.push([thread, batch]));
    const reader = new WebRelays(memory, () => undefined);
    const frames = Array.from({ length: 50 }, (_, i) => new Uint8Array(i * 90).fill(i));
    for (const [i, frame] of frames.entries()) expect(sender.add(2 + (i % 2), i, id(i), id(255 - i), frame)).toBe(true);
    sender.flush();
    sender.flush();
    expect(posted.map(([thread]) => thread)).toEqual([2, 3]);
    const read: string[] = [];
    for (const [thread, batch] of posted) {
      reader.read(thread, batch, (connection, infoHash, peerId, frame) => {
        read.push(`${connection} ${infoHash[19]} ${peerId[0]} ${toHex(frame)}`);
      });
    }
    const even = (i: number): number => i % 2;
    const expected = frames.map((frame, i) => [even(i), `${i} ${i} ${255 - i} ${toHex(frame)}`] as const);
    expect(read).toEqual([0, 1].flatMap((rest) => expected.filter(([each]) => each === rest).map(([, text]) => text)));
  });

  it('take no more for a thread that does not keep up, until it does, or is no more', () => {
    const memory = relayMemory();
    const batches: Uint8Array[] = [];
    const sender = new WebRelays(memory, (_thread, batch) => batches.push(batch));
    const frame = new Uint8Array(100_000);
    const fill = (): number => {
      let taken = 0;
      while (sender.add(2, 1, id(1), id(2), frame)) taken++;
      sender.flush();
      return taken;
    };
    const first = fill();
    expect(first).toBeGreaterThan(50);
    expect(first).toBeLessThan(100);
    expect(fill()).toBe(0);
    expect(sender.add(3, 1, id(1), id(2), frame)).toBe(true);
    sender.read(2, batches[0]!, () => undefined);
    expect(fill()).toBe(first);
    sender.forget(2);
    expect(fill()).toBe(first);
  });
});

describe('memberships', () => {
  it('are those that were added and not removed, in any order', () => {
    const memberships = new WebMemberships();
    for (let n = 0; n < 9; n++) memberships.add(id(n), id(n % 3));
    memberships.remove(id(4), id(1));
    memberships.remove(id(4), id(1));
    memberships.remove(id(8), id(0));
    expect([memberships.has(id(3), id(0)), memberships.has(id(3), id(1)), memberships.has(id(4), id(1))]).toEqual([
      true,
      false,
      false,
    ]);
    const left: number[] = [];
    while (memberships.takeLast((infoHash, peerId) => left.push(infoHash[0]! * 10 + peerId[19]!)));
    expect(left.sort((a, b) => a - b)).toEqual([0, 11, 22, 30, 52, 60, 71, 82]);
    expect(memberships.count).toBe(0);
  });
});
