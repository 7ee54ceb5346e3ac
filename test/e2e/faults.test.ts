// Torrent files that are cut off or damaged, links that are wrong, and wrong usage of every command: one clear line each.

import { readFile, writeFile } from 'node:fs/promises';
import { beforeAll, describe, expect } from 'vitest';
import { Workplace } from './program.ts';
import { expectFailure, it, json, LOCAL, writeFiles } from './stage.ts';

/** The files, made once, that are damaged below. */
const made: { torrent: Buffer; hybrid: Buffer; mtorrent: Buffer } = {
  torrent: Buffer.alloc(0),
  hybrid: Buffer.alloc(0),
  mtorrent: Buffer.alloc(0),
};

beforeAll(async () => {
  const place = await Workplace.open();
  await writeFiles(place.folder, { content: 700_000, 'films/a': 100_000, 'films/b': 50_000 });
  const tracker = ['--tracker', 'http://127.0.0.1:9/announce'];
  json(await place.run('create', 'films', ...tracker, '-o', 'a.torrent', '--json'));
  json(await place.run('create', 'films', ...tracker, '-o', 'h.torrent', '--meta', 'hybrid', '--json'));
  const second = ['--tracker', 'http://127.0.0.1:10/announce'];
  json(await place.run('create', 'content', ...tracker, ...second, '--format', 'mtorrent', '--json'));
  made.torrent = await readFile(place.path('a.torrent'));
  made.hybrid = await readFile(place.path('h.torrent'));
  made.mtorrent = await readFile(place.path('content.mtorrent'));
  await place.close();
});

const cut = (bytes: Buffer, share: number): Buffer => bytes.subarray(0, Math.floor(bytes.length * share));
const swap = (bytes: Buffer, from: string, to: string): Buffer =>
  Buffer.from(bytes.toString('latin1').replace(from, to), 'latin1');

/** Another byte at one place. */
function flip(bytes: Buffer, at: number): Buffer {
  const out = Buffer.from(bytes);
  out[at]! ^= 0x40;
  return out;
}

/** How to damage each file, by a name for people. */
const DAMAGES: Readonly<Record<string, () => Buffer>> = {
  'empty.torrent': () => Buffer.alloc(0),
  'first-byte.torrent': () => cut(made.torrent, 1 / made.torrent.length),
  'half.torrent': () => cut(made.torrent, 0.5),
  'all-but-the-last-byte.torrent': () => made.torrent.subarray(0, made.torrent.length - 1),
  'no-info.torrent': () => swap(made.torrent, '4:info', '4:inf0'),
  'huge-text.torrent': () => Buffer.from('d4:info99999999999:x'),
  'deep.torrent': () => Buffer.from(`d4:info${'l'.repeat(100_000)}`),
  'lacks-a-piece.torrent': () => swap(made.torrent, '6:pieces200:', '6:pieces180:'),
  'other-lengths.torrent': () => swap(made.torrent, '6:lengthi100000e', '6:lengthi900000e'),
  'negative-length.torrent': () => swap(made.torrent, '6:lengthi100000e', '6:lengthi-10000e'),
  'no-piece-length.torrent': () => swap(made.torrent, '12:piece lengthi16384e', '12:piece lengthi0e'),
  'half-hybrid.torrent': () => cut(made.hybrid, 0.7),
  'other-layers.torrent': () => flip(made.hybrid, made.hybrid.length - 10),
  'other-roots.torrent': () => flip(made.hybrid, made.hybrid.indexOf('11:pieces root32:') + 20),
  'picture.torrent': () => Buffer.from('\u0089PNG\r\n\u001a\n', 'latin1'),
  'empty.mtorrent': () => Buffer.alloc(0),
  'half-a-line.mtorrent': () => made.mtorrent.subarray(0, 20),
  'three-lines.mtorrent': () => made.mtorrent.subarray(0, made.mtorrent.indexOf('700000')),
  'no-hashes.mtorrent': () => made.mtorrent.subarray(0, made.mtorrent.indexOf('700000') + 7),
  'lacks-a-byte.mtorrent': () => made.mtorrent.subarray(0, made.mtorrent.length - 1),
  'a-hash-too-many.mtorrent': () => Buffer.concat([made.mtorrent, Buffer.alloc(20)]),
  'folder.mtorrent': () => swap(made.mtorrent, 'content', 'con/ent'),
  'no-size.mtorrent': () => swap(made.mtorrent, '700000', '7e5000'),
  'no-url.mtorrent': () => swap(made.mtorrent, 'http://', 'http '),
};

