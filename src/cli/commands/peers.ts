// shoal peers: asks every tracker for the swarm, lists what each says, and takes its leave again.

import type { Address } from '../../base/address.ts';
import { describeError, ShoalError } from '../../base/errors.ts';
import { makePeerId } from '../../base/ids.ts';
import type { Env } from '../../ports/env.ts';
import { TrackerClient } from '../../tracker/client/client.ts';
import type { AnnounceRequest } from '../../tracker/protocol/announce.ts';
import { type ListenText, parseTrackers } from '../args.ts';
import { EXIT_FAILED } from '../errors.ts';
import { hexOrNull } from '../facts.ts';
import type { JsonOption } from '../options.ts';
import { print, printJson } from '../output.ts';
import { printable } from '../render/printable.ts';
import { count } from '../render/quantities.ts';
import { watchSignals } from '../signals.ts';
import { readSource, type Source } from '../source.ts';
import { loadHttp, openWorld, resolveListen } from '../world.ts';

export interface PeersOptions extends JsonOption {
  readonly tracker: readonly string[];
  readonly listen?: ListenText;
}

/** A tracker that does not answer in this time is told as such. */
const TIMEOUT_MS = 15_000;
/** What a leech would ask for; trackers give as many as they like. */
const PEERS_WANTED = 200;
/** The port that is told: peers that try it find nobody, and the tracker is told at once that we leave. */
const PORT_TOLD = 6881;

interface TrackerAnswer {
  readonly url: string;
  readonly infoHash: string;
  readonly error: string | null;
  readonly warning: string | null;
  readonly seeds: number | null;
  readonly leeches: number | null;
  readonly interval: number | null;
  readonly peers: readonly string[];
}

export async function run(text: string, options: PeersOptions): Promise<void> {
  const stop = watchSignals({ exitCode: () => EXIT_FAILED, word: () => '' });
  const extra = parseTrackers(options.tracker).flat();
  const env = await openWorld(undefined);
  try {
    const { ip } = await resolveListen(env.sockets, options.listen);
    const source = await stop.race(readSource(text, { http: loadHttp, from: ip, signal: stop.signal }));
    const urls = [...new Set([...trackersOf(source), ...extra])];
    if (urls.length === 0) {
      throw new ShoalError('NO_PEERS', 'it names no tracker to ask; name one with --tracker URL');
    }
    const answers = await stop.race(askAll(env, hashesOf(source), urls, ip, stop.signal));
    say(source, answers, options);
    if (answers.every((answer) => answer.error !== null)) {
      throw new ShoalError('TRACKER_FAILED', `${answers[0]!.url}: ${answers[0]!.error}; no tracker answers`);
    }
  } finally {
    await env.close();
  }
}

function trackersOf(source: Source): readonly string[] {
  return source.kind === 'magnet' ? source.magnet.trackers : source.metainfo.trackers.flat();
}

/** 20 bytes each: a hybrid torrent has two swarms (BEP 52). */
function hashesOf(source: Source): Uint8Array[] {
  const { infoHashV1, infoHashV2 } = source.kind === 'magnet' ? source.magnet : source.metainfo.info;
  return [infoHashV1, infoHashV2?.slice(0, 20) ?? null].filter((hash) => hash !== null);
}

async function askAll(
  env: Env,
  hashes: readonly Uint8Array[],
  urls: readonly string[],
  from: Uint8Array | null,
  signal: AbortSignal,
): Promise<TrackerAnswer[]> {
  const client = new TrackerClient(env, { from });
  const base = {
    peerId: makePeerId((bytes) => env.random.fill(bytes)),
    key: env.random.below(2 ** 32),
  };
  try {
    const asked = urls.flatMap((url) => hashes.map((infoHash) => ask(client, url, { ...base, infoHash }, signal)));
    return await Promise.all(asked);
  } finally {
    await client.close();
  }
}

type Who = Pick<AnnounceRequest, 'infoHash' | 'peerId' | 'key'>;

async function ask(client: TrackerClient, url: string, who: Who, stop: AbortSignal): Promise<TrackerAnswer> {
  const signal = AbortSignal.any([stop, AbortSignal.timeout(TIMEOUT_MS)]);
  const request: AnnounceRequest = {
    ...who,
    port: PORT_TOLD,
    uploaded: 0,
    downloaded: 0,
    // Something is left: a seed would be told of leeches only.
    left: 1,
    event: 'started',
    numWant: PEERS_WANTED,
    trackerId: null,
  };
  const answer = { url, infoHash: hexOrNull(who.infoHash)!, error: null, warning: null };
  try {
    const reply = await client.announce(url, request, { signal });
    const leave = { ...request, event: 'stopped', numWant: 0, trackerId: reply.trackerId } as const;
    const left = await client.announce(url, leave, { signal }).catch(() => null);
    const { seeds, intervalS, warning } = reply;
    // Most trackers count who asks as a leech, and say so by one less when it leaves.
    const leeches = left?.leeches === (reply.leeches ?? 0) - 1 ? left.leeches : reply.leeches;
    return { ...answer, warning, seeds, leeches, interval: intervalS, peers: reply.peers.map(keyOf) };
  } catch (error) {
    const text = signal.aborted ? `no answer within ${TIMEOUT_MS / 1000} s` : describeError(error);
    return { ...answer, error: text, seeds: null, leeches: null, interval: null, peers: [] };
  }
}

function keyOf(address: Address): string {
  return address.key;
}

function say(source: Source, answers: readonly TrackerAnswer[], options: PeersOptions): void {
  if (options.json) {
    const { name, infoHashV1, infoHashV2 } = source.kind === 'magnet' ? source.magnet : source.metainfo.info;
    const peers = [...new Set(answers.flatMap((answer) => answer.peers))];
    printJson({ name, infoHashV1: hexOrNull(infoHashV1), infoHashV2: hexOrNull(infoHashV2), trackers: answers, peers });
    return;
  }
  const several = new Set(answers.map((answer) => answer.infoHash)).size > 1;
  print(answers.map((answer) => render(answer, several)).join('\n'));
}

/** A hybrid torrent has two swarms at each tracker: `several`. */
function render(answer: TrackerAnswer, several: boolean): string {
  const url = `${printable(answer.url)}${several ? ` (${answer.infoHash.slice(0, 12)})` : ''}`;
  if (answer.error !== null) return `${url}: ${printable(answer.error)}`;
  const known = (number: number | null, noun: string): string =>
    number === null ? `unknown ${noun}s` : count(number, noun);
  const seeds = known(answer.seeds, 'seed');
  const leeches = answer.leeches === 1 ? '1 leech' : `${answer.leeches ?? 'unknown'} leeches`;
  const lines = [`${url}: ${seeds}, ${leeches}, asks again every ${answer.interval} s`];
  if (answer.warning !== null) lines.push(`  warning: ${printable(answer.warning)}`);
  for (const peer of answer.peers) lines.push(`  ${peer}`);
  return lines.join('\n');
}
