// A tracker with a catalogue in the real world: sockets, a thread, a SQLite file, and the program itself.

import { writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { afterEach, describe, expect } from 'vitest';
import { parseMetainfo } from '../../src/metainfo/parse.ts';
import { nodeHashes } from '../../src/platform/node/hashes.ts';
import type { AnnounceRequest } from '../../src/tracker/protocol/announce.ts';
import { torrentNamed } from '../support/site-stage.ts';
import type { Running, Workplace } from './program.ts';
import { announceOf, besides, publish, Stage, type Told } from './site-serving.ts';
import { expectFailure, it, json } from './stage.ts';

const signal = new AbortController().signal;

let stage: Stage | null = null;
afterEach(async () => {
  await stage?.close();
  stage = null;
});

/** Sends bytes as they are; what comes back until the connection is closed. */
function talk(base: string, ...parts: readonly string[]): Promise<string> {
  const { hostname, port } = new URL(base);
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect({ host: hostname, port: Number(port) }, () => {
      for (const part of parts) socket.write(part, 'latin1');
    });
    socket.setEncoding('latin1');
    socket.on('data', (chunk) => {
      text += chunk;
    });
    socket.on('close', () => resolve(text));
    socket.on('error', reject);
  });
}

describe('a private tracker', () => {
  it('lets users announce what was published, with totals that outlive it', async () => {
    stage = await Stage.open('private');
    const { token, passkey } = await besides(stage, (site) => ({
      token: site.tokens.add('ci', 'publish').secret,
      passkey: site.users.add('ann').passkey,
    }));
    const { infoHash } = await publish(stage, token, torrentNamed('film'));
    const file = await fetch(`${stage.base}/api/torrents/${infoHash}/torrent?passkey=${passkey}`);
    const { info, trackers } = parseMetainfo(new Uint8Array(await file.arrayBuffer()), nodeHashes);
    const [url] = trackers.flat() as [string];
    expect(url).toBe(`${stage.base}/${passkey}/announce`);
    const ask = (to: string, changes: Partial<AnnounceRequest> = {}): Promise<unknown> =>
      stage!.client.announce(to, announceOf(info.infoHashV1!, changes), { signal });
    for (const to of [url, url.replace('http', 'udp')]) await expect(ask(to)).resolves.toMatchObject({ seeds: 1 });
    await expect(ask(`${stage.base}/announce`)).rejects.toThrow(/private/);
    await expect(ask(`${stage.base}/${'0'.repeat(32)}/announce`)).rejects.toThrow(/unknown passkey/);
    await expect(ask(url, { infoHash: new Uint8Array(20) })).rejects.toThrow(/not registered/);
    await ask(url, { event: 'none', uploaded: 5000, downloaded: 2000 });
    await ask(url, { event: 'stopped', uploaded: 6000, downloaded: 2000 });
    await stage.stop();
    const user = await besides(stage, (site) => site.users.get('ann'));
    expect(user).toMatchObject({ uploaded: 6000, downloaded: 2000, ratio: 3 });
    expect(stage.logged).toEqual([]);
  });
});

