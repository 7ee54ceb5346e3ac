// shoal demo: creation, seeding, discovery, distribution, on screen and with real processes, accidents included.

import { mkdtemp, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { toHex } from '../../base/bytes.ts';
import { ShoalError } from '../../base/errors.ts';
import { createTorrent } from '../../create/create.ts';
import type { Metainfo } from '../../metainfo/types.ts';
import { sleep } from '../../ports/clock.ts';
import type { Env } from '../../ports/env.ts';
import { TrackerClient } from '../../tracker/client/client.ts';
import { compareCopy, digestsOf } from '../demo/compare.ts';
import { conclusion, finishTable, progressOf, Screen, trafficTable } from '../demo/screen.ts';
import { LEECHES, SEED, SwarmShow } from '../demo/swarm-show.ts';
import { EXIT_FAILED } from '../errors.ts';
import { factsOf } from '../facts.ts';
import { pathMatcher } from '../globs.ts';
import type { JsonOption } from '../options.ts';
import { printJson } from '../output.ts';
import { startProgress } from '../progress.ts';
import { count, formatBytes, formatPercent, formatPieceLength, formatRate } from '../render/quantities.ts';
import { type StopWatch, watchSignals } from '../signals.ts';
import { openWorld } from '../world.ts';

const BIN: string = fileURLToPath(new URL('../../../bin/shoal.js', import.meta.url));
const NODE_MODULES: string = fileURLToPath(new URL('../../../node_modules', import.meta.url));
/** What programs write into node_modules while they run. */
const CACHES: readonly string[] = ['.cache', '.vite*', '.vitest*', '.package-lock.json'];

/** The seed needs this long to get everything out once: slow enough to watch, and for accidents in between. */
const SEED_S = 15;
/**
 * The leeches' share of the seed's rate. When the seed has sent the content once (in truth some 1.2 times), each leech has
 * a third of that and what two others gave: with a quarter about 70 %, far from complete, and not far from the end.
 */
const LEECH_SHARE = 0.25;
/** Smaller content is complete somewhere before anybody could act. */
const MIN_PIECES = 50;
const SLOWEST_RATE = 64 * 1024;
/** Faster than this the machine, not the limits, would set the pace. */
const FASTEST_RATE = 40e6;

export async function run(path: string | undefined, options: JsonOption): Promise<void> {
  const stop = watchSignals({ exitCode: () => EXIT_FAILED, word: () => 'stopping; nothing of the demo stays behind' });
  const screen = new Screen(options.json ?? false);
  const folder = await mkdtemp(join(tmpdir(), 'shoal-demo-'));
  const show = new SwarmShow(BIN, folder);
  const env = await openWorld(join(folder, 'state', 'demo'));
  try {
    const report = await perform(env, resolve(path ?? NODE_MODULES), folder, show, screen, stop);
    if (options.json) printJson(report);
  } finally {
    await show.close();
    await env.close();
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** The four steps and the proof; throws where anything is not as it should be. */
async function perform(
  env: Env,
  source: string,
  folder: string,
  show: SwarmShow,
  screen: Screen,
  stop: StopWatch,
): Promise<object> {
  screen.step('1. Creation');
  const urls = [await show.startTracker('tracker 1'), await show.startTracker('tracker 2')];
  screen.say(`two trackers run: ${urls.join(' and ')}`);
  const { metainfo, torrent } = await create(env, source, urls, folder, screen, stop.signal);
  const lengthBytes = metainfo.info.lengthBytes;

  screen.step('2. Seeding');
  const seedRate = Math.round(Math.min(FASTEST_RATE, Math.max(SLOWEST_RATE, lengthBytes / SEED_S)));
  const leechRate = Math.round(seedRate * LEECH_SHARE);
  await stop.race(show.startSeed(torrent, source, seedRate));
  screen.say(`the seed has verified all pieces and serves them, at ${formatRate(seedRate)} at most`);

  screen.step('3. Discovery');
  await stop.race(show.startLeeches(torrent, leechRate));
  await show.until(() => LEECHES.every((name) => (show.statuses.get(name)?.peers.length ?? 0) > 0), stop.signal);
  screen.say(`three leeches have found peers through the trackers; each gives ${formatRate(leechRate)} at most`);

  screen.step('4. Distribution');
  // While the processes are held back by their limits, there is time to hash the source.
  const { info } = metainfo;
  const digesting = digestsOf(source, info.singleFile ? [''] : info.files.map((file) => file.path.join('/')));
  digesting.catch(() => undefined);
  const accidents = await distribute(metainfo, show, screen, stop);

  screen.step('Proof');
  const seeds = await seedsKnownTo(env, urls[1]!, info.infoHashV1!, stop.signal);
  screen.say(`tracker 2, which is left, knows ${count(seeds, 'seed')}`);
  const digests = await stop.race(digesting);
  for (const name of LEECHES) await stop.race(compareCopy(join(show.copyFolder(name), info.name), digests));
  const files = count(digests.size, 'file');
  screen.say(`${files} in each of three copies: SHA-256 of every one is that of the source`);
  for (const name of LEECHES) await show.stop(name);
  await show.stop('tracker 2');
  screen.table(trafficTable(show));
  screen.table(finishTable(show, lengthBytes));
  screen.table(conclusion(show, lengthBytes));
  screen.say('done');
  return reportOf(metainfo, show, screen, accidents);
}

async function create(
  env: Env,
  source: string,
  urls: readonly string[],
  folder: string,
  screen: Screen,
  signal: AbortSignal,
): Promise<{ metainfo: Metainfo; torrent: string }> {
  if ((await env.files.info(source)) === null) {
    throw new ShoalError('FILE_NOT_FOUND', `there is nothing at "${source}"; name a file or folder: shoal demo PATH`);
  }
  const { bytes, metainfo } = await createTorrent(env, {
    path: source,
    meta: 'v1',
    symlinks: 'follow',
    exclude: pathMatcher(CACHES),
    trackers: urls.map((url) => [url]),
    webSeeds: [],
    private: false,
    signal,
  });
  const torrent = join(folder, 'demo.torrent');
  await env.files.write(torrent, bytes);
  const { info } = metainfo;
  await checkSpace(folder, info.lengthBytes * LEECHES.length);
  const files = count(info.files.length, 'file');
  const pieces = `${count(info.pieceCount, 'piece')} of ${formatPieceLength(info.pieceLengthBytes)}`;
  screen.say(`${source}: ${files}, ${formatBytes(info.lengthBytes)}, ${pieces}`);
  screen.say(`info hash ${factsOf(metainfo).infoHashV1}`);
  return { metainfo, torrent };
}

async function checkSpace(folder: string, neededBytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize > neededBytes) return;
  throw new ShoalError(
    'DISK_FULL',
    `the demo needs ${formatBytes(neededBytes)} in "${folder}"; set TMPDIR to another disk`,
  );
}

interface Accidents {
  readonly trackerKilledAtS: number;
  readonly seedKilledAtS: number;
  /** How far the best leech was when the seed died, 0 to 1. */
  readonly bestLeechThen: number;
}

/** The swarm at work: tracker 1 dies half way, the seed as soon as everything is out; the rest is between the leeches. */
async function distribute(metainfo: Metainfo, show: SwarmShow, screen: Screen, stop: StopWatch): Promise<Accidents> {
  const { pieceCount } = metainfo.info;
  const progress = startProgress(() => progressOf(show));
  try {
    await show.until(() => show.piecesOut >= pieceCount / 2, stop.signal);
    const trackerKilledAtS = screen.seconds;
    await show.kill('tracker 1');
    screen.say('half of the pieces are out: tracker 1 is killed (SIGKILL), and everything goes on');

    await show.until(() => show.piecesOut === pieceCount, stop.signal);
    const bestLeechThen = Math.max(...LEECHES.map((name) => fractionOf(show, name)));
    const tooLate = show.finished.size > 0;
    if (tooLate && pieceCount >= MIN_PIECES) {
      throw new ShoalError(
        'INTERNAL',
        'a leech was complete before the seed could be killed: the demo has shown nothing',
      );
    }
    const seedKilledAtS = screen.seconds;
    await show.kill(SEED);
    const best = `no leech is complete (the best has ${formatPercent(bestLeechThen)})`;
    const state = tooLate ? 'the content is too small to be quicker than a leech' : best;
    screen.say(`every piece is out, ${state}: the seed is killed`);

    for (let finished = 0; finished < LEECHES.length; ) {
      await show.until(() => show.finished.size > finished, stop.signal);
      for (const name of [...show.finished.keys()].slice(finished)) screen.say(`${name} is complete and seeds on`);
      finished = show.finished.size;
    }
    return { trackerKilledAtS, seedKilledAtS, bestLeechThen };
  } finally {
    progress.stop();
  }
}

function fractionOf(show: SwarmShow, name: string): number {
  const status = show.statuses.get(name);
  return status && status.wanted > 0 ? status.verified / status.wanted : 0;
}

/** What a tracker says once all leeches have told it that they are complete, or after some seconds of waiting for that. */
async function seedsKnownTo(env: Env, url: string, infoHash: Uint8Array, signal: AbortSignal): Promise<number> {
  const client = new TrackerClient(env, { from: null });
  try {
    for (let tries = 0; ; tries++) {
      const counts = await client.scrape(url, [infoHash], { signal });
      const seeds = counts.get(toHex(infoHash))?.seeds ?? 0;
      if (seeds >= LEECHES.length || tries === 20) return seeds;
      await sleep(env.clock, 250, signal);
    }
  } finally {
    await client.close();
  }
}

function reportOf(metainfo: Metainfo, show: SwarmShow, screen: Screen, accidents: Accidents): object {
  const { info } = metainfo;
  const sent = (from: string): object => Object.fromEntries(LEECHES.map((to) => [to, show.ledger.sent(from, to)]));
  return {
    name: info.name,
    files: info.files.length,
    length: info.lengthBytes,
    pieces: info.pieceCount,
    seconds: screen.seconds,
    ...accidents,
    complete: Object.fromEntries(LEECHES.map((name) => [name, show.finished.get(name)!.seconds])),
    sent: Object.fromEntries([SEED, ...LEECHES].map((name) => [name, sent(name)])),
    identical: true,
  };
}
