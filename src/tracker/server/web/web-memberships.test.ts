import { describe, expect, it } from 'vitest';
import { WebMemberships } from './web-memberships.ts';

const bytes = (n: number): Uint8Array => new Uint8Array(20).map((_, i) => n >> (8 * (i % 4)));
const PEER_ID = bytes(7);

function filled(count: number): WebMemberships {
  const all = new WebMemberships();
  for (let n = 0; n < count; n++) all.add(bytes(n), PEER_ID);
  return all;
}

describe('memberships of a WebSocket connection', () => {
  it('hold as much as they need, also when there were more', () => {
    const all = filled(1000);
    expect(all.heldBytes).toBe(40_960);
    for (let n = 0; n < 900; n++) {
      all.remove(bytes(n), PEER_ID);
      expect(all.heldBytes).toBeLessThanOrEqual(4 * 40 * all.count);
      expect([all.has(bytes(n), PEER_ID), all.has(bytes(n + 1), PEER_ID)]).toEqual([false, true]);
    }
    for (let n = 900; n < 1000; n++) expect(all.has(bytes(n), PEER_ID)).toBe(true);
  });

  it('are left one by one, and nothing is held then', () => {
    const all = filled(1000);
    const left = new Set<string>();
    while (all.takeLast((infoHash, peerId) => left.add(`${infoHash} ${peerId}`)));
    expect([left.size, all.count, all.heldBytes]).toEqual([1000, 0, 0]);
    all.add(bytes(1), PEER_ID);
    expect([all.has(bytes(1), PEER_ID), all.heldBytes]).toEqual([true, 40]);
  });
});
