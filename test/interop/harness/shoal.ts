// Shoal as its users run it: by its command line.

import { fileURLToPath } from 'node:url';
import type { Running } from './client.ts';
import type { Place } from './network.ts';
import type { Program, Said } from './program.ts';
import type { Stage } from './stage.ts';
import { until } from './until.ts';

const SHOAL = fileURLToPath(new URL('../../../bin/shoal.js', import.meta.url));

/** Of what `create --json` says. */
export interface Created {
  readonly name: string;
  readonly infoHashV1: string | null;
  readonly infoHashV2: string | null;
  readonly pieceLength: number;
  readonly pieceCount: number;
  readonly length: number;
  readonly files: readonly { readonly path: string; readonly length: number; readonly padding?: boolean }[];
  readonly magnet: string;
}

/** Of what `get --json` says. */
export interface GetReport {
  readonly path: string;
  readonly length: number;
  readonly uploaded: number;
  /** Peers that sent something. */
  readonly peers: number;
  readonly pieces: number;
  readonly verified: number;
}

export interface Getting extends Running {
  /** Resolves at its end, which must be a success. */
  finished(): Promise<GetReport>;
}

interface SwarmJob {
  /** Peers to connect to, `ip:port`. */
  readonly peers?: readonly string[];
  readonly maxUpload?: number;
}

/** Runs a command to its end; gives what it prints. */
export function shoal(stage: Stage, args: readonly string[]): Promise<string> {
  return stage.run(process.execPath, [SHOAL, ...args]);
}

/** `shoal create PATH …`; gives the torrent file's path and what the command says about it. */
export async function createTorrent(
  stage: Stage,
  path: string,
  options: readonly string[] = [],
): Promise<Created & { readonly file: string }> {
  const folder = await stage.newFolder('torrent');
  const text = await shoal(stage, ['create', path, '-o', `${folder}/made.torrent`, '--json', ...options]);
  return JSON.parse(text) as Created & { file: string };
}

/** `shoal seed TORRENT PATH …`: resolves when everything is verified and others can come. */
export async function seedWithShoal(stage: Stage, torrent: string, path: string, job: SwarmJob = {}): Promise<Running> {
  const running = await startSwarm(stage, 'shoal seed', ['seed', torrent, path], job);
  await ready(stage, running.program);
  return running;
}

/** `shoal get SOURCE -o PARENT …`: resolves when it listens. */
export async function getWithShoal(stage: Stage, source: string, parent: string, job: SwarmJob = {}): Promise<Getting> {
  const running = await startSwarm(stage, 'shoal get', ['get', source, '-o', parent], job);
  const { program } = running;
  const finished = async (): Promise<GetReport> => {
    const code = await program.exit();
    if (code !== 0) throw new Error(`shoal get ended with ${code}`);
    return JSON.parse(program.stdout) as GetReport;
  };
  return { ...running, finished };
}

/** Waits until `shoal peers` finds a peer at `place` in all answers of all trackers of a torrent file. */
export async function knownToTrackers(stage: Stage, torrent: string, place: Place): Promise<void> {
  const everyoneKnows = async (): Promise<boolean> => {
    const text = await shoal(stage, ['peers', torrent, '--json']);
    const { trackers } = JSON.parse(text) as { trackers: readonly { readonly peers: readonly string[] }[] };
    return trackers.every(({ peers }) => peers.includes(place.text));
  };
  await until(`trackers to know of ${place.text}`, everyoneKnows);
}

/** `shoal tracker`: resolves when it serves. */
export async function trackWithShoal(
  stage: Stage,
  place: Place = stage.network.place(),
  options: readonly string[] = [],
): Promise<Place> {
  const state = await stage.newFolder('state');
  const args = [SHOAL, 'tracker', '--listen', place.text, '--state', state, '--json', ...options];
  await ready(stage, stage.start('shoal tracker', process.execPath, args));
  return place;
}

async function startSwarm(stage: Stage, name: string, args: readonly string[], job: SwarmJob): Promise<Running> {
  const place = stage.network.place();
  const state = await stage.newFolder('state');
  const peers = (job.peers ?? []).flatMap((peer) => ['--peer', peer]);
  const limit = job.maxUpload === undefined ? [] : ['--max-upload', String(job.maxUpload)];
  const all = [SHOAL, ...args, '--listen', place.text, '--state', state, '--json', ...peers, ...limit];
  const program = stage.start(name, process.execPath, all);
  return { place, program };
}

async function ready(stage: Stage, program: Program): Promise<Said> {
  const isReady = (said: Said): boolean => said.event === 'ready';
  return await stage.until(`${program.name} to be ready`, [program], () => program.said.find(isReady));
}
