// The program as a person meets it: making, looking at and checking torrents, wrong usage, exit codes, JSON.

import { chmod, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Outcome, Workplace } from './program.ts';

let place: Workplace;

beforeAll(async () => {
  place = await Workplace.open();
  await mkdir(place.path('films', 'ünïcode'), { recursive: true });
  await mkdir(place.path('films', 'empty folder'));
  await writeFile(place.path('films', 'a.bin'), new Uint8Array(100_000).fill(7));
  await writeFile(place.path('films', 'ünïcode', '日本.txt'), 'hello');
  await writeFile(place.path('films', 'empty'), '');
  await writeFile(place.path('films', '.hidden'), 'h');
  await writeFile(place.path('films', 'run.sh'), '#!/bin/sh\n');
  await chmod(place.path('films', 'run.sh'), 0o755);
  await writeFile(place.path('one.bin'), new Uint8Array(600_000).fill(1));
});
afterAll(() => place.close());

const json = (outcome: Outcome): Record<string, unknown> => JSON.parse(outcome.stdout) as Record<string, unknown>;

/** One line `shoal: CODE: …` on stderr and nothing on stdout. */
function expectFailure(outcome: Outcome, exitCode: number, code: string): void {
  expect(outcome.stderr).toMatch(new RegExp(`^shoal: ${code}: [^\\n]+\\n$`));
  expect(outcome.stdout).toBe('');
  expect(outcome.exitCode).toBe(exitCode);
}

