// WebTorrent clients at trackers that share their swarms by a store, in virtual time: offers and answers from one to the other,
// and what becomes of them when the store is away, deaf, or tells nonsense.

import { describe, expect, it } from 'vitest';
import { fromLatin1, latin1, utf8 } from '../../src/base/bytes.ts';
import { ShoalError } from '../../src/base/errors.ts';
import type { SwarmLink } from '../../src/ports/swarm-store.ts';
import {
  CHANGE_LEECH,
  ChangeReader,
  MAX_CHANGE_LENGTH,
  writeChange,
} from '../../src/tracker/protocol/swarm-changes.ts';
import { OPCODE_TEXT } from '../../src/tracker/protocol/websocket-frames.ts';
import { encodeFrame } from '../../src/tracker/protocol/websocket-writer.ts';
import { FarRelays } from '../../src/tracker/server/store/far-relays.ts';
import { type Setting, withTrackers } from '../support/sim-shared-trackers.ts';
import { hash } from '../support/sim-tracker.ts';
import type { SimWebClient } from '../support/sim-web-client.ts';
import { id, type Message, offers } from '../support/web-messages.ts';

const HASH = latin1(hash);
/** What one tracker was told, the other knows by then. */
const KNOWN_MS = 2000;
const [A, B, C] = [id(0x61), id(0x62), id(0x63)];

/** A client in the swarm, under an id of its own. */
async function joined({ newWebClient }: Setting, tracker: number, peerId: string): Promise<SimWebClient> {
  const client = await newWebClient(tracker);
  client.announce({ info_hash: HASH, peer_id: peerId });
  await client.take();
  return client;
}

function offer(client: SimWebClient, peerId: string, count = 1, change: Message = {}): void {
  client.announce({ info_hash: HASH, peer_id: peerId, offers: offers(count), numwant: count, ...change });
}

function answer(client: SimWebClient, peerId: string, to: string, offerId: string): void {
  const about = { action: 'announce', info_hash: HASH, peer_id: peerId, to_peer_id: to, offer_id: offerId };
  client.send({ ...about, answer: { type: 'answer', sdp: 'yes' } });
}

const scrape = async ({ scrape: counts, pass }: Setting, tracker: number): Promise<string> => {
  counts(tracker);
  await pass(300);
  return counts(tracker);
};

/** A tracker of which only the store knows: it has said that it has these peers. */
async function saidBy(store: Setting['store'], place: number, ids: readonly string[]): Promise<SwarmLink> {
  const link = await store.open(() => undefined);
  const bytes = new Uint8Array(ids.length * MAX_CHANGE_LENGTH);
  let at = 0;
  for (const peerId of ids) at = writeChange(bytes, at, CHANGE_LEECH, 0, fromLatin1(peerId), place);
  const rest = { since: -1, completed: 0, keepMs: 2_700_000, isUrgent: false };
  await link.exchange({ infoHash: hash, changes: bytes.subarray(0, at), ...rest });
  return link;
}

/** Where a tracker has its web peers. */
async function placeOf({ store }: Setting, peerId: string): Promise<number> {
  const link = await store.open(() => undefined);
  const rest = { changes: new Uint8Array(0), since: 0, completed: 0, keepMs: 2_700_000, isUrgent: false };
  const reader = new ChangeReader((await link.exchange({ infoHash: hash, ...rest })).changes);
  link.close();
  while (reader.next()) if (reader.isWeb && latin1(reader.ip) === peerId) return reader.port;
  throw new Error('the store knows of no such peer');
}

