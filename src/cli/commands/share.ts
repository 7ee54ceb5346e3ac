// shoal share: makes a torrent file, runs a tracker where none is named, and seeds at once.

import { resolve } from 'node:path';
import type { Address } from '../../base/address.ts';
import { toHex } from '../../base/bytes.ts';
import type { Torrent } from '../../torrent/torrent.ts';
import { DEFAULT_TRACKER_PORT, parseTrackers, UsageError } from '../args.ts';
import { EXIT_DONE } from '../errors.ts';
import { factsOf } from '../facts.ts';
import { lastFailure } from '../failures.ts';
import { checkFormat, make, outputPath, writeOut } from '../making.ts';
import type { CreateOptions, SwarmOptions } from '../options.ts';
import { note, print, printJson } from '../output.ts';
import { announceUrl, openOwnTracker } from '../own-tracker.ts';
import { printable } from '../render/printable.ts';
import { formatBytes } from '../render/quantities.ts';
import { type StopWatch, watchSignals } from '../signals.ts';
import { decodeFile, type FileSource } from '../source.ts';
import { reportStatus } from '../status.ts';
import { listenTexts, openSwarm, requestOf, type Swarm, showTorrents, torrentFacts, trafficFacts } from '../swarm.ts';

export interface ShareOptions extends CreateOptions, SwarmOptions {
  /** Under what name others reach the tracker that runs here. */
  readonly host?: string;
}

export async function run(path: string, options: ShareOptions): Promise<void> {
  if (options.output === '-') throw new UsageError('share stays and talks on stdout; write the torrent to a file');
  if (options.host !== undefined && options.tracker.length > 0) {
    throw new UsageError('--host is for the tracker that share runs itself; with --tracker it runs none');
  }
  const named = parseTrackers(options.tracker);
  if (named.length > 0) checkFormat(options, named);
  const stop = watchSignals({ exitCode: () => EXIT_DONE, word: () => 'stopping; again to end at once' });
  const swarm = await openSwarm(options);
  const closers: (() => Promise<void>)[] = [() => swarm.close()];
  try {
    let trackers = named;
    let ownTracker: Address | null = null;
    if (trackers.length === 0) {
      const tracker = await openOwnTracker(swarm.env, swarm.from);
      closers.unshift(() => tracker.close());
      ownTracker = tracker.addresses[0]!;
      trackers = [[announceUrl(swarm.env.sockets, ownTracker, options.host ?? null)]];
      checkFormat(options, trackers);
    }
    await share(path, swarm, trackers, ownTracker, options, stop);
  } catch (error) {
    if (!stop.signal.aborted) throw error;
  } finally {
    // The session first says goodbye to the tracker, which then ends.
    for (const close of closers.reverse()) await close();
  }
}

async function share(
  path: string,
  swarm: Swarm,
  trackers: readonly (readonly string[])[],
  ownTracker: Address | null,
  options: ShareOptions,
  stop: StopWatch,
): Promise<void> {
  const target = await outputPath(swarm.env, path, options);
  const created = await stop.race(make(swarm.env, path, options, trackers, stop.signal));
  await writeOut(swarm.env, target, created.bytes);
  const progress = await showTorrents(swarm.session);
  try {
    const torrent = await stop.race(seed(decodeFile(created.bytes, target!), path, swarm, options, stop.signal));
    const { magnet } = factsOf(created.metainfo);
    const listen = listenTexts(swarm.session);
    const urls = trackers.flat();
    if (options.json) {
      const peerId = toHex(swarm.session.peerId);
      const torrents = [torrentFacts(torrent)];
      printJson({ event: 'ready', listen, peerId, torrent: target, magnet, trackers: urls, torrents });
    } else {
      print(`${printable(target!)}\n${magnet}\n\nseeding on ${listen.join(' and ')}, tracker ${urls.join(', ')}`);
      print(`others fetch it with 'shoal get' and the link, or a copy of the file; Ctrl-C ends it`);
    }
    const endStatus = reportStatus([torrent], options.json ? options.status : undefined);
    await Promise.race([stop.stopped, lastFailure([torrent], { ...options, signal: stop.signal })]);
    endStatus();
    progress.stop();
    if (options.json) printJson({ event: 'stopped', torrents: [trafficFacts(torrent)] });
    else note(`stopped; ${formatBytes(torrent.snapshot().uploadedBytes)} uploaded; ${howToGoOn(ownTracker)}`);
  } finally {
    progress.stop();
  }
}

/** What `shoal seed` takes up is the torrent, not the tracker that ran here. */
function howToGoOn(ownTracker: Address | null): string {
  if (ownTracker === null) return "'shoal seed' takes it up again";
  const listen = ownTracker.port === DEFAULT_TRACKER_PORT ? '' : ` --listen ${ownTracker.key}`;
  return `'shoal seed' takes it up again, with 'shoal tracker${listen}' beside it`;
}

async function seed(
  source: FileSource,
  path: string,
  swarm: Swarm,
  options: ShareOptions,
  signal: AbortSignal,
): Promise<Torrent> {
  const request = await requestOf(source, swarm, options);
  const contentPath = resolve(path);
  const torrent = await swarm.session.add({ ...request, contentPath, mode: 'seed', recheck: 'never' }, { signal });
  await torrent.completed({ signal });
  return torrent;
}
