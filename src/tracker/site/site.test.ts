import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { folder } from '../../../test/support/plain-torrents.ts';
import { SiteStage, torrentNamed } from '../../../test/support/site-stage.ts';
import { fromLatin1, toHex } from '../../base/bytes.ts';
import { parseMetainfo } from '../../metainfo/parse.ts';
import { nodeHashes } from '../../platform/node/hashes.ts';
import { EVENT_NONE, EVENT_STARTED, EVENT_STOPPED } from '../protocol/announce.ts';
import { AccessGate } from './access-gate.ts';
import { Ledger } from './ledger.ts';
import { readUpload, servedFile } from './published.ts';
import { searchStatements } from './search.ts';
import { Site } from './site.ts';
import { Database } from './sqlite.ts';

const none = new Uint8Array(0);
const all = { words: '', sort: 'relevance', ascending: false, offset: 0, limit: 50 } as const;

let stage: SiteStage;
let site: Site;

beforeEach(async () => {
  stage = new SiteStage();
  site = await stage.open();
});
afterEach(() => stage.close());

const publish = (name: string, lengthBytes = 5, comment = ''): Uint8Array => {
  const { torrent } = site.torrents.add(readUpload(torrentNamed(name, lengthBytes, { comment })), 'me');
  return torrent.hashV1!;
};
const namesOf = (words: string, more: object = {}): string[] =>
  site.search.find({ ...all, words, ...more }).torrents.map(({ name }) => name);

describe('the catalogue', () => {
  it('keeps a torrent once, and serves its file with other trackers and the same info', () => {
    const bytes = torrentNamed('one', 5, { announce: 'http://a.example/announce', comment: 'hello' });
    const first = site.torrents.add(readUpload(bytes), 'me');
    expect([first.isNew, site.torrents.add(readUpload(bytes), 'you').isNew]).toEqual([true, false]);
    expect(first.torrent).toMatchObject({ name: 'one', comment: 'hello', publisher: 'me', lengthBytes: 5 });
    const served = servedFile(site.torrents.body(first.torrent.id), [['http://b.example/announce'], ['udp://c:1']]);
    const read = parseMetainfo(served, nodeHashes);
    expect(read.trackers).toEqual([['http://b.example/announce'], ['udp://c:1']]);
    expect([read.comment, toHex(read.info.infoHashV1!)]).toEqual(['hello', toHex(first.torrent.hashV1!)]);
  });

  it('finds names, files and comments, names first', () => {
    publish('holiday pictures');
    publish('other', 5, 'from a holiday');
    site.torrents.add(readUpload(folder([{ length: 5, path: ['Holiday-2024', 'Crème.jpg'] }])), 'me');
    expect(namesOf('holiday')).toEqual(['holiday pictures', 'n', 'other']);
    expect(namesOf('creme jpg')).toEqual(['n']);
    expect(namesOf('"a holiday"')).toEqual(['other']);
    expect(namesOf('holiday -pictures -2024')).toEqual(['other']);
    expect(namesOf('pict*')).toEqual(['holiday pictures']);
    expect(namesOf('nothing')).toEqual([]);
  });

  it('filters, sorts and pages', async () => {
    const hashes = [100, 3000, 20].map((length, i) => {
      stage.nowMs += 10_000;
      return publish(`song ${i}`, length);
    });
    const count = async (asked: readonly Uint8Array[]): Promise<{ seeds: number; leeches: number }[]> =>
      asked.map((hash) => ({ seeds: hashes.findIndex((each) => toHex(each) === toHex(hash)), leeches: 1 }));
    await site.countSwarms(count, new AbortController().signal);
    expect(namesOf('')).toEqual(['song 2', 'song 1', 'song 0']);
    expect(namesOf('song', { sort: 'size' })).toEqual(['song 1', 'song 0', 'song 2']);
    expect(namesOf('', { sort: 'size', ascending: true })).toEqual(['song 2', 'song 0', 'song 1']);
    expect(namesOf('', { sort: 'seeds' })).toEqual(['song 2', 'song 1', 'song 0']);
    expect(namesOf('song', { minSize: 50, maxSize: 200 })).toEqual(['song 0']);
    expect(namesOf('', { minSeeds: 1, sort: 'date', ascending: true })).toEqual(['song 1', 'song 2']);
    expect(namesOf('', { since: 1_700_000_025 })).toEqual(['song 2']);
    expect(namesOf('', { offset: 1, limit: 1 })).toEqual(['song 1']);
    expect(site.search.find({ ...all, limit: 1 })).toMatchObject({ total: 3, isExact: true });
  });

  it('looks at no more than an index for what it filters, however many torrents there are', async () => {
    const database = await Database.open(stage.path);
    const planOf = (more: object): string => {
      const { sql, values } = searchStatements({ ...all, minSize: 1, minSeeds: 1, since: 1, ...more });
      return database
        .sql(`EXPLAIN QUERY PLAN ${sql}`)
        .all(...values)
        .map(({ detail }) => detail)
        .join('; ');
    };
    for (const sort of ['relevance', 'date', 'size', 'seeds']) {
      for (const ascending of [true, false]) {
        expect(planOf({ sort, ascending })).toMatch(/^(SCAN|SEARCH) t USING INDEX torrents_by_\w+( \([^)]*\))?$/);
      }
      expect(planOf({ sort, words: 'a b' })).toMatch(/SCAN words VIRTUAL TABLE.*SEARCH t USING INTEGER PRIMARY KEY/);
    }
    database.close();
  });

  it('takes any text for words, never for more', () => {
    publish('plain');
    const hostile = [
      '"',
      '""',
      'a OR b',
      'name:plain',
      'NEAR(a b)',
      '^plain',
      '(',
      '* * *',
      "'; DROP TABLE torrents; --",
    ];
    const endless = [
      '-'.repeat(10_000),
      'x '.repeat(10_000),
      '"'.repeat(999),
      '\0\u001b[2J\ud800',
      '{plain}: + -x',
      '\u0301',
    ];
    for (const words of [...hostile, ...endless]) expect(() => site.search.find({ ...all, words })).not.toThrow();
    expect(namesOf('{plain}')).toEqual(['plain']);
    expect(namesOf('plain OR nothing')).toEqual([]);
    expect(site.torrents.count()).toBe(1);
  });

  it('leaves nothing of a torrent that was removed in any file', () => {
    const hash = publish('unforgettableword', 5, 'rememberedcomment');
    const bytes = (): string =>
      readdirSync(stage.folder)
        .map((name) => readFileSync(join(stage.folder, name), 'latin1'))
        .join();
    expect(bytes()).toContain('unforgettableword');
    site.torrents.remove(site.torrents.get(hash));
    expect(bytes()).not.toMatch(/unforgettable|rememberedc/);
    expect(bytes()).not.toContain(String.fromCharCode(...hash));
    expect(() => site.torrents.get(hash)).toThrow(expect.objectContaining({ code: 'TORRENT_UNKNOWN' }));
    expect(namesOf('unforgettableword')).toEqual([]);
  });
});

