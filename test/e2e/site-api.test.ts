// The API as a function, on a real SQLite file; over sockets it is in site.test.ts.

import { parseRssFeed } from 'feedsmith';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { toHex } from '../../src/base/bytes.ts';
import { parseMagnet } from '../../src/metainfo/magnet.ts';
import { parseMetainfo } from '../../src/metainfo/parse.ts';
import { nodeHashes } from '../../src/platform/node/hashes.ts';
import type { AccessMode } from '../../src/tracker/site/access-gate.ts';
import { type App, makeApp } from '../../src/tracker/site/app.ts';
import { Gatekeeper } from '../../src/tracker/site/gatekeeper.ts';
import type { Site } from '../../src/tracker/site/site.ts';
import { SiteStage, torrentNamed } from '../support/site-stage.ts';

const OWNER = { address: '127.0.0.1', isOwner: true };

let stage: SiteStage;
let site: Site;
let app: App;
let faults: string[];

beforeEach(async () => {
  stage = new SiteStage();
  site = await stage.open();
  faults = [];
  app = appOf('open');
});
afterEach(() => {
  stage.close();
  expect(faults).toEqual([]);
});

function appOf(mode: AccessMode, publicUrl: string | null = null): App {
  const world = { nowMs: () => stage.nowMs, randomBytes: (length: number) => new Uint8Array(length) };
  const gatekeeper = new Gatekeeper(site, mode, world);
  const countSwarms = async (hashes: readonly Uint8Array[]): Promise<{ seeds: number; leeches: number }[]> =>
    hashes.map(() => ({ seeds: 3, leeches: 4 }));
  const options = { site, gatekeeper, mode, publicUrl, maxUploadBytes: 10_000, countSwarms };
  return makeApp(options, (message) => faults.push(message));
}

interface Asked {
  readonly method?: string;
  readonly token?: string;
  readonly body?: unknown;
  readonly address?: string;
  readonly owner?: boolean;
}

function ask(
  path: string,
  { method, token, body, address = '192.0.2.1', owner = false }: Asked = {},
): Promise<Response> {
  const isBytes = body instanceof Uint8Array;
  const headers: Record<string, string> = isBytes ? {} : { 'content-type': 'application/json' };
  if (token !== undefined) headers.authorization = `Bearer ${token}`;
  const payload = isBytes ? new Uint8Array(body) : body === undefined ? null : JSON.stringify(body);
  const request = new Request(`http://tracker.example:6969${path}`, {
    method: method ?? (body === undefined ? 'GET' : 'POST'),
    headers,
    body: payload,
  });
  return app.fetch(request, { address, isOwner: owner });
}

/** Status and code of a fault, which says something in one line. */
async function fault(path: string, asked: Asked = {}): Promise<string> {
  const response = await ask(path, asked);
  const { error } = (await response.json()) as { error: { code: string; message: string } };
  expect(error.message).toMatch(/^[^\n]{8,}$/);
  return `${response.status} ${error.code}`;
}

async function json<T>(response: Promise<Response>): Promise<T> {
  return (await (await response).json()) as T;
}

interface Told {
  readonly infoHash: string;
  readonly name: string;
  readonly seeds: number;
  readonly magnet: string;
  readonly torrent: string;
}