describe('shoal create and inspect', () => {
  it('make a torrent of a folder, and show what it holds', async () => {
    const made = await place.run(
      'create',
      'films',
      '--tracker',
      'http://a.example/announce,udp://b.example:1',
      '--tracker',
      'http://c.example/announce',
      '--comment',
      'a comment',
      '--json',
    );
    expect(made.exitCode).toBe(0);
    expect(json(made)).toMatchObject({ file: place.path('films.torrent'), name: 'films' });
    const facts = json(await place.run('inspect', 'films.torrent', '--json'));
    expect(facts).toMatchObject({
      name: 'films',
      infoHashV1: expect.stringMatching(/^[0-9a-f]{40}$/),
      infoHashV2: null,
      pieceLength: 16384,
      pieceCount: 7,
      length: 100_016,
      private: false,
      trackers: [['http://a.example/announce', 'udp://b.example:1'], ['http://c.example/announce']],
      webSeeds: [],
      comment: 'a comment',
      creationDate: expect.any(Number),
      magnet: expect.stringMatching(/^magnet:\?xt=urn:btih:[0-9a-f]{40}&dn=films/),
    });
    expect(facts.files).toEqual([
      { path: '.hidden', length: 1 },
      { path: 'a.bin', length: 100_000 },
      { path: 'empty', length: 0 },
      { path: 'run.sh', length: 10, executable: true },
      { path: 'ünïcode/日本.txt', length: 5 },
    ]);
    expect((await place.run('magnet', 'films.torrent')).stdout.trim()).toBe(facts.magnet);
  });

  it('show the same for people, and for a magnet link what it says', async () => {
    const { stdout } = await place.run('inspect', 'films.torrent');
    for (const text of ['films', '7 of 16 KiB', '日本.txt', 'a comment', '5 files']) expect(stdout).toContain(text);
    const magnet = (await place.run('magnet', 'films.torrent')).stdout.trim();
    expect(json(await place.run('inspect', magnet, '--json'))).toMatchObject({
      name: 'films',
      length: 100_016,
      files: null,
    });
    const hints = await place.run('inspect', `${magnet}&x.pe=[::1]:6881&x.pe=a.example:7&so=0,2-4`);
    expect(hints.stdout).toMatch(/peers +\[::1\]:6881\n +a\.example:7\nonly files +0, 2-4\n$/);
  });

  it('make the same file of the same input with --no-date, also on stdout', async () => {
    const first = await place.run('create', 'films', '--no-date', '--meta', 'hybrid', '-o', '-');
    const second = await place.run('create', 'films', '--no-date', '--meta', 'hybrid', '-o', '-');
    expect(first.exitCode).toBe(0);
    expect(Buffer.compare(first.bytes, second.bytes)).toBe(0);
    const facts = json(await place.runWith(first.bytes, 'inspect', '-', '--json'));
    expect(facts).toMatchObject({ creationDate: null, infoHashV2: expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect((facts.files as { padding?: true }[]).some((file) => file.padding)).toBe(true);
  });

  it('leave out what is excluded, and keep, follow or skip symlinks', async () => {
    await mkdir(place.path('links'));
    await writeFile(place.path('links', 'real.txt'), 'real');
    await writeFile(place.path('links', 'junk.tmp'), 'junk');
    await symlink('real.txt', place.path('links', 'link.txt'));
    const paths = async (...options: string[]): Promise<unknown> =>
      json(await place.run('create', 'links', '-o', 'links.torrent', '--exclude', '*.tmp', '--json', ...options)).files;
    expect(await paths()).toEqual([
      { path: 'link.txt', length: 4 },
      { path: 'real.txt', length: 4 },
    ]);
    expect(await paths('--symlinks', 'skip')).toEqual([{ path: 'real.txt', length: 4 }]);
    expect(await paths('--symlinks', 'keep')).toEqual([
      { path: 'link.txt', length: 0, symlink: 'real.txt' },
      { path: 'real.txt', length: 4 },
    ]);
  });

  it('make and read an mtorrent', async () => {
    const tracker = ['--tracker', 'http://one.example/a', '--tracker', 'http://two.example/a'];
    expect((await place.run('create', 'one.bin', '--format', 'mtorrent', ...tracker)).exitCode).toBe(0);
    const bytes = await readFile(place.path('one.bin.mtorrent'));
    expect(bytes.subarray(0, bytes.length - 40).toString()).toBe(
      'http://one.example/a\nhttp://two.example/a\none.bin\n600000\n',
    );
    expect(json(await place.run('inspect', 'one.bin.mtorrent', '--json'))).toMatchObject({
      pieceLength: 524288,
      pieceCount: 2,
    });
    expectFailure(await place.run('create', 'one.bin', '--format', 'mtorrent', '--private', ...tracker), 2, 'USAGE');
    expectFailure(await place.run('create', 'films', '--format', 'mtorrent', ...tracker), 1, 'CREATE_UNSUPPORTED');
  });

  it('replace an older torrent file, and nothing else', async () => {
    await writeFile(place.path('precious.txt'), 'precious');
    expectFailure(await place.run('create', 'one.bin', '-o', 'precious.txt'), 1, 'FILE_IN_THE_WAY');
    expect(await readFile(place.path('precious.txt'), 'utf8')).toBe('precious');
    expectFailure(await place.run('create', 'one.bin', '-o', 'one.bin'), 1, 'FILE_IN_THE_WAY');
    for (let i = 0; i < 2; i++) expect((await place.run('create', 'one.bin', '-o', 'again.torrent')).exitCode).toBe(0);
  });
});

describe('shoal verify', () => {
  it('finds content complete, given itself or the folder that it is in', async () => {
    const whole = json(await place.run('verify', 'films.torrent', 'films', '--json'));
    expect(whole).toMatchObject({ pieces: 7, good: 7, bad: 0, missing: 0, complete: true });
    const parent = await place.run('verify', 'films.torrent', '.');
    expect(parent.exitCode).toBe(0);
    expect(parent.stdout).toContain('verified 7 pieces (SHA-1): 7 good, 0 bad, 0 missing');
  });

  it('names what is bad and what is missing, and ends with 1', async () => {
    await place.run('create', 'one.bin', '-o', 'one.torrent', '--piece-length', '64KiB');
    await mkdir(place.path('harmed'));
    const bytes = new Uint8Array(500_000).fill(1);
    bytes[70_000] = 2;
    await writeFile(place.path('harmed', 'one.bin'), bytes);
    const outcome = await place.run('verify', 'one.torrent', 'harmed', '--json');
    expect(json(outcome)).toMatchObject({
      pieces: 10,
      good: 6,
      bad: 1,
      missing: 3,
      complete: false,
      badPieces: [[1, 1]],
    });
    expect(outcome.stderr).toMatch(/^shoal: CONTENT_BAD: 4 of 10 pieces bad or missing; [^\n]+\n$/);
    expect(outcome.exitCode).toBe(1);
  });
});

describe('what goes wrong', () => {
  it.each([
    [[], 'USAGE', 2],
    [['fly'], 'USAGE', 2],
    [['create'], 'USAGE', 2],
    [['create', 'films', '--wings'], 'USAGE', 2],
    [['create', 'films', '--piece-length', 'long'], 'USAGE', 2],
    [['create', 'films', '--piece-length', '20000'], 'USAGE', 2],
    [['create', 'films', '--meta', 'v3'], 'USAGE', 2],
    [['create', 'films', '--tracker', 'nowhere'], 'USAGE', 2],
    [['create', 'films', '-o', '-', '--json'], 'USAGE', 2],
    [['inspect', 'a', 'b'], 'USAGE', 2],
    [['seed', 'films.torrent'], 'USAGE', 2],
    [['get', 'films.torrent', '--max-upload', '0'], 'USAGE', 2],
    [['get', 'films.torrent', '--listen', 'here:there'], 'USAGE', 2],
    [['completion', 'powershell'], 'USAGE', 2],
    [['remove'], 'USAGE', 2],
    [['help', 'nothing'], 'USAGE', 2],
    [['get', 'films.torrent', '-o', 'one.bin', '--peer', '127.0.0.1:9'], 'FILE_IN_THE_WAY', 1],
    [['create', 'nothing here'], 'FILE_NOT_FOUND', 1],
    [['create', 'films/empty folder'], 'CREATE_EMPTY', 1],
    [['inspect', 'nothing.torrent'], 'FILE_NOT_FOUND', 1],
    [['inspect', 'one.bin'], 'METAINFO_INVALID', 1],
    [['inspect', 'films'], 'FILE_IN_THE_WAY', 1],
    [['inspect', 'magnet:?dn=x'], 'MAGNET_INVALID', 1],
    [['verify', 'films.torrent', 'nothing'], 'FILE_NOT_FOUND', 1],
    [['remove', 'nothing'], 'TORRENT_UNKNOWN', 1],
    [['seed'], 'NOTHING_TO_DO', 1],
  ] as [string[], string, number][])('shoal %j says %s in one line and ends with %d', async (args, code, exitCode) => {
    const outcome = await place.run(...args);
    const lines = outcome.stderr.trimEnd().split('\n');
    expect(lines[lines.length - 1]).toMatch(new RegExp(`^shoal: ${code}: .+`));
    if (args.length > 0) expect(lines).toHaveLength(1);
    expect(outcome.stdout).toBe('');
    expect(outcome.exitCode).toBe(exitCode);
  });

  it('says nothing of a reader that went away', async () => {
    const running = place.start('inspect', 'films.torrent', '--json');
    running.child.stdout!.destroy();
    const { stderr, exitCode } = await running.ended;
    expect([stderr, exitCode]).toEqual(['', 0]);
  });
});

describe('help and habits', () => {
  it('are there', async () => {
    const version = (await place.run('--version')).stdout.trim();
    expect(version).toMatch(/^\d+\.\d+\.\d+/);
    expect((await place.run('-V')).stdout.trim()).toBe(version);
    const help = await place.run('--help');
    expect([help.exitCode, help.stderr]).toEqual([0, '']);
    expect((await place.run('help', 'get')).stdout).toBe((await place.run('get', '--help')).stdout);
    expect((await place.run('completion', 'bash')).stdout).toContain('complete -o filenames -F _shoal shoal');
  });

  it('leave no state behind where none is needed', async () => {
    expect(await readdir(place.folder)).not.toContain('.state');
  });
});
