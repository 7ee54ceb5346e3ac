import { describe, expect, it } from 'vitest';
import { Address } from '../../../base/address.ts';
import { fromLatin1, latin1 } from '../../../base/bytes.ts';
import { MAX_EXCHANGED_CHANGES } from '../../../ports/swarm-store.ts';
import {
  CHANGE_COMPLETES,
  CHANGE_GONE,
  CHANGE_LEECH,
  CHANGE_NEW,
  CHANGE_SEED,
  ChangeReader,
  MAX_STORED_AGE_S,
} from '../../protocol/swarm-changes.ts';
import { PendingChanges } from './pending-changes.ts';

const [one, two, six] = ['10.0.0.1:1', '10.0.0.2:1', '[2001:db8::1]:1'].map((text) => Address.parse(text)!) as [
  Address,
  Address,
  Address,
];
const PLACE = 0xdeadbeef;
const newPending = (most = 1024): PendingChanges => new PendingChanges(1, 16, PLACE, most);
const take = (pending: PendingChanges, swarm: number, nowS: number, mostS = 2700): Uint8Array =>
  pending.take(swarm, nowS, mostS);
const note = (
  pending: PendingChanges,
  swarm: number,
  kind: number,
  { ip, port }: Address,
  nowS = 0,
  only = false,
): boolean => pending.note(swarm, kind, ip, port, nowS, only);

/** `role+ address age`, sorted. */
function told(changes: Uint8Array): string[] {
  const reader = new ChangeReader(changes);
  const lines: string[] = [];
  while (reader.next()) {
    const mark = `${'LPSG'[reader.role]}${reader.isNew ? '!' : ''}${reader.completes ? '+' : ''}`;
    const who = reader.isWeb ? `${latin1(reader.ip)}@${reader.port}` : new Address(reader.ip, reader.port).key;
    lines.push(`${mark} ${who} ${reader.ageS}`);
  }
  return lines.sort();
}