describe('publishing', () => {
  it('takes a torrent once, from who has a token, and gives it to everybody', async () => {
    const { secret } = site.tokens.add('ci', 'publish');
    const bytes = torrentNamed('käse', 5, { announce: 'http://other.example/announce' });
    const first = await ask('/api/torrents', { token: secret, body: bytes });
    expect(first.status).toBe(201);
    const { torrent } = (await first.json()) as { torrent: Told };
    const magnet = parseMagnet(torrent.magnet);
    const trackers = ['http://tracker.example:6969/announce', 'http://other.example/announce'];
    expect([toHex(magnet.infoHashV1!), magnet.trackers]).toEqual([torrent.infoHash, trackers]);
    const again = await ask('/api/torrents', { token: secret, body: bytes });
    expect([again.status, await again.json()]).toMatchObject([200, { isNew: false, torrent: { publisher: 'ci' } }]);
    expect(await json(ask(`/api/torrents/${torrent.infoHash.toUpperCase()}`))).toEqual(torrent);
    const served = await ask(new URL(torrent.torrent).pathname);
    expect(served.headers.get('content-disposition')).toBe("attachment; filename*=UTF-8''k%C3%A4se.torrent");
    const read = parseMetainfo(new Uint8Array(await served.arrayBuffer()), nodeHashes);
    expect(read.trackers).toEqual(trackers.map((url) => [url]));
    expect(await json(ask(`/api/torrents/${torrent.infoHash}/files`))).toEqual({
      files: [{ path: 'käse', length: 5 }],
    });
  });

  it('takes an .mtorrent for the torrent that it stands for', async () => {
    const text = 'http://a.example/announce\nhttp://b.example/announce\nnotes\n5\n';
    const body = Uint8Array.from([...text].map((each) => each.charCodeAt(0)).concat(Array(20).fill(7)));
    expect(await json(ask('/api/torrents', { owner: true, body }))).toMatchObject({
      torrent: { name: 'notes', length: 5 },
    });
  });

  it('refuses what is no torrent, too long, or sent without a right', async () => {
    const { secret } = site.tokens.add('ci', 'publish');
    const body = torrentNamed('x');
    expect(await fault('/api/torrents', { body })).toBe('401 TOKEN_REFUSED');
    expect(await fault('/api/torrents', { body, token: 'shoal_wrong' })).toBe('401 TOKEN_REFUSED');
    expect(await fault('/api/torrents', { body: new Uint8Array(10_001), token: secret })).toBe('413 FILE_TOO_LARGE');
    expect(await fault('/api/torrents', { body: new Uint8Array(0), token: secret })).toBe('422 METAINFO_INVALID');
    expect(await fault('/api/torrents', { body: body.subarray(9), token: secret })).toBe('422 METAINFO_INVALID');
    const broken = body.slice(0, -1);
    expect(await fault('/api/torrents', { body: broken, token: secret })).toBe('422 METAINFO_INVALID');
    expect(site.torrents.count()).toBe(0);
  });

  it('lets publishers remove what is theirs, admins everything', async () => {
    const [mine, theirs, admin] = [
      site.tokens.add('a', 'publish'),
      site.tokens.add('b', 'publish'),
      site.tokens.add('c', 'admin'),
    ];
    for (const token of [mine.secret, admin.secret]) {
      const { torrent } = await json<{ torrent: Told }>(
        ask('/api/torrents', { token: mine.secret, body: torrentNamed('x') }),
      );
      const path = `/api/torrents/${torrent.infoHash}`;
      expect(await fault(path, { method: 'DELETE', token: theirs.secret })).toBe('403 PERMISSION');
      expect(await json(ask(path, { method: 'DELETE', token }))).toEqual({ removed: torrent.infoHash });
      expect(await fault(path)).toBe('404 TORRENT_UNKNOWN');
    }
  });

  it('keeps the trackers of others out of private torrents, and speaks under the name that it was given', async () => {
    app = appOf('open', 'https://t.example');
    const body = torrentNamed('p', 5, { announce: 'http://other.example/a' }, { private: 1 });
    const { torrent } = await json<{ torrent: Told }>(ask('/api/torrents', { owner: true, body }));
    expect(parseMagnet(torrent.magnet).trackers).toEqual(['https://t.example/announce']);
    expect(torrent.torrent).toMatch(/^https:\/\/t\.example\/api\/torrents\//);
  });
});

describe('searching', () => {
  it('finds in JSON and as a feed that programs read', async () => {
    for (const name of ['first <b> song', 'second & song', 'other']) {
      stage.nowMs += 1000;
      await ask('/api/torrents', { owner: true, body: torrentNamed(name, 5, { comment: 'a\u0001b' }) });
    }
    const found = await json<{ torrents: Told[]; total: number }>(ask('/api/search?q=song&sort=date&limit=1'));
    expect(found).toMatchObject({
      total: 2,
      isExact: true,
      torrents: [{ name: 'second & song', seeds: 3, leeches: 4 }],
    });
    const feed = await ask('/rss?q=song');
    expect(feed.headers.get('content-type')).toMatch(/^application\/rss\+xml/);
    const { items } = parseRssFeed(await feed.text());
    expect(items?.map(({ title }) => title)).toEqual(['second & song', 'first <b> song']);
    expect(items?.[0]?.enclosures?.[0]?.url).toBe(found.torrents[0]!.torrent);
  });

  it('says which parameter is wrong', async () => {
    for (const query of ['limit=101', 'limit=x', 'minSize=-1', 'sort=name', 'offset=5001', `q=${'x'.repeat(301)}`]) {
      expect(await fault(`/api/search?${query}`)).toBe('400 REQUEST_INVALID');
    }
    // All that there is would have to be looked through.
    for (const path of ['/api/search', '/rss']) expect(await fault(`${path}?q=-song`)).toBe('400 REQUEST_INVALID');
    expect(await json(ask('/api/search?limit=0'))).toMatchObject({
      error: { message: expect.stringMatching(/^limit: /) },
    });
    expect(await fault('/api/torrents/xyz')).toBe('400 REQUEST_INVALID');
    expect(await fault('/api/nothing')).toBe('404 NOT_FOUND');
  });
});

describe('a private tracker', () => {
  it('shows its catalogue to users and tokens, and makes links with their passkey', async () => {
    app = appOf('private');
    const { passkey } = site.users.add('eve');
    const { torrent } = await json<{ torrent: Told }>(ask('/api/torrents', { owner: true, body: torrentNamed('x') }));
    expect(await fault('/api/search')).toBe('401 TOKEN_REFUSED');
    expect(await fault(`/rss?passkey=${'0'.repeat(32)}`)).toBe('401 TOKEN_REFUSED');
    expect(await fault(`/api/torrents/${torrent.infoHash}/torrent`)).toBe('401 TOKEN_REFUSED');
    const found = await json<{ torrents: Told[] }>(ask(`/api/search?passkey=${passkey}`));
    expect(found.torrents[0]!.torrent).toContain(`?passkey=${passkey}`);
    const served = await ask(`/api/torrents/${torrent.infoHash}/torrent?passkey=${passkey}`);
    const read = parseMetainfo(new Uint8Array(await served.arrayBuffer()), nodeHashes);
    expect(read.trackers).toEqual([[`http://tracker.example:6969/${passkey}/announce`]]);
    const { secret } = site.tokens.add('ci', 'publish');
    expect((await ask('/api/search', { token: secret })).status).toBe(200);
  });
});

describe('administration', () => {
  it('adds, lists, resets and removes users, tokens and listed hashes', async () => {
    const token = site.tokens.add('root', 'admin').secret;
    const user = await json<{ passkey: string }>(ask('/api/admin/users', { token, body: { name: 'Ann' } }));
    const reset = await json<{ passkey: string }>(ask('/api/admin/users/ann/reset', { token, method: 'POST' }));
    expect(reset).toMatchObject({ name: 'Ann', uploaded: 0, ratio: null });
    expect(reset.passkey).not.toBe(user.passkey);
    expect(await json(ask('/api/admin/users', { token }))).toEqual({ users: [reset] });
    expect(await fault('/api/admin/users', { token, body: { name: 'ANN' } })).toBe('409 NAME_TAKEN');
    expect(await fault('/api/admin/users', { token, body: { name: 'a b' } })).toBe('400 REQUEST_INVALID');
    const made = await json<{ secret: string }>(
      ask('/api/admin/tokens', { token, body: { name: 'ci', role: 'publish' } }),
    );
    expect(await fault('/api/admin/stats', { token: made.secret })).toBe('403 PERMISSION');
    const path = `/api/admin/lists/deny/${'ab'.repeat(32)}`;
    expect(await json(ask(path, { token, method: 'PUT', body: { note: 'why' } }))).toMatchObject({
      infoHash: 'ab'.repeat(20),
    });
    expect(await json(ask('/api/admin/lists/deny', { token }))).toMatchObject({ entries: [{ note: 'why' }] });
    const stats = { access: 'open', torrents: 0, users: 1, tokens: 2, allow: 0, deny: 1 };
    expect(await json(ask('/api/admin/stats', { token }))).toMatchObject(stats);
    for (const gone of [path, '/api/admin/users/ann', '/api/admin/tokens/ci']) {
      expect((await ask(gone, { token, method: 'DELETE' })).status).toBe(200);
      expect(await fault(gone, { token, method: 'DELETE' })).toMatch(/^404/);
    }
  });

  it('is closed without an admin token, whatever is asked', async () => {
    const { secret } = site.tokens.add('ci', 'publish');
    for (const path of ['users', 'tokens', 'lists/allow', 'stats', 'nothing', 'users/x/reset']) {
      expect(await fault(`/api/admin/${path}`)).toBe('401 TOKEN_REFUSED');
      expect(await fault(`/api/admin/${path}`, { token: secret })).toBe('403 PERMISSION');
    }
  });

  it('does not listen to an address that tried ten wrong tokens, for a minute', async () => {
    const { secret } = site.tokens.add('root', 'admin');
    const guess = { token: 'shoal_guess', address: '203.0.113.9' };
    for (let i = 0; i < 10; i++) expect(await fault('/api/admin/stats', guess)).toBe('401 TOKEN_REFUSED');
    const right = { ...guess, token: secret };
    expect(await fault('/api/admin/stats', right)).toBe('429 TOO_MANY_REQUESTS');
    expect((await ask('/api/admin/stats', right)).headers.get('retry-after')).toBe('60');
    expect((await ask('/api/admin/stats', { token: secret })).status).toBe(200);
    expect((await ask('/api/search', { address: '203.0.113.9' })).status).toBe(200);
    stage.nowMs += 60_001;
    expect((await ask('/api/admin/stats', right)).status).toBe(200);
  });

  it('takes hostile bodies for what they are', async () => {
    const headers = { 'content-type': 'application/json' };
    for (const body of [
      '{',
      '[]',
      'null',
      '{"name":5}',
      `{"name":"${'x'.repeat(1000)}"}`,
      '{"__proto__":{"name":"x"}}',
    ]) {
      const request = new Request('http://t/api/admin/users', { method: 'POST', headers, body });
      const response = await app.fetch(request, OWNER);
      expect([response.status, await response.json()]).toMatchObject([400, { error: { code: 'REQUEST_INVALID' } }]);
    }
  });

  it('is described in an OpenAPI document, whole', async () => {
    const document = await json<{ paths: Record<string, object> }>(ask('/api/openapi.json'));
    expect(Object.keys(document.paths).sort()).toEqual([
      '/api/admin/lists/{list}',
      '/api/admin/lists/{list}/{hash}',
      '/api/admin/stats',
      '/api/admin/tokens',
      '/api/admin/tokens/{name}',
      '/api/admin/users',
      '/api/admin/users/{name}',
      '/api/admin/users/{name}/reset',
      '/api/search',
      '/api/torrents',
      '/api/torrents/{hash}',
      '/api/torrents/{hash}/files',
      '/api/torrents/{hash}/torrent',
      '/rss',
    ]);
  });
});