describe('a torrent file that is cut off or damaged', () => {
  it.for(Object.keys(DAMAGES))('is refused in one line: %s', async (name, { place }) => {
    await writeFile(place.path(name), DAMAGES[name]!());
    const state = ['--state', place.path('state'), ...LOCAL];
    const commands = [
      ['inspect', name],
      ['get', name, '-o', 'here', '--peer', '127.0.0.1:9', ...state],
    ];
    const outcomes = await Promise.all(commands.map((args) => place.run(...args)));
    const code = name.endsWith('.mtorrent') ? 'MTORRENT_INVALID' : 'METAINFO_INVALID';
    for (const outcome of outcomes) {
      expectFailure(outcome, 1, code);
      expect(outcome.stderr.split('\n')).toHaveLength(2);
      expect(outcome.stderr).toContain(name);
    }
  });

  it('is refused by seed, verify, magnet and peers, too', async ({ place }) => {
    await writeFile(place.path('half.torrent'), DAMAGES['half.torrent']!());
    const commands = [
      ['seed', 'half.torrent', '.', ...LOCAL],
      ['verify', 'half.torrent', '.'],
      ['magnet', 'half.torrent'],
      ['peers', 'half.torrent'],
    ];
    for (const outcome of await Promise.all(commands.map((args) => place.run(...args)))) {
      expectFailure(outcome, 1, 'METAINFO_INVALID');
    }
  });
});

describe('a magnet link that is wrong', () => {
  it.for([
    'magnet:',
    'magnet:?',
    'magnet:?dn=name',
    'magnet:?xt=urn:btih:',
    'magnet:?xt=urn:btih:0123456789',
    'magnet:?xt=urn:btih:zz23456789012345678901234567890123456789',
    'magnet:?xt=urn:btmh:1220aa',
    'magnet:?xt=urn:sha1:0123456789012345678901234567890123456789',
  ])('is refused in one line: %s', async (link, { place }) => {
    const commands = [
      ['get', link, ...LOCAL],
      ['inspect', link],
      ['peers', link],
    ];
    for (const outcome of await Promise.all(commands.map((args) => place.run(...args)))) {
      expectFailure(outcome, 1, 'MAGNET_INVALID');
    }
  });
});

describe('wrong usage', () => {
  const COMMANDS: Readonly<Record<string, readonly (readonly string[])[]>> = {
    create: [[], ['a', 'b'], ['a', '--piece-length', '3'], ['a', '--tracker', 'x'], ['a', '--symlinks', 'perhaps']],
    inspect: [[], ['a', 'b']],
    magnet: [[], ['a', 'b']],
    verify: [[], ['a'], ['a', 'b', 'c']],
    get: [[], ['a', 'b'], ['a', '--max-download', 'fast'], ['a', '--peer', '1.2.3.4'], ['a', '--seed-ratio', 'x']],
    seed: [['a'], ['a', 'b', 'c'], ['--list'], ['a', 'b', '--listen', 'x:y:z'], ['a', 'b', '--max-upload', '-1']],
    share: [[], ['a', 'b'], ['a', '-o', '-'], ['a', '--host', 'h', '--tracker', 'http://t.example/announce']],
    tracker: [['a'], ['--listen', '1.2.3.4:99999']],
    peers: [[], ['a', 'b']],
    list: [['a']],
    remove: [[], ['a', '--all']],
    demo: [['a', 'b']],
    completion: [[], ['tcsh']],
  };

  it.for(Object.keys(COMMANDS))('of shoal %s is said in one line, and ends with 2', async (command, { place }) => {
    const all = [...COMMANDS[command]!, ['--no-such-option']];
    const outcomes = await Promise.all(all.map((args) => place.run(command, ...args)));
    for (const outcome of outcomes) {
      expectFailure(outcome, 2, 'USAGE');
      expect(outcome.stderr.split('\n')).toHaveLength(2);
    }
  });
});