describe('PendingChanges', () => {
  it('has each peer once, as it was last, by swarm', () => {
    const pending = newPending();
    note(pending, 3, CHANGE_LEECH, one);
    note(pending, 3, CHANGE_GONE, two, 1);
    note(pending, 3, CHANGE_SEED, one, 2.5);
    note(pending, 4, CHANGE_LEECH, six, 3);
    expect([pending.count, pending.countOf(3), pending.countOf(4)]).toEqual([3, 2, 1]);
    expect(told(take(pending, 3, 3))).toEqual(['G 10.0.0.2:1 2', 'S 10.0.0.1:1 0']);
    expect(told(take(pending, 4, 3))).toEqual(['L [2001:db8::1]:1 0']);
    expect([pending.count, take(pending, 3, 3).length]).toEqual([0, 0]);
  });

  it('has web peers by their whole ids, at the place of their tracker', () => {
    const pending = newPending();
    const ids = ['0123456789abcdefghij', '0123456789abcdefghiJ', 'X123456789abcdefghij'];
    for (const id of ids) pending.note(15, CHANGE_LEECH, fromLatin1(id), PLACE, 0);
    note(pending, 15, CHANGE_LEECH, six);
    pending.note(15, CHANGE_SEED | CHANGE_COMPLETES, fromLatin1(ids[1]!), PLACE, 0);
    expect([pending.countOf(15), pending.completingOf(15)]).toEqual([4, 1]);
    const changes = take(pending, 15, 0);
    const all = ['L 0123456789abcdefghij', 'L X123456789abcdefghij', 'S+ 0123456789abcdefghiJ'];
    expect(told(changes)).toEqual([...all.map((line) => `${line}@${PLACE} 0`), 'L [2001:db8::1]:1 0'].sort());
    expect(pending.count).toBe(0);
    pending.note(15, CHANGE_GONE, fromLatin1(ids[0]!), PLACE, 1);
    pending.putBack(15, changes, 1);
    expect(told(take(pending, 15, 1))).toHaveLength(4);
  });

  it('keeps that a peer completed until it is told, also when it leaves', () => {
    const pending = newPending();
    note(pending, 0, CHANGE_SEED | CHANGE_COMPLETES, one);
    note(pending, 0, CHANGE_GONE, one);
    expect(pending.completingOf(0)).toBe(1);
    const changes = take(pending, 0, 0);
    expect(told(changes)).toEqual(['G+ 10.0.0.1:1 0']);
    expect(pending.completingOf(0)).toBe(0);
    pending.putBack(0, changes, 0);
    expect(pending.completingOf(0)).toBe(1);
  });

  it('tells once that a web peer is new, and that it completed after that', () => {
    const pending = newPending();
    const id = fromLatin1('0123456789abcdefghij');
    const tell = (kind: number, nowS = 0): boolean => pending.note(0, kind, id, PLACE, nowS);
    const toldAs = (nowS: number): string[] => told(take(pending, 0, nowS)).map((line) => line.split(' ')[0]!);
    tell(CHANGE_LEECH | CHANGE_NEW);
    expect([pending.isNew(0, id, 1), pending.isNew(1, id, 1), pending.takeBack(0, id)]).toEqual([true, false, false]);
    tell(CHANGE_SEED | CHANGE_COMPLETES, 1);
    note(pending, 0, CHANGE_SEED | CHANGE_COMPLETES, one, 1);
    expect([toldAs(2), pending.isNew(0, id, 2), pending.completingOf(0)]).toEqual([['S!', 'S+'], false, 1]);
    expect(toldAs(3)).toEqual(['S+']);
    // It has been none: another tracker had its peer id.
    tell(CHANGE_LEECH | CHANGE_NEW, 10);
    tell(CHANGE_SEED | CHANGE_COMPLETES, 10);
    const changes = take(pending, 0, 11);
    tell(CHANGE_GONE, 11);
    expect([pending.takeBack(0, id), pending.takeBack(0, id), pending.completingOf(0)]).toEqual([true, false, 0]);
    expect(toldAs(11)).toEqual(['G']);
    // What was told in vain may have been heard: it is not new any more.
    pending.putBack(0, changes, 11);
    expect(toldAs(11)).toEqual(['S']);
    // Nor is it when it left meanwhile, or comes back before that was told, or could not be told for long.
    for (const kinds of [
      [CHANGE_LEECH | CHANGE_NEW, CHANGE_GONE, CHANGE_LEECH | CHANGE_NEW],
      [CHANGE_GONE, CHANGE_LEECH | CHANGE_NEW],
    ]) {
      for (const kind of kinds) tell(kind, 20);
      expect(toldAs(20)).toEqual(['L']);
    }
    tell(CHANGE_SEED | CHANGE_NEW, 20);
    tell(CHANGE_SEED | CHANGE_COMPLETES, 24);
    expect([pending.isNew(0, id, 24), pending.isNew(0, id, 25), toldAs(25)]).toEqual([true, false, ['S+']]);
  });

  it('puts back what was not told, but for what is newer', () => {
    const pending = newPending();
    note(pending, 0, CHANGE_SEED | CHANGE_COMPLETES, one, 10);
    note(pending, 0, CHANGE_LEECH, two, 10);
    const changes = take(pending, 0, 10);
    note(pending, 0, CHANGE_SEED, one, 12);
    pending.putBack(0, changes, 12);
    expect(told(take(pending, 0, 14))).toEqual(['L 10.0.0.2:1 2', 'S+ 10.0.0.1:1 2']);
  });

  it('forgets who was merely heard, not who left or completed', () => {
    const pending = newPending();
    note(pending, 0, CHANGE_LEECH, one);
    note(pending, 0, CHANGE_GONE, two);
    note(pending, 0, CHANGE_SEED | CHANGE_COMPLETES, six);
    pending.forgetHeard(0);
    expect(told(take(pending, 0, 0))).toEqual(['G 10.0.0.2:1 0', 'S+ [2001:db8::1]:1 0']);
  });

  it.each([
    [2700, 2700],
    [20_000, MAX_STORED_AGE_S],
  ])('tells nobody as there who was silent for too long, where that is %i s', (mostS, oldestS) => {
    const pending = newPending();
    const now = 30_000;
    note(pending, 0, CHANGE_LEECH, one, now - oldestS);
    note(pending, 0, CHANGE_LEECH, two, now - oldestS - 1);
    note(pending, 0, CHANGE_SEED | CHANGE_COMPLETES, six, now - oldestS - 1);
    note(pending, 1, CHANGE_GONE, one, now - mostS);
    note(pending, 1, CHANGE_GONE, two, now - mostS - 1);
    expect(told(take(pending, 0, now, mostS))).toEqual([
      `G+ [2001:db8::1]:1 ${oldestS + 1}`,
      `L 10.0.0.1:1 ${oldestS}`,
    ]);
    expect(told(take(pending, 1, now, mostS))).toEqual([`G 10.0.0.1:1 ${mostS}`]);
    expect(pending.count).toBe(0);
  });

  it('takes all that can be told of a swarm, however much is too old', () => {
    const pending = newPending();
    for (let i = 0; i < 600; i++) note(pending, 0, CHANGE_GONE, new Address(Uint8Array.of(10, 0, i >> 8, i), 1));
    note(pending, 0, CHANGE_GONE, six, 5000);
    for (let i = 600; i < 1000; i++) note(pending, 0, CHANGE_GONE, new Address(Uint8Array.of(10, 0, i >> 8, i), 1));
    expect(told(take(pending, 0, 5000))).toEqual(['G [2001:db8::1]:1 0']);
  });

  it('has room again, when those that left too long ago are swept', () => {
    const pending = newPending(2);
    note(pending, 0, CHANGE_GONE, one);
    note(pending, 1, CHANGE_SEED | CHANGE_COMPLETES, two);
    expect(note(pending, 2, CHANGE_GONE, six, 5000)).toBe(false);
    pending.sweep(2700, 2700);
    expect(pending.count).toBe(2);
    pending.sweep(5000, 2700);
    expect([pending.count, pending.completingOf(1)]).toEqual([1, 1]);
    expect(note(pending, 2, CHANGE_GONE, six, 5000)).toBe(true);
  });

  it('is bounded, says so, and hands out so many at a time', () => {
    const pending = newPending();
    const peers = Array.from({ length: 1025 }, (_, i) => new Address(Uint8Array.of(10, 0, i >> 8, i), 1));
    expect(peers.map((peer) => note(pending, 0, CHANGE_LEECH, peer)).lastIndexOf(true)).toBe(1023);
    expect(note(pending, 0, CHANGE_SEED, peers[0]!)).toBe(true);
    expect(told(take(pending, 0, 0))).toHaveLength(MAX_EXCHANGED_CHANGES);
    expect(pending.count).toBe(1024 - MAX_EXCHANGED_CHANGES);
    expect(note(pending, 1, CHANGE_LEECH, two, 0, true)).toBe(true);
    expect(pending.countOf(1)).toBe(0);
  });
});
