// shoal seed: gives content to others, what the command line names or all that earlier runs shared and fetched.

import { resolve } from 'node:path';
import { fromUtf8, toHex } from '../../base/bytes.ts';
import { ShoalError } from '../../base/errors.ts';
import { sideBySide } from '../../base/side-by-side.ts';
import { nodeFiles } from '../../platform/node/files.ts';
import { contentRoot } from '../../storage/safe-path.ts';
import type { Torrent } from '../../torrent/torrent.ts';
import { UsageError } from '../args.ts';
import { EXIT_DONE } from '../errors.ts';
import { algorithmOf } from '../facts.ts';
import { lastFailure } from '../failures.ts';
import type { SwarmOptions } from '../options.ts';
import { note, print, printJson } from '../output.ts';
import { type Pair, pairsFromArgs, pairsFromList } from '../pairs.ts';
import { count, formatBytes } from '../render/quantities.ts';
import { resume } from '../resume.ts';
import { type StopWatch, watchSignals } from '../signals.ts';
import { readFileSource } from '../source.ts';
import { reportStatus } from '../status.ts';
import { listenTexts, openSwarm, requestOf, type Swarm, showTorrents, torrentFacts, trafficFacts } from '../swarm.ts';

export interface SeedOptions extends SwarmOptions {
  readonly list?: string;
}

/** A list of a million pairs is below; what is longer is no list. */
const MAX_LIST_BYTES = 256 * 1024 * 1024;

/** Verified at once: small torrents wait for the disk most of the time, large ones would only be in each other's way. */
const AT_ONCE = 4;

export async function run(args: readonly string[], options: SeedOptions): Promise<void> {
  const pairs = await pairsOf(args, options);
  const stop = watchSignals({ exitCode: () => EXIT_DONE, word: () => 'stopping; again to end at once' });
  const swarm = await openSwarm(options);
  const progress = await showTorrents(swarm.session);
  try {
    const torrents = pairs === null ? await resume(swarm, stop) : await addPairs(pairs, swarm, options, stop);
    announceReady(swarm, torrents, options);
    const endStatus = reportStatus(torrents, options.json ? options.status : undefined);
    await Promise.race([stop.stopped, lastFailure(torrents, { ...options, signal: stop.signal })]);
    endStatus();
    progress.stop();
    sayGoodbye(torrents, options);
  } catch (error) {
    if (!stop.signal.aborted) throw error;
  } finally {
    progress.stop();
    await swarm.close();
  }
}

/** Null: nothing was named, and everything from earlier runs is meant. */
async function pairsOf(args: readonly string[], options: SeedOptions): Promise<Pair[] | null> {
  const pairs = pairsFromArgs(args);
  if (options.list !== undefined) {
    const text = fromUtf8(await nodeFiles.read(options.list, MAX_LIST_BYTES));
    if (text === null) throw new UsageError(`"${options.list}" is no text in UTF-8`);
    pairs.push(...pairsFromList(text, options.list));
    if (pairs.length === 0) throw new ShoalError('NOTHING_TO_DO', `"${options.list}" names nothing to seed`);
  }
  return pairs.length === 0 ? null : pairs;
}

async function addPairs(
  pairs: readonly Pair[],
  swarm: Swarm,
  options: SeedOptions,
  stop: StopWatch,
): Promise<readonly Torrent[]> {
  return sideBySide(pairs, AT_ONCE, (pair) => stop.race(addPair(pair, swarm, options, stop)));
}

/** Resolves when the content is verified. */
async function addPair(pair: Pair, swarm: Swarm, options: SeedOptions, stop: StopWatch): Promise<Torrent> {
  const source = await readFileSource(pair.file);
  const contentPath = await contentRoot(nodeFiles, source.metainfo.info, resolve(pair.path));
  const request = await requestOf(source, swarm, options);
  const { signal } = stop;
  const torrent = await swarm.session.add({ ...request, contentPath, mode: 'seed', recheck: 'always' }, { signal });
  await torrent.completed({ signal });
  const { pieceCount, name } = source.metainfo.info;
  note(`verified ${count(pieceCount, 'piece')} of ${name} (${algorithmOf(source.metainfo)}): all good`);
  return torrent;
}

/** Said once everything can be fetched from here. */
function announceReady(swarm: Swarm, torrents: readonly Torrent[], options: SeedOptions): void {
  const listen = listenTexts(swarm.session);
  const peerId = toHex(swarm.session.peerId);
  if (options.json) printJson({ event: 'ready', listen, peerId, torrents: torrents.map(torrentFacts) });
  else print(`seeding ${count(torrents.length, 'torrent')} on ${listen.join(' and ')}; Ctrl-C ends it`);
}

function sayGoodbye(torrents: readonly Torrent[], options: SeedOptions): void {
  if (options.json) {
    printJson({ event: 'stopped', torrents: torrents.map(trafficFacts) });
    return;
  }
  const uploaded = torrents.reduce((sum, torrent) => sum + torrent.snapshot().uploadedBytes, 0);
  note(`stopped; ${formatBytes(uploaded)} uploaded; 'shoal seed' takes it all up again`);
}