describe('who may announce', () => {
  const gateOf = (mode: 'open' | 'allow-list' | 'private'): AccessGate => new AccessGate(mode, site.accessMemory);
  const reason = (gate: AccessGate, hash: Uint8Array, key = ''): string | null =>
    gate.check(hash, fromLatin1(key), 0, key.length)?.reason ?? null;

  it('is everybody but for what is denied; what is listed or published; or users with what is published', () => {
    const published = publish('x');
    const [listed, denied, other] = [1, 2, 3].map((n) => new Uint8Array(20).fill(n)) as [
      Uint8Array,
      Uint8Array,
      Uint8Array,
    ];
    site.lists.add('allow', listed, '');
    site.lists.add('deny', denied, 'asked to');
    const { passkey } = site.users.add('eve');
    for (const hash of [published, listed, other]) expect(reason(gateOf('open'), hash)).toBeNull();
    for (const hash of [published, listed]) expect(reason(gateOf('allow-list'), hash)).toBeNull();
    expect(reason(gateOf('allow-list'), other)).toMatch(/not registered/);
    for (const hash of [published, listed]) expect(reason(gateOf('private'), hash, passkey)).toBeNull();
    expect(reason(gateOf('private'), published, passkey.toUpperCase())).toBeNull();
    expect(reason(gateOf('private'), published)).toMatch(/private/);
    expect(reason(gateOf('private'), published, '0'.repeat(32))).toMatch(/unknown passkey/);
    expect(reason(gateOf('private'), published, `${passkey}0`)).toMatch(/unknown passkey/);
    // Whoever is no user is not told what is registered, or denied.
    for (const hash of [other, denied]) expect(reason(gateOf('private'), hash)).toMatch(/private/);
    for (const mode of ['open', 'allow-list', 'private'] as const) {
      expect(reason(gateOf(mode), denied, passkey)).toMatch(/does not serve/);
    }
  });

  it('follows every change at once, of this process or of another', async () => {
    const gate = gateOf('private');
    const hash = publish('x');
    const before = site.users.add('eve').passkey;
    expect(reason(gate, hash, before)).toBeNull();
    const { passkey } = site.users.reset('eve');
    expect([reason(gate, hash, before), reason(gate, hash, passkey)]).toEqual([expect.any(String), null]);
    const other = await stage.open();
    other.users.remove('eve');
    expect(site.followOthers()).toBe(true);
    gate.adopt(stage.memory!);
    expect(reason(gate, hash, passkey)).toMatch(/unknown passkey/);
    expect(site.followOthers()).toBe(false);
    const ann = site.users.add('ann');
    expect(reason(gate, hash, ann.passkey)).toBeNull();
    site.torrents.remove(site.torrents.get(hash));
    expect(reason(gate, hash, ann.passkey)).toMatch(/not registered/);
  });

  it('knows as many as there are, through growth', () => {
    const gate = gateOf('allow-list');
    const hashOf = (n: number): Uint8Array => new Uint8Array(20).fill(n & 0xff).fill(n >> 8, 10);
    for (let n = 0; n < 300; n++) site.lists.add('allow', hashOf(n), '');
    gate.adopt(stage.memory!);
    for (let n = 0; n < 300; n++) expect(reason(gate, hashOf(n))).toBeNull();
    expect(reason(gate, hashOf(300))).not.toBeNull();
  });
});

