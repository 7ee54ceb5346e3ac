import { describe, expect, it } from 'vitest';
import { Meter } from '../rates/meter.ts';
import { type ConnectionHolder, Connections } from './connections.ts';
import { mostUseless, slowest, uselessness } from './keeping.ts';

const MINUTE = 60_000;

function facts(changes: Partial<Parameters<typeof uselessness>[0]> = {}) {
  return {
    connectedMs: 0,
    lastBlockBytesMs: 0,
    lastServedMs: 0,
    lastUnchokedMs: null,
    amInterested: true,
    isInterested: true,
    amChoking: true,
    down: new Meter(),
    up: new Meter(),
    ...changes,
  };
}

describe('of use is', () => {
  it('who is new, who gave or was given something lately, and who waits for its turn', () => {
    const nowMs = 10 * MINUTE;
    const of = (changes: Parameters<typeof facts>[0]): number => uselessness(facts(changes), nowMs);
    expect(of({ connectedMs: nowMs - 1000, amInterested: false, isInterested: false })).toBe(0);
    expect(of({ lastBlockBytesMs: nowMs - MINUTE })).toBe(0);
    expect(of({ lastServedMs: nowMs - MINUTE })).toBe(0);
    expect(of({ amInterested: false })).toBe(0);
    expect(of({ amInterested: false, lastUnchokedMs: 3 * MINUTE, lastServedMs: 3 * MINUTE })).toBe(0);
  });

  it('not who wants nothing and has nothing, gave and took nothing for minutes, or let its turn pass', () => {
    const nowMs = 10 * MINUTE;
    const indifferent = facts({ connectedMs: 5 * MINUTE, amInterested: false, isInterested: false });
    const idle = facts();
    const lazy = facts({ amInterested: false, lastUnchokedMs: 3 * MINUTE });
    for (const peer of [indifferent, idle, lazy]) expect(uselessness(peer, nowMs)).toBeGreaterThan(0);
    expect(mostUseless([idle, indifferent, lazy], nowMs)).toBe(indifferent);
    expect(mostUseless([facts({ connectedMs: nowMs })], nowMs)).toBe(null);
  });

  it('least the slowest of those that have been here for a while', () => {
    const [quick, slow, fresh] = [facts(), facts(), facts({ connectedMs: 9 * MINUTE })];
    quick.down.add(2000, MINUTE);
    slow.up.add(1000, MINUTE);
    expect(slowest([quick, slow, fresh], 10 * MINUTE)).toBe(slow);
    expect(slowest([fresh], 10 * MINUTE)).toBe(null);
  });
});

describe('the connections of a session', () => {
  /** A torrent whose peers, some of them useless, go as they are told. */
  function holder(
    pool: Connections,
    peers: number,
    useless = 0,
  ): ConnectionHolder & { connections: number; looks: number } {
    const close = (): boolean => {
      made.connections--;
      pool.give();
      return true;
    };
    const made = {
      connections: peers,
      looks: 0,
      closeUseless: () => ++made.looks > 0 && useless-- > 0 && close(),
      closeSlowest: close,
    };
    pool.join(made);
    for (let i = 0; i < peers; i++) pool.take(made, 0);
    return made;
  }

  it('are taken until all are in use; then only in the place of a peer of no use', () => {
    const pool = new Connections(30);
    const first = holder(pool, 30, 1);
    const second = holder(pool, 0);
    second.connections = 10;
    expect([pool.take(second, 0), first.connections, pool.take(second, 0)]).toEqual([true, 29, false]);
  });

  it('are not searched for useless peers at every knock', () => {
    const pool = new Connections(15);
    const only = holder(pool, 15);
    for (let i = 0; i < 100; i++) expect(pool.take(only, 1000)).toBe(false);
    expect(only.looks).toBe(1);
  });

  it('leave some for a torrent that has hardly any', () => {
    const pool = new Connections(40);
    const rich = holder(pool, 40);
    const poor = holder(pool, 0);
    for (let i = 0; i < 50; i++) if (pool.takeDial(poor, 0)) poor.connections++;
    expect([rich.connections, poor.connections]).toEqual([30, 10]);
  });

  it('are dialled so many at a time', () => {
    const pool = new Connections(1000);
    const only = holder(pool, 0);
    let dials = 0;
    while (pool.takeDial(only, 0)) dials++;
    expect(dials).toBe(100);
    pool.dialEnded();
    expect(pool.takeDial(only, 0)).toBe(true);
  });
});
