// What a tracker does, whatever it is asked over, whatever keeps its swarms, on however many threads.

import { describe, expect, it } from 'vitest';
import { toHex } from '../../src/base/bytes.ts';
import type { AnnounceRequest, ScrapeEntry } from '../../src/tracker/protocol/announce.ts';
import type { SwarmCounts } from '../../src/tracker/protocol/http-reply-writer.ts';
import type { TrackerServerOptions } from '../../src/tracker/server/server.ts';

/** What an announce brought: `peers` are the names of those that it was put in touch with. */
export interface Told {
  readonly intervalS: number;
  readonly minIntervalS: number | null;
  readonly seeds: number | null;
  readonly leeches: number | null;
  readonly peers: readonly string[];
}

/** A client with one transport, and its own place in the network. */
export interface TrackerAsker {
  /** What others are told of it: an address with a port, or over WebSocket a peer id. */
  readonly name: string;
  /** A leech that starts, but for `changes`. Rejects with TRACKER_FAILED where it is refused. */
  announce(changes?: Partial<AnnounceRequest>): Promise<Told>;
  /** By info hash in hexadecimal. */
  scrape(infoHashes: readonly Uint8Array[]): Promise<ReadonlyMap<string, ScrapeEntry>>;
}

/** Where askers are and what they listen on; default: places of their own. */
export interface AskerPlace {
  readonly ip?: string;
  readonly port?: number;
  /** Default: that of the world. */
  readonly family?: 4 | 6;
}

/** A tracker that runs. Its swarms are those of other tests as well: each has info hashes of its own. */
export interface TrackerPlace {
  newAsker(place?: AskerPlace): TrackerAsker;
  /** As one of the trackers counts. */
  counts(infoHash: Uint8Array): Promise<SwarmCounts>;
  /** Resolves when what was said is known everywhere: a shared store may take two seconds. */
  settle(): Promise<void>;
  /** Lets time go by, where it is simulated. */
  wait(seconds: number): Promise<void>;
}

/** What a transport and a world have room for. Contracts that need more are left out. */
export interface TrackerAbilities {
  /** Time is simulated, and askers may be anywhere. */
  readonly isSimulated: boolean;
  /** `paused` (BEP 21). */
  readonly pauses: boolean;
  /** Peers of both families in one reply (BEP 7), and as many as were asked for. */
  readonly bothFamilies: boolean;
  readonly minInterval: boolean;
  /** When to ask again, beside why not (BEP 31). */
  readonly retryIn: boolean;
  /** Many peers at once, hundreds in a reply, those of the own network first. */
  readonly crowds: boolean;
  /** Info hashes of 32 bytes, which the tracker cuts (BEP 52). */
  readonly longHashes: boolean;
}

export interface TrackerWorld {
  readonly name: string;
  /** What the machine lacks for it. Default: nothing. */
  readonly missing?: string;
  /** Tests wait for each other's trackers in real time, and so side by side. */
  readonly isSlow?: boolean;
  readonly family: 4 | 6;
  readonly can: TrackerAbilities;
  withTracker(options: Partial<TrackerServerOptions>, body: (place: TrackerPlace) => Promise<void>): Promise<void>;
}

let hashes = 0;
/** Trackers with a limit of scrapes. */
let limited = 0;
/** One that no other test has, of as many bytes. */
function newHash(length = 20): Uint8Array {
  const hash = new Uint8Array(length).fill(0x2b);
  new DataView(hash.buffer).setUint32(0, ++hashes);
  return hash;
}

