// shoal get: fetches a torrent, uploads meanwhile, says what was verified, and stays as a seed when asked to.

import { toHex } from '../../base/bytes.ts';
import { ShoalError } from '../../base/errors.ts';
import type { Metainfo } from '../../metainfo/types.ts';
import type { AddRequest } from '../../session/request.ts';
import type { Torrent } from '../../torrent/torrent.ts';
import { EXIT_DONE, EXIT_FAILED, failureOf } from '../errors.ts';
import { algorithmOf } from '../facts.ts';
import { lastFailure } from '../failures.ts';
import { runHook } from '../hook.ts';
import type { SwarmOptions } from '../options.ts';
import { note, print, printJson } from '../output.ts';
import { count, formatBytes, formatDuration, formatPercent, formatRate, formatRatio } from '../render/quantities.ts';
import { type StopWatch, watchSignals } from '../signals.ts';
import { readSource, type Source } from '../source.ts';
import { stallLine, watchStall } from '../stall.ts';
import { reportStatus } from '../status.ts';
import { listenTexts, openSwarm, requestOf, type Swarm, showTorrents, torrentFacts, trafficFacts } from '../swarm.ts';
import { Takings } from '../takings.ts';
import { loadHttp, usableFolder } from '../world.ts';

export interface GetOptions extends SwarmOptions {
  /** Where the content is put. */
  readonly output: string;
  readonly keepSeeding?: boolean;
  readonly seedRatio?: number;
  readonly onComplete?: string;
  readonly preallocate?: boolean;
}

export async function run(text: string, options: GetOptions): Promise<void> {
  let torrent: Torrent | null = null;
  let complete = false;
  const stop = watchSignals({
    exitCode: () => (complete ? EXIT_DONE : EXIT_FAILED),
    word: () => 'stopping; again to end at once',
    lastWord: () => (complete ? '' : (failureOf(unfinished(torrent), 'get').line ?? '')),
  });
  const stays = options.keepSeeding === true || options.seedRatio !== undefined;
  const swarm = await openSwarm(options);
  const progress = await showTorrents(swarm.session);
  try {
    const source = await stop.race(readSource(text, { http: loadHttp, from: swarm.from, signal: stop.signal }));
    const request = await requestOf(source, swarm, options);
    if (source.kind !== 'magnet') checkOnly(source.metainfo, request);
    const saveFolder = await usableFolder(options.output);
    const { preallocate = false } = options;
    const added = { ...request, saveFolder, mode: 'get', recheck: 'as-needed', preallocate } as const;
    torrent = await stop.race(swarm.session.add(added, { signal: stop.signal }));
    if (options.json && stays) {
      const { peerId } = swarm.session;
      const listen = listenTexts(swarm.session);
      printJson({ event: 'ready', listen, peerId: toHex(peerId), ...torrentFacts(torrent) });
    }
    const endStatus = reportStatus([torrent], options.json && stays ? options.status : undefined);
    const takings = await fetchAll(torrent, source, swarm, options, stop);
    // What a link takes is known once peers have sent the metadata; where that is nothing, all of it is there at once.
    checkOnly(await torrent.metadata(), request);
    complete = true;
    const report = await reportOf(torrent, takings);
    if (options.json) printJson(stays ? { event: 'complete', ...report } : report);
    else print(render(report));
    await runOnComplete(torrent, report.path, options, stays, stop);
    if (!stays) return;
    await seedOn(torrent, options, stop);
    endStatus();
    if (options.json) printJson({ event: 'stopped', ...trafficFacts(torrent) });
    else note("stopped; 'shoal seed' goes on with it");
  } catch (error) {
    if (stop.signal.aborted && !complete) throw unfinished(torrent);
    throw error;
  } finally {
    progress.stop();
    await swarm.close();
  }
}

/** Files are selected by `--only`, or by the link. */
function checkOnly({ info }: Metainfo, { only }: Pick<AddRequest, 'only'>): void {
  if (!only || info.files.some((file, index) => !file.padding && only(file.path.join('/'), index))) return;
  throw new ShoalError('NOTHING_TO_DO', "that takes none of the files; 'shoal inspect' lists those of a torrent file");
}

/** Resolves when all that is wanted is verified and written. */
async function fetchAll(
  torrent: Torrent,
  source: Source,
  swarm: Swarm,
  options: GetOptions,
  stop: StopWatch,
): Promise<Takings> {
  const takings = new Takings(torrent);
  const endWatch = watchStall(torrent, (report) => {
    note(stallLine(report));
    if (options.json && (options.keepSeeding || options.seedRatio !== undefined)) {
      printJson({ event: 'waiting', ...report });
    }
  });
  try {
    const done = torrent.completed({ signal: stop.signal });
    const asks = hasSourceOfPeers(source, swarm);
    await stop.race(asks ? done : Promise.race([done, noPeers(torrent, source, stop.signal)]));
    return takings;
  } finally {
    endWatch();
    takings.stop();
  }
}

function hasSourceOfPeers(source: Source, swarm: Swarm): boolean {
  if (swarm.peers.length > 0) return true;
  if (source.kind === 'magnet') return source.magnet.trackers.length > 0 || source.magnet.peers.length > 0;
  return source.metainfo.trackers.length > 0;
}

