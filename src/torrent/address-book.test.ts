import { describe, expect, it } from 'vitest';
import { Address } from '../base/address.ts';
import { AddressBook } from './address-book.ts';

const address = (text: string): Address => Address.parse(text)!;
const OWN = [{ ip: Uint8Array.of(198, 51, 100, 1), prefix: 24 }];

describe('the address book', () => {
  it('dials this machine first, then this network, then the rest', () => {
    const book = new AddressBook(OWN);
    for (const text of ['203.0.113.9:1', '198.51.100.7:1', '127.0.0.1:1']) book.add(address(text), 'tracker', false);
    const order: string[] = [];
    for (let known = book.next(0); known; known = book.next(0)) {
      order.push(known.address.host);
      book.dialling(known.address);
    }
    expect(order).toEqual(['127.0.0.1', '198.51.100.7', '203.0.113.9']);
  });

  it('knows who is a seed, for whom a seed has no use', () => {
    const book = new AddressBook([]);
    const peer = address('203.0.113.9:1');
    book.add(peer, 'tracker', false);
    book.ended(peer, 0, false, true);
    expect([book.next(9000, false), book.next(9000)?.address]).toEqual([null, peer]);
  });

  it('waits longer after each failure, and no more after a success', () => {
    const book = new AddressBook([]);
    const peer = address('203.0.113.9:1');
    book.add(peer, 'tracker', false);
    book.ended(peer, 0, true);
    expect([book.next(4999), book.next(5000)?.address]).toEqual([null, peer]);
    book.ended(peer, 5000, true);
    expect([book.next(14_999), book.nextDueMs(5000)]).toEqual([null, 10_000]);
    book.connected(peer);
    book.ended(peer, 20_000, false);
    expect(book.next(25_000)?.address).toBe(peer);
    book.ended(peer, 0, true);
    book.forgiveFailures();
    expect(book.next(0)?.address).toBe(peer);
  });

  it('never dials what is banned, by address and port', () => {
    const book = new AddressBook([]);
    const [liar, neighbour] = [address('203.0.113.9:1'), address('203.0.113.9:2')];
    for (const each of [liar, neighbour]) book.add(each, 'tracker', false);
    book.ban(liar);
    book.connected(liar);
    expect(book.isBanned(liar)).toBe(true);
    expect(book.next(0)?.address).toBe(neighbour);
    book.dialling(neighbour);
    expect(book.next(1e9)).toBeNull();
  });

  it('bans in a full book, and is not filled by bans', () => {
    const book = new AddressBook([]);
    const at = (i: number): Address => new Address(Uint8Array.of(1, 2, i >> 8, i), 99);
    for (let i = 0; i < 2000; i++) book.add(at(i), 'tracker', false);
    const liar = address('203.0.113.9:1');
    book.ban(liar);
    expect([book.isBanned(liar), book.add(liar, 'tracker', false)]).toEqual([true, false]);
    book.ban(at(7));
    expect([book.size, book.get(at(7))]).toEqual([1999, null]);
    for (let port = 1; port < 9000; port++) book.ban(address(`203.0.113.8:${port}`));
    expect(book.add(address('203.0.113.7:1'), 'tracker', false)).toBe(true);
  });

  it('bans an address whose every port lies, but not a neighbour of some liars, nor this machine', () => {
    const book = new AddressBook([]);
    const bans = (host: string, count: number): boolean => {
      for (let port = 1; port <= count; port++) book.ban(address(`${host}:${port}`));
      return book.isBanned(address(`${host}:9999`));
    };
    expect([bans('203.0.113.9', 15), bans('203.0.113.8', 16), bans('127.0.0.1', 100)]).toEqual([false, true, false]);
  });

  it('is bounded: the worst failure makes room, good addresses do not', () => {
    const book = new AddressBook([]);
    const at = (i: number): Address => new Address(Uint8Array.of(1, 2, i >> 8, i), 99);
    for (let i = 0; i < 2000; i++) expect(book.add(at(i), 'tracker', false)).toBe(true);
    expect(book.add(at(5000), 'tracker', false)).toBe(false);
    book.ended(at(3), 0, true);
    expect(book.add(at(5000), 'tracker', false)).toBe(true);
    expect([book.size, book.get(at(3))]).toEqual([2000, null]);
    expect(book.add(new Address(Uint8Array.of(1, 1, 1, 1), 0), 'tracker', false)).toBe(false);
  });
});