export function trackerContract(world: TrackerWorld): void {
  const { can } = world;
  const run =
    (options: Partial<TrackerServerOptions>, body: (place: TrackerPlace) => Promise<void>) => (): Promise<void> =>
      world.withTracker(options, body);
  /** What a world has no room for is left out. */
  const itIf = (able: boolean): ((name: string, test: () => Promise<void>) => void) => (able ? it : () => undefined);
  const sorted = (askers: readonly TrackerAsker[]): string[] => askers.map(({ name }) => name).sort();

  const { name, missing, isSlow = false } = world;
  const title = `a tracker: ${name}${missing === undefined ? '' : ` (skipped: ${missing})`}`;
  describe.skipIf(missing !== undefined)(title, { concurrent: isSlow }, () => {
    it(
      'brings peers together, never one with itself, and counts them',
      run({}, async (place) => {
        const infoHash = newHash();
        const [seed, leech, third] = [place.newAsker(), place.newAsker(), place.newAsker()];
        expect(await seed.announce({ infoHash, left: 0 })).toMatchObject({ seeds: 1, leeches: 0, peers: [] });
        await place.settle();
        expect((await leech.announce({ infoHash })).peers).toEqual([seed.name]);
        await place.settle();
        const told = await third.announce({ infoHash });
        expect(told).toMatchObject({ seeds: 1, leeches: 2 });
        expect([...told.peers].sort()).toEqual(sorted([seed, leech]));
        const again = await third.announce({ infoHash, event: 'none' });
        expect(again).toMatchObject({ seeds: 1, leeches: 2 });
        expect(again.peers).not.toContain(third.name);
      }),
    );

    it(
      'tells nobody of peers in other swarms',
      run({}, async (place) => {
        await place.newAsker().announce({ infoHash: newHash() });
        await place.settle();
        expect(await place.newAsker().announce({ infoHash: newHash() })).toMatchObject({ leeches: 1, peers: [] });
      }),
    );

    it(
      'forgets a peer that stops, whom it tells of nobody, and goes on with one that comes back',
      run({}, async (place) => {
        const infoHash = newHash();
        const [one, two] = [place.newAsker(), place.newAsker()];
        await one.announce({ infoHash });
        await two.announce({ infoHash });
        await place.settle();
        expect((await one.announce({ infoHash, event: 'stopped' })).peers).toEqual([]);
        await place.settle();
        expect(await two.announce({ infoHash, event: 'none' })).toMatchObject({ leeches: 1, peers: [] });
        expect(await place.counts(infoHash)).toMatchObject({ seeds: 0, leeches: 1 });
        await one.announce({ infoHash });
        await place.settle();
        expect((await two.announce({ infoHash, event: 'none' })).peers).toEqual([one.name]);
        // A goodbye of one that nobody knows is as good.
        expect((await place.newAsker().announce({ infoHash: newHash(), event: 'stopped' })).peers).toEqual([]);
      }),
    );

    it(
      'tells seeds of leeches alone',
      run({}, async (place) => {
        const infoHash = newHash();
        const [one, two, leech] = [place.newAsker(), place.newAsker(), place.newAsker()];
        await one.announce({ infoHash, left: 0 });
        await leech.announce({ infoHash });
        await place.settle();
        expect(await two.announce({ infoHash, left: 0 })).toMatchObject({ seeds: 2, leeches: 1, peers: [leech.name] });
      }),
    );

    it(
      'counts a completion once, and a peer by what it is now',
      run({}, async (place) => {
        const infoHash = newHash();
        const [one, seed] = [place.newAsker(), place.newAsker()];
        await seed.announce({ infoHash, left: 0 });
        await one.announce({ infoHash });
        await place.settle();
        expect(await place.counts(infoHash)).toMatchObject({ seeds: 1, leeches: 1, completed: 0 });
        for (const event of ['completed', 'completed', 'none', 'completed'] as const) {
          await one.announce({ infoHash, left: 0, event });
        }
        await place.settle();
        expect(await place.counts(infoHash)).toMatchObject({ seeds: 2, leeches: 0, completed: 1 });
        expect((await seed.scrape([infoHash])).get(toHex(infoHash))).toEqual({ seeds: 2, leeches: 0, completed: 1 });
        await one.announce({ infoHash, left: 50, event: 'none' });
        await place.settle();
        expect(await place.counts(infoHash)).toMatchObject({ seeds: 1, leeches: 1, completed: 1 });
      }),
    );

    it(
      'answers a scrape of several info hashes with each one, zeros for those that nobody is in',
      run({}, async (place) => {
        const [known, unknown, other] = [newHash(), newHash(), newHash()];
        const one = place.newAsker();
        await one.announce({ infoHash: known });
        await one.announce({ infoHash: other, left: 0 });
        await place.settle();
        const counts = await one.scrape([other, unknown, known]);
        expect(counts.get(toHex(known))).toEqual({ seeds: 0, leeches: 1, completed: 0 });
        expect(counts.get(toHex(other))).toEqual({ seeds: 1, leeches: 0, completed: 0 });
        expect(counts.get(toHex(unknown)) ?? { seeds: 0, leeches: 0, completed: 0 }).toEqual({
          seeds: 0,
          leeches: 0,
          completed: 0,
        });
        expect(await place.counts(unknown)).toMatchObject({ seeds: 0, leeches: 0, completed: 0 });
      }),
    );

    it(
      'names an interval, a little longer for some than for others',
      run({ intervalS: 900, wsIntervalS: 900, minIntervalS: 40 }, async (place) => {
        const asker = place.newAsker();
        for (let i = 0; i < 10; i++) {
          const { intervalS, minIntervalS } = await asker.announce({ infoHash: newHash() });
          expect(intervalS).toBeGreaterThanOrEqual(900);
          // On a machine that has much else to do it grows, up to four times.
          expect(intervalS).toBeLessThanOrEqual(can.isSimulated ? 990 : 3960);
          if (can.minInterval) expect(minIntervalS).toBe(40);
        }
      }),
    );

    itIf(can.pauses)(
      'counts a partial seed as no seed, and tells it of those that download alone (BEP 21)',
      run({}, async (place) => {
        const infoHash = newHash();
        const [seed, partial, leech] = [place.newAsker(), place.newAsker(), place.newAsker()];
        await seed.announce({ infoHash, left: 0 });
        await partial.announce({ infoHash, left: 10, event: 'paused' });
        await place.settle();
        expect(await place.counts(infoHash)).toMatchObject({ seeds: 1, leeches: 1, downloaders: 0 });
        expect((await partial.announce({ infoHash, left: 10, event: 'paused' })).peers).toEqual([]);
        expect([...(await leech.announce({ infoHash })).peers].sort()).toEqual(sorted([seed, partial]));
        await place.settle();
        expect((await partial.announce({ infoHash, left: 10, event: 'paused' })).peers).toEqual([leech.name]);
        expect(await place.counts(infoHash)).toMatchObject({ seeds: 1, leeches: 2, downloaders: 1 });
      }),
    );

    it(
      'gives as many peers as are wanted, each once: none, one, or what is usual, and not all of a crowd',
      run({}, async (place) => {
        const infoHash = newHash();
        const crowd = Array.from({ length: can.crowds ? 210 : 20 }, (_, n) => place.newAsker({ port: 10_000 + n }));
        await Promise.all(crowd.map((asker) => asker.announce({ infoHash, numWant: 0 })));
        await place.settle();
        const asker = place.newAsker();
        const told = async (numWant: number | null): Promise<number> => {
          const { peers } = await asker.announce({ infoHash, numWant, event: 'none' });
          expect(new Set(peers).size).toBe(peers.length);
          expect(peers).not.toContain(asker.name);
          return peers.length;
        };
        expect([await told(0), await told(1), await told(null)]).toEqual([0, 1, can.crowds ? 50 : 5]);
        const most = await told(9999);
        // A packet over IPv6 has room for 67.
        if (can.crowds) expect(most).toBe(can.bothFamilies || world.family === 4 ? 200 : 67);
        else expect(most).toBeLessThan(20);
      }),
    );

    itIf(can.longHashes)(
      'knows a v2 info hash by its first 20 bytes (BEP 52)',
      run({}, async (place) => {
        const infoHash = newHash(32);
        const [one, two] = [place.newAsker(), place.newAsker()];
        await one.announce({ infoHash });
        await place.settle();
        expect((await two.announce({ infoHash: infoHash.slice(0, 20) })).peers).toEqual([one.name]);
        await place.settle();
        expect((await place.counts(infoHash.slice(0, 20))).leeches).toBe(2);
      }),
    );

    it(
      'says why it refuses, and when to ask again',
      run({ maxPeers: 0 }, async (place) => {
        const refused = place.newAsker().announce({ infoHash: newHash() });
        await expect(refused).rejects.toMatchObject({
          code: 'TRACKER_FAILED',
          message: 'this tracker is full',
          ...(can.retryIn && { retryInS: 30 * 60 }),
        });
      }),
    );

    it(
      'refuses scrapes that come too often, and says so; announces are counted by themselves',
      // A tracker of its own: those on this machine share an address.
      run({ maxScrapesPerAddress: 1, intervalS: 1000 + ++limited }, async (place) => {
        const infoHash = newHash();
        const asker = place.newAsker();
        await asker.announce({ infoHash });
        let answered = 0;
        let reason = '';
        // Twenty at once and one a second, or as many again where the asker reaches two threads.
        while (answered < 400 && reason === '') {
          const scraped = await asker.scrape([infoHash]).catch((error: Error) => error.message);
          if (typeof scraped === 'string') reason = scraped;
          else answered++;
        }
        expect(answered).toBeGreaterThanOrEqual(20);
        expect(reason).toBe('too many scrapes from your address');
        await asker.announce({ infoHash, event: 'none' });
      }),
    );

    itIf(can.isSimulated)(
      'forgets those that fall silent, half an interval after their announce was due',
      run({ intervalS: 60 }, async (place) => {
        const infoHash = newHash();
        const [one, two] = [place.newAsker(), place.newAsker()];
        await one.announce({ infoHash });
        await place.wait(60);
        await two.announce({ infoHash });
        await place.settle();
        expect((await place.counts(infoHash)).leeches).toBe(2);
        await place.wait(110);
        expect((await place.counts(infoHash)).leeches).toBe(1);
        expect((await two.announce({ infoHash, event: 'none' })).peers).toEqual([]);
        await place.wait(240);
        expect((await place.counts(infoHash)).leeches).toBe(0);
      }),
    );

    itIf(can.isSimulated && can.crowds)(
      'tells first of peers in the same network, up to half of the answer',
      run({ near: NEAR }, async (place) => {
        const infoHash = newHash();
        const inSite = (site: number, host: number): AskerPlace => ({
          ip: world.family === 4 ? `10.${site}.1.${host}` : `2001:db8:${site}::${host}`,
        });
        const mates: string[] = [];
        for (let host = 1; host <= 100; host++) {
          const asker = place.newAsker(inSite(host % 5 === 0 ? 1 : 2, host));
          if (host % 5 === 0) mates.push(asker.name);
          await asker.announce({ infoHash, numWant: 0 });
        }
        await place.settle();
        const matesToldTo = async (at: AskerPlace): Promise<number> => {
          const { peers } = await place.newAsker(at).announce({ infoHash, numWant: 20 });
          expect(peers).toHaveLength(20);
          return peers.filter((name) => mates.includes(name)).length;
        };
        expect(await matesToldTo(inSite(1, 200))).toBe(10);
        expect(await matesToldTo(inSite(3, 1))).toBeLessThan(10);
      }),
    );

    itIf(!can.isSimulated)(
      'keeps the families of addresses apart on one port, and tells of both where there is room',
      run({}, async (place) => {
        const infoHash = newHash();
        const [old, young] = [place.newAsker({ family: 4 }), place.newAsker({ family: 6 })];
        await old.announce({ infoHash });
        await place.settle();
        expect((await young.announce({ infoHash })).leeches).toBe(2);
        await place.settle();
        const told = async (asker: TrackerAsker): Promise<string[]> => {
          const { peers } = await asker.announce({ infoHash, numWant: 2 });
          await asker.announce({ infoHash, event: 'stopped' });
          await place.settle();
          return [...peers].sort();
        };
        expect(await told(place.newAsker({ family: 4 }))).toEqual(can.bothFamilies ? sorted([old, young]) : [old.name]);
        expect(await told(place.newAsker({ family: 6 }))).toEqual(
          can.bothFamilies ? sorted([old, young]) : [young.name],
        );
      }),
    );
  });
}

const NEAR = [
  { ip: Uint8Array.of(10, 1, 0, 0), prefix: 16 },
  { ip: Uint8Array.of(0x20, 1, 0xd, 0xb8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), prefix: 48 },
];