/** Rejects once it is clear that the content is not already here and that nobody can be asked for it. */
async function noPeers(torrent: Torrent, source: Source, signal: AbortSignal): Promise<never> {
  const waits = (): boolean => source.kind === 'magnet' || torrent.snapshot().state === 'downloading';
  if (!waits()) for await (const _ of torrent.changes({ signal })) if (waits()) break;
  throw new ShoalError('NO_PEERS', 'there is no tracker and no peer to ask; name a peer with --peer HOST:PORT');
}

/** The JSON document, and what the text for people is made of. */
export interface GetReport {
  readonly name: string;
  readonly path: string;
  readonly infoHashV1: string | null;
  readonly infoHashV2: string | null;
  /** Bytes of the whole content, and of what `--only` took of it. */
  readonly length: number;
  readonly wanted: number;
  readonly seconds: number;
  readonly bytesPerSecond: number;
  readonly downloaded: number;
  readonly uploaded: number;
  /** Peers that sent blocks. */
  readonly peers: number;
  /** Pieces of the torrent, and how many of them are verified and on disk. */
  readonly pieces: number;
  readonly verified: number;
  readonly algorithm: string;
}

async function reportOf(torrent: Torrent, takings: Takings): Promise<GetReport> {
  const metainfo = await torrent.metadata();
  const end = torrent.snapshot();
  const seconds = takings.seconds;
  return {
    name: metainfo.info.name,
    path: end.path ?? '',
    infoHashV1: end.infoHashV1,
    infoHashV2: end.infoHashV2,
    length: metainfo.info.lengthBytes,
    wanted: end.wantedBytes ?? metainfo.info.lengthBytes,
    seconds: Math.round(seconds * 1000) / 1000,
    bytesPerSecond: seconds > 0 ? Math.round(end.downloadedBytes / seconds) : 0,
    downloaded: end.downloadedBytes,
    uploaded: end.uploadedBytes,
    peers: takings.senders,
    pieces: metainfo.info.pieceCount,
    verified: end.piecesVerified,
    algorithm: algorithmOf(metainfo),
  };
}

function render(report: GetReport): string {
  const { verified, pieces, algorithm } = report;
  const which = verified === pieces ? count(pieces, 'piece') : `${verified} of ${count(pieces, 'piece')}`;
  const from = report.downloaded === 0 ? 'nothing to fetch: it was here already' : fetched(report);
  return `${report.path}\nverified ${which} (${algorithm}): all good\n${from}`;
}

function fetched(report: GetReport): string {
  const { downloaded, seconds, bytesPerSecond, peers, uploaded } = report;
  const took = `${formatBytes(downloaded)} in ${formatDuration(seconds)}, ${formatRate(bytesPerSecond)}`;
  const ratio = formatRatio(downloaded === 0 ? 0 : uploaded / downloaded);
  return `${took} from ${count(peers, 'peer')}; uploaded ${formatBytes(uploaded)} (ratio ${ratio})`;
}

async function runOnComplete(
  torrent: Torrent,
  path: string,
  options: GetOptions,
  stays: boolean,
  stop: StopWatch,
): Promise<void> {
  if (options.onComplete === undefined) return;
  const { name, infoHashV1, infoHashV2 } = torrent.snapshot();
  const facts = { path, name: name ?? '', infoHashV1, infoHashV2 };
  try {
    await runHook(options.onComplete, facts, { json: options.json ?? false, signal: stop.signal });
  } catch (error) {
    if (!stays || !(error instanceof ShoalError)) throw error;
    note(`shoal: ${error.code}: ${error.message}`);
  }
}

const RATIO_LOOK_MS = 500;

/** Until a signal, or until the ratio is reached; rejects where it fails meanwhile. */
async function seedOn(torrent: Torrent, options: GetOptions, stop: StopWatch): Promise<void> {
  const { seedRatio } = options;
  if (seedRatio === undefined) note('seeding on; Ctrl-C ends it');
  else note(`seeding until ${seedRatio} times the size is uploaded; Ctrl-C ends it before`);
  let look: NodeJS.Timeout | undefined;
  const isReached = new Promise<void>((done) => {
    look = setInterval(() => {
      const { uploadedBytes, wantedBytes } = torrent.snapshot();
      if (seedRatio !== undefined && uploadedBytes >= seedRatio * (wantedBytes ?? 0)) done();
    }, RATIO_LOOK_MS);
  });
  try {
    const failure = lastFailure([torrent], { ...options, signal: stop.signal });
    await Promise.race([stop.stopped, isReached, failure]);
  } finally {
    clearInterval(look);
  }
}

function unfinished(torrent: Torrent | null): ShoalError {
  const snapshot = torrent?.snapshot();
  const wanted = snapshot?.wantedBytes ?? 0;
  const part = wanted > 0 ? ` at ${formatPercent(snapshot!.verifiedBytes / wanted)}` : ' before it began';
  return new ShoalError('UNFINISHED', `stopped${part}; run the same command again to go on from there`);
}
