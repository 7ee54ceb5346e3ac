// What every store of shared swarms does, in memory and in Redis.

import { describe, expect, it } from 'vitest';
import { Address } from '../../src/base/address.ts';
import { fromLatin1, latin1 } from '../../src/base/bytes.ts';
import {
  MAX_EXCHANGED_CHANGES,
  MAX_SENT_LENGTH,
  type SwarmAnswer,
  type SwarmLink,
  type SwarmStore,
} from '../../src/ports/swarm-store.ts';
import {
  CHANGE_COMPLETES,
  CHANGE_GONE,
  CHANGE_LEECH,
  CHANGE_NEW,
  CHANGE_SEED,
  ChangeReader,
  MAX_CHANGE_LENGTH,
  writeChange,
} from '../../src/tracker/protocol/swarm-changes.ts';

export interface StoreStage {
  readonly store: SwarmStore;
  /** What the store knows is older by so much. */
  pass(ms: number): Promise<void>;
  close(): Promise<void>;
}

/** A change: role, and where, `1.2.3.4:5`, or a peer id and a place, `aaaaaaaaaaaaaaaaaaaa@5`; age. */
type Told = readonly [kind: number, at: string, ageS?: number];

const KEEP_MS = 60_000;

function changesOf(told: readonly Told[]): Uint8Array {
  const bytes = new Uint8Array(told.length * MAX_CHANGE_LENGTH);
  let at = 0;
  for (const [kind, text, ageS = 0] of told) {
    const [id, place] = text.split('@');
    if (place !== undefined) at = writeChange(bytes, at, kind, ageS, fromLatin1(id!), Number(place));
    else {
      const { ip, port } = Address.parse(text)!;
      at = writeChange(bytes, at, kind, ageS, ip, port);
    }
  }
  return bytes.subarray(0, at);
}

/** What came, as `role address`, sorted. */
function heard(answer: SwarmAnswer): string[] {
  const all: string[] = [];
  const reader = new ChangeReader(answer.changes);
  while (reader.next()) {
    const { ip, port, isWeb, isNew } = reader;
    // That is for who tells it alone.
    expect(isNew).toBe(false);
    all.push(`${'LPSG'[reader.role]} ${isWeb ? `${latin1(ip)}@${port}` : new Address(ip, port).key}`);
  }
  return all.sort();
}

let swarms = 0;
let places = 0xfffffff0;

/** What was heard at a place, and a wait for so many of it. */
class Heard {
  readonly all: Uint8Array[] = [];
  #tell: (() => void) | null = null;

  readonly hear = (bytes: Uint8Array): void => {
    this.all.push(bytes);
    this.#tell?.();
  };

  async count(count: number): Promise<readonly Uint8Array[]> {
    while (this.all.length < count) {
      await new Promise<void>((resolve) => {
        this.#tell = resolve;
      });
    }
    return this.all;
  }
}

/** A tracker's end of one swarm. */
class End {
  cursor = 0;
  readonly #link: SwarmLink;
  readonly #infoHash: Uint8Array;

  constructor(link: SwarmLink, infoHash: Uint8Array) {
    this.#link = link;
    this.#infoHash = infoHash;
  }

  async tell(
    told: readonly Told[],
    { since = this.cursor, completed = 0, keepMs = KEEP_MS } = {},
  ): Promise<SwarmAnswer> {
    const answer = await this.#link.exchange({
      infoHash: this.#infoHash,
      changes: changesOf(told),
      since,
      completed,
      keepMs,
      isUrgent: since % 2 === 0,
    });
    this.cursor = answer.cursor;
    return answer;
  }
}