describe('an open tracker with a catalogue', () => {
  it('shows swarms as they are, and no more of a torrent once it is removed or denied', async () => {
    stage = await Stage.open('open');
    const { secret } = await besides(stage, (site) => site.tokens.add('root', 'admin'));
    await stage.stop();
    await stage.start('open');
    const { infoHash } = await publish(stage, secret, torrentNamed('song'));
    const hash = Uint8Array.from(Buffer.from(infoHash, 'hex'));
    const url = `${stage.base}/announce`;
    await stage.client.announce(url, announceOf(hash), { signal });
    await stage.client.announce(url, announceOf(hash, { port: 6882, left: 5 }), { signal });
    const found = (await (await fetch(`${stage.base}/api/search?q=song`)).json()) as { torrents: Told[] };
    expect(found.torrents).toMatchObject([{ infoHash, seeds: 1, leeches: 1 }]);
    const headers = { authorization: `Bearer ${secret}`, 'content-type': 'application/json' };
    await fetch(`${stage.base}/api/admin/lists/deny/${infoHash}`, { method: 'PUT', headers, body: '{"note":"no"}' });
    await expect(stage.client.announce(url, announceOf(hash), { signal })).rejects.toThrow(/does not serve/);
    const gone = await fetch(`${stage.base}/api/torrents/${infoHash}`, { method: 'DELETE', headers });
    expect(gone.status).toBe(200);
    expect((await fetch(`${stage.base}/api/torrents/${infoHash}`)).status).toBe(404);
  });

  it('answers one request a connection, and bad ones with what they are', async () => {
    stage = await Stage.open('open');
    const get = await talk(
      stage.base,
      'GET /api/search HTTP/1.1\r\nHost: t\r\n\r\nGET /api/search HTTP/1.1\r\nHost: t\r\n\r\n',
    );
    expect(get.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(1);
    expect(get).toMatch(/connection: close/i);
    expect(await talk(stage.base, 'HEAD /api/search HTTP/1.1\r\nHost: t\r\n\r\n')).toMatch(
      /content-length: \d+\r\n[^{]*\r\n\r\n$/i,
    );
    expect(await talk(stage.base, 'GET /api/search HTTP/1.1\r\nHost: a/b?c\r\n\r\n')).toMatch(
      / 400 [\s\S]*REQUEST_INVALID/,
    );
    const post = 'POST /api/torrents HTTP/1.1\r\nHost: t\r\n';
    const tooLong = await talk(stage.base, `${post}Content-Length: 99999999\r\n\r\nx`);
    expect(tooLong).toMatch(/ 413 [\s\S]*FILE_TOO_LARGE/);
    expect(await talk(stage.base, `${post}Content-Length: 1\r\n\r\nx`)).toMatch(/ 401 [\s\S]*TOKEN_REFUSED/);
    expect(
      await talk(stage.base, 'PUT /nothing HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'),
    ).toMatch(/ 404 /);
    expect(stage.logged).toEqual([]);
  });
});

describe('shoal tracker --catalogue', () => {
  const start = async (place: Workplace): Promise<{ tracker: Running; url: string }> => {
    const tracker = place.start('tracker', '--catalogue', '--listen', '127.0.0.1:0', '--json');
    const ready = await tracker.event('ready');
    return { tracker, url: (ready.urls as string[])[0]! };
  };

  it('is published to and searched with commands, and administered on its state folder', async ({ place }) => {
    const { stdout: token } = await place.run('tracker', 'token', 'add', 'ci');
    const { url } = await start(place);
    await writeFile(place.path('notes.torrent'), torrentNamed('My notes', 700));
    const made = json(await place.run('publish', 'notes.torrent', '--to', url, '--token', token.trim(), '--json'));
    expect(made).toMatchObject({ isNew: true, torrent: { name: 'My notes', publisher: 'ci' } });
    const { stdout } = await place.run('search', 'notes', '--at', url, '--min-size', '500B', '--sort', 'size');
    expect(stdout).toMatch(/^NAME +SIZE[\s\S]*My notes +700 B +1 +0 +0/);
    const none = await place.run('search', 'notes', '--at', url, '--max-size', '500', '--json');
    expect(json(none)).toEqual({ torrents: [], total: 0, isExact: true });
    const added = json(await place.run('tracker', 'user', 'add', 'ann', '--json'));
    const listed = await place.run('tracker', 'user', 'list');
    expect(listed.stdout).toContain(added.passkey as string);
    expectFailure(await place.run('tracker', 'user', 'add', 'ANN'), 1, 'NAME_TAKEN');
    expectFailure(await place.run('tracker', 'user', 'list', 'ann'), 2, 'USAGE');
    expectFailure(await place.run('tracker', 'token', 'list', '--at', url, '--token', token.trim()), 1, 'PERMISSION');
    expectFailure(await place.run('publish', 'notes.torrent', '--to', url), 1, 'TOKEN_REFUSED');
    await place.run('tracker', 'deny', 'add', 'notes.torrent', '--note', 'why');
    const denied = json(await place.run('tracker', 'deny', 'list', '--json')) as unknown as { note: string }[];
    expect(denied).toMatchObject([{ infoHash: (made.torrent as Told).infoHash, note: 'why' }]);
  });

  it('says so where a tracker has no catalogue', async ({ place }) => {
    const tracker = place.start('tracker', '--listen', '127.0.0.1:0', '--json');
    const url = ((await tracker.event('ready')).urls as string[])[0]!;
    expectFailure(await place.run('search', 'x', '--at', url), 1, 'HTTP_FAILED');
  });

  it('loses nothing that it answered for when it is killed while it takes torrents', async ({ place }) => {
    const { stdout } = await place.run('tracker', 'token', 'add', 'ci');
    const headers = { authorization: `Bearer ${stdout.trim()}` };
    const { tracker, url } = await start(place);
    const at = new URL('/', url);
    const answered: string[] = [];
    const publishing = Array.from({ length: 4 }, async (_, lane) => {
      for (let n = 0; ; n++) {
        const name = `torrent ${lane} ${n}`;
        const response = await fetch(new URL('api/torrents', at), {
          method: 'POST',
          headers,
          body: new Uint8Array(torrentNamed(name)),
        });
        if (response.status !== 201) throw new Error(await response.text());
        answered.push(name);
        // In the middle of what the others send.
        if (answered.length === 60) tracker.child.kill('SIGKILL');
      }
    });
    const ends = await Promise.allSettled(publishing);
    expect(ends.map(({ status }) => status)).toEqual(Array(4).fill('rejected'));
    await tracker.ended;
    const { url: again } = await start(place);
    const names = new Set<string>();
    for (let offset = 0; ; offset += 100) {
      const page = await fetch(new URL(`/api/search?q=torrent&limit=100&offset=${offset}`, again));
      const { torrents } = (await page.json()) as { torrents: Told[] };
      for (const torrent of torrents) {
        names.add(torrent.name);
        const file = await fetch(torrent.torrent);
        expect(parseMetainfo(new Uint8Array(await file.arrayBuffer()), nodeHashes).info.name).toBe(torrent.name);
      }
      if (torrents.length < 100) break;
    }
    expect(answered.filter((name) => !names.has(name))).toEqual([]);
    expect(answered.length).toBeGreaterThanOrEqual(60);
  });
});