describe('WebTorrent clients at two trackers with one store', () => {
  it('find each other: offers and answers, at once', () =>
    withTrackers(async (setting) => {
      const a = await joined(setting, 0, A);
      await setting.pass(KNOWN_MS);
      const b = await setting.newWebClient(1);
      offer(b, B, 3, { event: 'started' });
      await setting.pass(100);
      expect(b.heard.splice(0)).toMatchObject([{ complete: 0, incomplete: 2 }]);
      const [heard] = a.heard.splice(0);
      expect(heard).toMatchObject({ peer_id: B, info_hash: HASH, offer: { type: 'offer' } });
      // The store has not told of B yet: its offer has.
      answer(a, A, B, heard!.offer_id as string);
      await setting.pass(100);
      expect(b.heard.splice(0)).toMatchObject([{ peer_id: A, offer_id: heard!.offer_id, answer: { sdp: 'yes' } }]);
      expect(a.heard).toEqual([]);
      // Where its connection is, the other way round.
      offer(a, A);
      expect(await b.take()).toMatchObject([{ peer_id: A, offer: {} }]);
      expect(setting.servers.map((server) => server.stats().ws.errors)).toEqual([0, 0]);
    }));

  it('are counted everywhere, each completion once, and gone everywhere when they leave', () =>
    withTrackers(async (setting) => {
      const a = await joined(setting, 0, A);
      const b = await joined(setting, 1, B);
      const peer = setting.newPeer();
      await peer.announce(1, 'http');
      await setting.pass(KNOWN_MS);
      expect([await scrape(setting, 0), await scrape(setting, 1)]).toEqual(['0 3 0', '0 3 0']);
      for (let n = 0; n < 2; n++) a.announce({ info_hash: HASH, peer_id: A, left: 0, event: 'completed' });
      await setting.pass(KNOWN_MS);
      b.send({ action: 'scrape', info_hash: HASH });
      const files = { [HASH]: { complete: 1, incomplete: 2, downloaded: 1 } };
      expect((await b.take()).at(-1)).toMatchObject({ files });
      a.announce({ info_hash: HASH, peer_id: A, left: 0, event: 'stopped' });
      b.stream.destroy();
      await setting.pass(KNOWN_MS);
      expect([await scrape(setting, 0), await scrape(setting, 1)]).toEqual(['0 1 1', '0 1 1']);
    }));

  it('keep a peer id that they hold, wherever others come with it, until they leave', () =>
    withTrackers(async (setting) => {
      const a = await joined(setting, 0, A);
      await setting.pass(KNOWN_MS);
      const other = await setting.newWebClient(1);
      offer(other, A, 1, { event: 'started' });
      expect(await other.take()).toMatchObject([{ 'failure reason': expect.stringContaining('peer id') }]);
      const b = await joined(setting, 1, B);
      offer(b, B);
      await setting.pass(100);
      expect([a.heard.splice(0).length, other.heard.length]).toEqual([1, 0]);
      a.stream.destroy();
      await setting.pass(KNOWN_MS);
      offer(other, A, 1, { event: 'started' });
      expect(await other.take()).toMatchObject([{ incomplete: 2 }]);
      expect(b.heard.splice(0).filter((message) => 'offer' in message)).toHaveLength(1);
    }));

  it('are told in the order in which they said it, though their swarm has to be fetched first', () =>
    withTrackers(async (setting) => {
      await joined(setting, 0, A);
      const b = await setting.newWebClient(1);
      setting.store.latencyMs = 150;
      await setting.pass(KNOWN_MS);
      b.announce({ info_hash: HASH, peer_id: B, event: 'started' });
      b.announce({ info_hash: HASH, peer_id: B, event: 'stopped' });
      b.send({ action: 'scrape', info_hash: HASH });
      const [started, stopped, scraped] = await b.take();
      expect([started, stopped]).toMatchObject([{ incomplete: 2 }, { incomplete: 1 }]);
      expect(scraped).toMatchObject({ files: { [HASH]: { incomplete: 1 } } });
      // A connection that closes while it waits leaves nothing.
      await setting.pass(KNOWN_MS);
      b.announce({ info_hash: HASH, peer_id: C, event: 'started' });
      await setting.pass(60);
      b.stream.destroy();
      await setting.pass(KNOWN_MS);
      expect(await scrape(setting, 1)).toBe('0 1 0');
    }));

  it('are found by those of their own tracker while the store is away, and by all when it is back', () =>
    withTrackers(async (setting) => {
      const { store, pass } = setting;
      const others = Array.from({ length: 9 }, (_, i) => id(0x10 + i));
      (await saidBy(store, 777, others)).close();
      const [a, b] = [await joined(setting, 0, A), await joined(setting, 0, B)];
      const c = await joined(setting, 1, C);
      await pass(KNOWN_MS);
      offer(a, A);
      await pass(KNOWN_MS);
      for (const client of [a, b, c]) client.heard.splice(0);
      store.goDown();
      store.forgetAll();
      await pass(KNOWN_MS);
      offer(a, A);
      expect(await b.take()).toMatchObject([{ peer_id: A }]);
      store.comeBack();
      await pass(6000);
      offer(c, C, 10);
      await pass(KNOWN_MS);
      expect([...a.heard, ...b.heard].filter(({ peer_id }) => peer_id === C).length).toBeGreaterThan(0);
      expect(await scrape(setting, 1)).toBe('0 12 0');
      a.stream.destroy();
      await pass(KNOWN_MS);
      expect(await scrape(setting, 1)).toBe('0 11 0');
    }));

  it('hear each other again after the link on which a tracker listens has broken, alone or in silence', () =>
    withTrackers(async (setting) => {
      const [a, b] = [await joined(setting, 0, A), await joined(setting, 1, B)];
      const meet = async (): Promise<number> => {
        await setting.pass(KNOWN_MS);
        offer(a, A);
        return (await b.take()).filter((message) => 'offer' in message).length;
      };
      expect(await meet()).toBe(1);
      setting.store.deafen();
      expect(await meet()).toBe(1);
      setting.store.muffle();
      expect(await meet()).toBe(0);
      await setting.pass(40_000);
      expect(await meet()).toBe(1);
      expect(setting.log).toEqual([]);
    }));

  it('are gone when their tracker has fallen silent, and others may have their peer ids', () =>
    withTrackers(async (setting) => {
      const link = await saidBy(setting.store, 777, [A, B]);
      const c = await joined(setting, 0, C);
      expect(await scrape(setting, 0)).toBe('0 3 0');
      const again = await setting.newWebClient(0);
      again.announce({ info_hash: HASH, peer_id: A });
      expect(await again.take()).toMatchObject([{ 'failure reason': expect.any(String) }]);
      await setting.pass(20_000);
      again.announce({ info_hash: HASH, peer_id: A });
      offer(c, C, 2);
      expect((await again.take()).map((message) => 'offer' in message)).toEqual([false, true]);
      await setting.pass(60_000);
      expect(await scrape(setting, 0)).toBe('0 2 0');
      // And are not known again by a tracker that fetches the swarm now, though the store still has them.
      expect(await scrape(setting, 1)).toBe('0 2 0');
      link.close();
    }));

  it('of a tracker that has just started are known at once where others have long been', () =>
    withTrackers(async (setting) => {
      const a = await joined(setting, 0, A);
      await setting.pass(60_000);
      for (const peerId of [B, C]) {
        await setting.restart(1);
        const other = await setting.newWebClient(1);
        offer(other, peerId, 1, { event: 'started' });
        await setting.pass(KNOWN_MS);
        expect(a.heard.splice(0).filter((message) => 'offer' in message)).toHaveLength(1);
        offer(a, A);
        expect((await other.take()).filter((message) => 'offer' in message)).toHaveLength(1);
      }
    }));

  it('are told nothing that is not what a tracker passes on, whoever sent it', () =>
    withTrackers(async (setting) => {
      const a = await joined(setting, 0, A);
      await setting.pass(KNOWN_MS);
      const place = await placeOf(setting, A);
      const link = await setting.store.open(() => undefined);
      const text = (message: string): Uint8Array => encodeFrame(OPCODE_TEXT, utf8(message), null);
      const relay = (to: string, frame: Uint8Array): Promise<void> =>
        new Promise((done) => {
          const relays = new FarRelays(777, (at, batch) => link.send(at, batch).finally(done));
          relays.add(place, hash, fromLatin1(to), fromLatin1(B), CHANGE_LEECH, frame);
          relays.flush();
        });
      for (const bytes of [
        new Uint8Array(1),
        new Uint8Array(47),
        new Uint8Array(300_000),
        new Uint8Array(90).fill(255),
      ]) {
        await link.send(place, bytes);
      }
      for (const frame of [
        text('no JSON'),
        text('[1]'),
        text('{"a":"\ud800'),
        text('{}').subarray(1),
        new Uint8Array(0),
      ]) {
        await relay(A, frame);
      }
      await relay(A, encodeFrame(OPCODE_TEXT, utf8(`{"a":"${'b'.repeat(20_000)}"}`), null));
      await relay(A, encodeFrame(8, utf8('{"a":1}'), null));
      // For who is not here, it is nothing wrong, and nobody hears it.
      await relay(C, text('{"offer":2}'));
      const { ws, faults } = setting.servers[0]!.stats();
      expect([ws.errors, faults.malformed]).toEqual([11, 11]);
      await relay(A, text('{"offer":1}'));
      expect(await a.take()).toEqual([{ offer: 1 }]);
      // Nonsense among records is passed over likewise.
      await saidBy(setting.store, 777, [A]).then((other) => other.close());
      await setting.pass(KNOWN_MS);
      offer(await joined(setting, 1, C), C);
      expect(await a.take()).toMatchObject([{ peer_id: C }]);
      link.close();
    }));

  it('are refused nothing by a store that passes nothing on', () =>
    withTrackers(async (setting) => {
      const [a, b] = [await joined(setting, 0, A), await joined(setting, 0, B)];
      await setting.pass(KNOWN_MS);
      setting.store.refusal = new ShoalError('IO', 'NOPERM');
      offer(a, A);
      expect(await b.take()).toMatchObject([{ peer_id: A }]);
      setting.store.refusal = null;
    }));
});