describe('users', () => {
  it('have totals of what their clients added, whatever order and lives these have', () => {
    const user = site.users.add('bob');
    const [a, b] = [new Uint8Array(20).fill(1), new Uint8Array(20).fill(2)];
    const ledger = new Ledger((batch) => site.totals.add(batch));
    const note = (hash: Uint8Array, up: number, down: number, event: number, atS: number): void =>
      ledger.note(1, hash, a, up, down, event, atS);
    note(a, 0, 0, EVENT_STARTED, 0);
    note(b, 700, 700, EVENT_NONE, 0);
    note(a, 100, 50, EVENT_NONE, 10);
    note(b, 710, 700, EVENT_NONE, 10);
    note(a, 150, 50, EVENT_STOPPED, 20);
    note(a, 5, 0, EVENT_STARTED, 30);
    note(a, 8, Number.NaN, EVENT_NONE, 40);
    note(a, 2 ** 52, -4, EVENT_NONE, 41);
    ledger.flush();
    site.writeTotals();
    expect(user).toMatchObject({ uploaded: 0, ratio: null, seenAt: null });
    expect(site.users.get('BOB')).toMatchObject({ uploaded: 163, downloaded: 50, ratio: 3.26, seenAt: 1_700_000_000 });
  });

  it('are told apart by names without regard to case, and by passkeys', () => {
    const names = ['bob', 'Ann', 'Zoë'];
    const passkeys = new Set(names.map((name) => site.users.add(name).passkey));
    expect(passkeys.size).toBe(3);
    expect(site.users.list('', 2).map(({ name }) => name)).toEqual(['Ann', 'bob']);
    expect(site.users.list('bob', 2).map(({ name }) => name)).toEqual(['Zoë']);
    expect(() => site.users.add('BOB')).toThrow(expect.objectContaining({ code: 'NAME_TAKEN' }));
    expect(() => site.users.get('carl')).toThrow(expect.objectContaining({ code: 'NAME_UNKNOWN' }));
    for (const name of ['', '.', 'a b', 'a/b', 'x'.repeat(65), '-a', 'a\n']) {
      expect(() => site.users.add(name)).toThrow(expect.objectContaining({ code: 'REQUEST_INVALID' }));
    }
  });
});

describe('tokens', () => {
  it('are known by their hash only, until they are removed', () => {
    const { secret, token } = site.tokens.add('ci', 'publish');
    expect(site.tokens.find(secret)).toEqual(token);
    expect(site.tokens.find(`${secret}0`)).toBeNull();
    expect(readFileSync(`${stage.path}-wal`, 'latin1')).not.toContain(secret.slice(6));
    site.tokens.remove('ci');
    expect(site.tokens.find(secret)).toBeNull();
    expect(() => site.tokens.remove('ci')).toThrow(expect.objectContaining({ code: 'NAME_UNKNOWN' }));
  });
});

describe('the database', () => {
  it('is readable by its owner only, and says what is wrong with it', async () => {
    expect(statSync(stage.path).mode & 0o777).toBe(0o600);
    const broken = join(stage.folder, 'broken.db');
    writeFileSync(broken, 'this is no database, but longer than a header of one has to be: '.repeat(20));
    const world = { nowMs: () => 0, randomBytes: () => none };
    await expect(Site.open(broken, world, () => undefined)).rejects.toMatchObject({ code: 'STATE_INVALID' });
    const newer = await Database.open(join(stage.folder, 'newer.db'));
    newer.exec('PRAGMA user_version=99');
    newer.close();
    const opened = Site.open(join(stage.folder, 'newer.db'), world, () => undefined);
    await expect(opened).rejects.toMatchObject({ code: 'STATE_VERSION' });
  });
});