export function swarmStoreContract(name: string, open: () => Promise<StoreStage>): void {
  const withEnds =
    (body: (a: End, b: End, stage: StoreStage, newSwarm: () => [End, End]) => Promise<void>) => async () => {
      const stage = await open();
      const links = [await stage.store.open(() => undefined), await stage.store.open(() => undefined)] as const;
      const newSwarm = (): [End, End] => {
        // Bytes that mean something to Redis, and to cluster slots, are among them.
        const infoHash = Uint8Array.from({ length: 20 }, (_, i) => (i < 4 ? [0x7b, 0x7d, 0x0a, 0x00][i]! : i));
        new DataView(infoHash.buffer).setUint32(16, ++swarms);
        return [new End(links[0], infoHash), new End(links[1], infoHash)];
      };
      try {
        await body(...newSwarm(), stage, newSwarm);
      } finally {
        for (const link of links) link.close();
        await stage.close();
      }
    };

  const withLinks =
    (body: (links: readonly [SwarmLink, SwarmLink], store: SwarmStore) => Promise<void>) => async () => {
      const { store, close } = await open();
      const links = [await store.open(() => undefined), await store.open(() => undefined)] as const;
      try {
        await body(links, store);
      } finally {
        for (const link of links) link.close();
        await close();
      }
    };

  describe(`shared swarms: ${name}`, () => {
    it(
      'tells each tracker what others told, and nobody what it told itself',
      withEnds(async (a, b) => {
        expect(
          heard(
            await a.tell([
              [CHANGE_LEECH, '1.2.3.4:5'],
              [CHANGE_SEED, '[2001:db8::1]:6'],
            ]),
          ),
        ).toEqual([]);
        expect(heard(await b.tell([[CHANGE_LEECH, '1.2.3.4:7']]))).toEqual(['L 1.2.3.4:5', 'S [2001:db8::1]:6']);
        expect(heard(await a.tell([]))).toEqual(['L 1.2.3.4:7']);
        expect(heard(await a.tell([]))).toEqual([]);
        await b.tell([[CHANGE_SEED, '1.2.3.4:7']]);
        expect(heard(await a.tell([[CHANGE_LEECH, '1.2.3.4:8']]))).toEqual(['S 1.2.3.4:7']);
        expect(heard(await b.tell([]))).toEqual(['L 1.2.3.4:8']);
      }),
    );

    it(
      'tells of web peers, each by its peer id and its place, as of others',
      withEnds(async (a, b) => {
        const [one, other] = [`${'a'.repeat(19)}ÿ@4294967295`, `${'a'.repeat(19)}ÿ@1`];
        const address = '97.97.97.97:24929';
        await a.tell([
          [CHANGE_LEECH | CHANGE_NEW, one],
          [CHANGE_LEECH, address],
        ]);
        expect(heard(await b.tell([[CHANGE_SEED | CHANGE_COMPLETES | CHANGE_NEW, other]]))).toEqual([
          `L ${address}`,
          `L ${one}`,
        ]);
        const answer = await a.tell([[CHANGE_SEED | CHANGE_COMPLETES, one]]);
        expect([heard(answer), answer.completed]).toEqual([[`S ${other}`], 2]);
        await a.tell([[CHANGE_GONE | CHANGE_NEW, one]]);
        expect(heard(await b.tell([[CHANGE_LEECH, one, 20]]))).toEqual([`G ${one}`]);
        expect(heard(await b.tell([], { since: 0 }))).toEqual([`G ${one}`, `L ${address}`, `S ${other}`]);
      }),
    );

    it(
      'passes on what is sent to a place to whoever listens there, in its order, and to nobody else',
      withLinks(async ([one, other], store) => {
        const [here, there] = [++places, ++places];
        const [first, second, elsewhere] = [new Heard(), new Heard(), new Heard()];
        const lost = (error: Error): void => expect.fail(String(error));
        const ears = [
          await store.listen(here, first.hear, lost),
          await store.listen(here, second.hear, lost),
          await store.listen(there, elsewhere.hear, lost),
        ];
        const large = new Uint8Array(MAX_SENT_LENGTH).map((_, i) => i * 7);
        const bytes = [new Uint8Array(0), Uint8Array.of(0x0d, 0x0a, 0x00, 0xff), large];
        for (const each of bytes) await one.send(here, each);
        for (const each of [first, second]) {
          expect((await each.count(3)).map((got) => Buffer.compare(got, bytes[each.all.indexOf(got)]!))).toEqual([
            0, 0, 0,
          ]);
        }
        ears[0]!.close();
        ears[0]!.close();
        await Promise.all([other.send(here, Uint8Array.of(1)), other.send(there, Uint8Array.of(2))]);
        await Promise.all([second.count(4), elsewhere.count(1)]);
        expect([first.all.length, second.all.length, elsewhere.all.map(([byte]) => byte)]).toEqual([3, 4, [2]]);
        for (const ear of ears) ear.close();
        // Nobody listens any more.
        await one.send(there, Uint8Array.of(3));
        one.close();
        await expect(one.send(there, Uint8Array.of(4))).rejects.toThrow();
        expect(elsewhere.all).toHaveLength(1);
      }),
    );

    it(
      'loses nothing between two trackers that tell at the same time',
      withEnds(async (a, b) => {
        const all: string[][] = [[], []];
        for (let round = 0; round < 30; round++) {
          const both = [a, b].map((end, i) => end.tell([[CHANGE_LEECH, `10.0.${i}.1:${round + 1}`]]));
          for (const [i, answer] of (await Promise.all(both)).entries()) all[i]!.push(...heard(answer));
        }
        all[0]!.push(...heard(await a.tell([])));
        all[1]!.push(...heard(await b.tell([])));
        expect(new Set(all[0]).size).toBe(30);
        expect(new Set(all[1]).size).toBe(30);
      }),
    );

    it(
      'keeps swarms apart',
      withEnds(async (a, b, _stage, newSwarm) => {
        const [, other] = newSwarm();
        await a.tell([[CHANGE_LEECH, '1.2.3.4:5']]);
        expect(heard(await other.tell([]))).toEqual([]);
        expect(heard(await b.tell([]))).toEqual(['L 1.2.3.4:5']);
      }),
    );

    it(
      'keeps apart what is told of many swarms at once, each in one step',
      withEnds(async (_a, _b, _stage, newSwarm) => {
        const ends = Array.from({ length: 100 }, newSwarm);
        const port = (n: number): string => `10.0.0.1:${n + 1}`;
        const alike = [CHANGE_LEECH, '10.0.0.2:1'] as const;
        await Promise.all(ends.map(([a], n) => a.tell([[CHANGE_LEECH, port(n)], alike])));
        const answers = await Promise.all(ends.map(([, b], n) => b.tell(n % 2 === 0 ? [] : [alike])));
        for (const [n, answer] of answers.entries()) {
          expect(heard(answer)).toEqual([`L ${port(n)}`, ...(n % 2 === 0 ? ['L 10.0.0.2:1'] : [])]);
        }
        for (const answer of await Promise.all(ends.map(([, b]) => b.tell([])))) expect(heard(answer)).toEqual([]);
      }),
    );

    it(
      'tells of those that left, whom old news do not bring back but new ones do',
      withEnds(async (a, b) => {
        await a.tell([[CHANGE_LEECH, '1.2.3.4:5']]);
        await b.tell([]);
        await a.tell([[CHANGE_GONE, '1.2.3.4:5']]);
        expect(heard(await b.tell([[CHANGE_LEECH, '1.2.3.4:5', 20]]))).toEqual(['G 1.2.3.4:5']);
        expect(heard(await a.tell([]))).toEqual([]);
        await b.tell([[CHANGE_LEECH, '1.2.3.4:5']]);
        expect(heard(await a.tell([]))).toEqual(['L 1.2.3.4:5']);
        await b.tell([[CHANGE_GONE, '1.2.3.4:6', 20]]);
        await b.tell([[CHANGE_LEECH, '1.2.3.4:6', 30]]);
        expect(heard(await a.tell([]))).toEqual(['G 1.2.3.4:6']);
      }),
    );

    it(
      'counts completions once, whoever tells them and how often',
      withEnds(async (a, b) => {
        await a.tell([[CHANGE_LEECH, '1.2.3.4:5']]);
        const completes = [CHANGE_SEED | CHANGE_COMPLETES, '1.2.3.4:5'] as const;
        expect((await a.tell([completes])).completed).toBe(1);
        expect((await a.tell([completes])).completed).toBe(1);
        expect((await b.tell([completes])).completed).toBe(1);
        expect((await b.tell([[CHANGE_GONE | CHANGE_COMPLETES, '1.2.3.4:6']])).completed).toBe(2);
        expect((await a.tell([], { completed: 7 })).completed).toBe(7);
        expect((await b.tell([], { completed: 3 })).completed).toBe(7);
      }),
    );

    it(
      'counts a completion of whom another told as a seed, or later as gone, or soon as a leech',
      withEnds(async (a, b, { pass }) => {
        const keepMs = 600_000;
        const completes = CHANGE_SEED | CHANGE_COMPLETES;
        await a.tell([
          [CHANGE_SEED, '1.2.3.4:5'],
          [CHANGE_SEED, '1.2.3.4:6', 40],
          [CHANGE_GONE, '1.2.3.4:7'],
        ]);
        expect((await b.tell([[completes, '1.2.3.4:5']])).completed).toBe(1);
        await a.tell([[CHANGE_SEED, '1.2.3.4:5']]);
        expect((await b.tell([[completes, '1.2.3.4:5', 90]])).completed).toBe(1);
        expect((await b.tell([[completes, '1.2.3.4:6', 90]])).completed).toBe(2);
        const left = await b.tell([[completes, '1.2.3.4:7', 20]], { since: 0 });
        expect(left.completed).toBe(3);
        expect(heard(left)).toContain('G 1.2.3.4:7');
        expect((await b.tell([[completes, '1.2.3.4:7', 20]])).completed).toBe(3);
        // What two trackers heard within a second is told in any order.
        await a.tell([[CHANGE_LEECH, '1.2.3.4:5']]);
        expect((await a.tell([[completes, '1.2.3.4:5']], { keepMs })).completed).toBe(3);
        // Whoever begins anew completes anew.
        await pass(70_000);
        await a.tell([[CHANGE_LEECH, '1.2.3.4:5']], { keepMs });
        expect((await a.tell([[completes, '1.2.3.4:5']], { keepMs })).completed).toBe(4);
      }),
    );

    it(
      'counts a completion once that is told again, late, of whom is a leech again',
      withEnds(async (a, b, { pass }) => {
        const keepMs = 600_000;
        const seed = CHANGE_SEED | CHANGE_COMPLETES;
        const leech = CHANGE_LEECH | CHANGE_COMPLETES;
        const peers = ['1.2.3.4:5', '1.2.3.4:6'] as const;
        const counted = async (kind: number, ageS = 0): Promise<number> =>
          (
            await b.tell(
              peers.map((at): Told => [kind, at, ageS]),
              { keepMs },
            )
          ).completed;
        await a.tell(
          peers.map((at): Told => [seed, at]),
          { keepMs },
        );
        await pass(70_000);
        expect(await counted(leech, 90)).toBe(2);
        expect(heard(await b.tell([], { since: 0, keepMs }))).toEqual(peers.map((at) => `S ${at}`));
        expect(await counted(leech)).toBe(2);
        expect(await counted(seed)).toBe(2);
        expect(heard(await a.tell([], { keepMs }))).toEqual(peers.map((at) => `S ${at}`));
        // Anew, but for news of a completion.
        await pass(70_000);
        expect(await counted(CHANGE_LEECH)).toBe(2);
        expect(await counted(leech)).toBe(4);
      }),
    );

    it(
      'is told without being asked, and asked for all of it',
      withEnds(async (a, b) => {
        await a.tell([[CHANGE_LEECH, '1.2.3.4:5']]);
        expect(heard(await b.tell([[CHANGE_LEECH, '1.2.3.4:6']], { since: -1 }))).toEqual([]);
        expect(heard(await b.tell([], { since: 0 }))).toEqual(['L 1.2.3.4:5', 'L 1.2.3.4:6']);
      }),
    );

    it(
      'hands out a large swarm a page at a time, none left out',
      withEnds(async (a, b) => {
        const count = 5000;
        for (let at = 0; at < count; at += MAX_EXCHANGED_CHANGES) {
          const some = Array.from({ length: Math.min(MAX_EXCHANGED_CHANGES, count - at) }, (_, i): Told => {
            const n = at + i;
            return [CHANGE_LEECH, `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}:6881`];
          });
          await a.tell(some, { since: -1 });
        }
        const all = new Set<string>();
        let pages = 0;
        for (let more = true; more; pages++) {
          const answer = await b.tell([]);
          for (const text of heard(answer)) all.add(text);
          more = answer.more;
        }
        expect(all.size).toBe(count);
        expect(pages).toBeGreaterThan(2);
        expect(heard(await b.tell([]))).toEqual([]);
      }),
    );

    it(
      'forgets those that are silent too long',
      withEnds(async (a, b, { pass }) => {
        await a.tell([[CHANGE_LEECH, '1.2.3.4:5']], { keepMs: 25_000 });
        await pass(15_000);
        await a.tell([[CHANGE_LEECH, '1.2.3.4:6']], { keepMs: 25_000 });
        await pass(15_000);
        expect(heard(await b.tell([], { keepMs: 25_000 }))).toEqual(['L 1.2.3.4:6']);
        await pass(30_000);
        expect(heard(await b.tell([], { since: 0, keepMs: 25_000 }))).toEqual([]);
      }),
    );
  });
}
