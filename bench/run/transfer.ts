// One transfer: seeds and leeches as processes of their own, from the start of the leeches until the last says it has everything.

import { chmodSync, existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Client, Job, Role } from '../clients/client.ts';
import { sameContent } from './payload.ts';
import { loopbackBytes, type Usage } from './proc.ts';
import { Program } from './program.ts';
import type { Scene } from './scene.ts';
import { pause, wait } from './wait.ts';

const SEEDS_READY_MS = 60_000;
/** After the seeds' announces: time for them to become quiet. */
const REST_MS = 300;
/** More than handshakes, bitfields and announces of all; at any rate sent within a few milliseconds. */
const PAYLOAD_BEGUN_BYTES = 64 * 1024;
const LOOK_SHARP_MS = 2;
const LOOK_MS = 10;
/** Why a run failed that took too long. */
const NOT_DONE = 'not done';

export interface Part {
  readonly client: Client;
  /** 0 or left out: no limit. */
  readonly uploadBytesPerSecond?: number;
  readonly downloadBytesPerSecond?: number;
}

export interface TransferJob {
  readonly torrent: string;
  readonly content: string;
  readonly lengthBytes: number;
  readonly seeds: readonly Part[];
  readonly leeches: readonly Part[];
  readonly timeoutMs: number;
  /** Told often: how many bytes the loopback device has carried since the leeches' start. */
  readonly meter?: (ms: number, bytes: number) => void;
  /** Told at the end: from when to when the transfer is taken to have lasted, in ms since 1970. */
  readonly span?: (fromMs: number, untilMs: number) => void;
}

/** Of leeches: the sum of CPU seconds and the most memory of any. Of seeds: since the leeches' start. */
export interface TransferFigures {
  /** From the first payload byte on the wire to the end of the last leech; the clock of all rates. */
  readonly seconds: number;
  readonly megabytesPerSecond: number;
  /** From the first block on disk instead; 0 where it was not seen. */
  readonly secondsFromDisk: number;
  /** From the start of the leeches' processes. */
  readonly wallSeconds: number;
  readonly leechCpuSeconds: number;
  readonly leechPrivateMib: number;
  readonly leechRssMib: number;
  readonly seedCpuSeconds: number;
  readonly seedPrivateMib: number;
  readonly seedRssMib: number;
}

export type Outcome<Figures> =
  | { readonly ok: true; readonly figures: Figures }
  /** `wrong`: no matter of time, so it is told however late it is. */
  | { readonly ok: false; readonly why: string; readonly wrong?: true };

interface Member {
  readonly program: Program;
  readonly job: Job;
}

/** Runs it and compares every copy with the source; whatever happens, no process and no copy is left. */
export async function transfer(scene: Scene, job: TransferJob): Promise<Outcome<TransferFigures>> {
  const run = scene.place.fresh('transfer');
  const members: Member[] = [];
  const join = (role: Role, part: Part): Member => {
    const member = start(scene, run, members.length, role, part, job);
    members.push(member);
    return member;
  };
  scene.tracker.forget();
  try {
    const seeds = job.seeds.map((part) => join('seed', part));
    const areReady = (): boolean => scene.tracker.seeds >= seeds.length;
    const why = await watch(members, areReady, SEEDS_READY_MS, LOOK_MS);
    if (why !== null) return { ok: false, why: `seeds: ${why}`, ...(why !== NOT_DONE && { wrong: true }) };
    await pause(REST_MS);
    return await measure(scene, job, seeds, () => job.leeches.map((part) => join('leech', part)));
  } finally {
    await Promise.all(members.map(({ program }) => program.stop()));
    scene.place.discard(run);
  }
}

async function measure(
  scene: Scene,
  job: TransferJob,
  seeds: readonly Member[],
  startLeeches: () => readonly Member[],
): Promise<Outcome<TransferFigures>> {
  const before = seeds.map(({ program }) => program.usage().cpuSeconds);
  for (const { program } of seeds) program.forgetPeaks();
  const quietBytes = loopbackBytes();
  const leeches = startLeeches();
  const startedMs = leeches[0]!.program.startedMs;
  const first = { wireMs: 0, diskMs: 0 };
  const ends = new Map<Member, { readonly usage: Usage; readonly ms: number }>();
  const look = (): boolean => {
    const bytes = first.wireMs === 0 || job.meter ? loopbackBytes() - quietBytes : 0;
    if (first.wireMs === 0 && bytes > PAYLOAD_BEGUN_BYTES) first.wireMs = Date.now();
    job.meter?.(performance.now(), bytes);
    if (first.diskMs === 0 && leeches.some(({ job: { contentPath } }) => hasBlocks(contentPath)))
      first.diskMs = Date.now();
    for (const leech of leeches) {
      if (ends.has(leech) || !existsSync(leech.job.done)) continue;
      ends.set(leech, { usage: leech.program.usage(), ms: statSync(leech.job.done).mtimeMs });
    }
    return ends.size === leeches.length;
  };
  const begun = (): boolean => look() || (first.wireMs > 0 && first.diskMs > 0);
  const all = [...seeds, ...leeches];
  const why =
    (await watch(all, begun, job.timeoutMs, LOOK_SHARP_MS)) ??
    (await watch(all, look, job.timeoutMs - (Date.now() - startedMs), LOOK_MS));
  if (why !== null) {
    const seconds = Math.round((Date.now() - startedMs) / 1000);
    const told = `${why} after ${seconds} s; ${ends.size} of ${leeches.length} had everything`;
    return { ok: false, why: told, ...(why !== NOT_DONE && { wrong: true }) };
  }

  const endMs = Math.max(...[...ends.values()].map(({ ms }) => ms));
  const after = seeds.map(({ program }) => program.usage().cpuSeconds);
  const leechPeaks = peaksOf(leeches);
  const seedPeaks = peaksOf(seeds);
  const differing = leeches.filter(({ job: { contentPath } }) => !sameContent(job.content, contentPath));
  if (differing.length > 0)
    return { ok: false, why: `${differing.length} of ${leeches.length} copies differ`, wrong: true };
  // Where the network is not ours alone, its counter tells nothing.
  const fromMs = (scene.ownNetwork ? first.wireMs : first.diskMs) || startedMs;
  job.span?.(fromMs, endMs);
  const seconds = (endMs - fromMs) / 1000;
  return {
    ok: true,
    figures: {
      seconds,
      megabytesPerSecond: job.lengthBytes / 1e6 / seconds,
      secondsFromDisk: first.diskMs === 0 ? 0 : (endMs - first.diskMs) / 1000,
      wallSeconds: (endMs - startedMs) / 1000,
      leechCpuSeconds: [...ends.values()].reduce((sum, { usage }) => sum + usage.cpuSeconds, 0),
      leechPrivateMib: leechPeaks.privateMib,
      leechRssMib: leechPeaks.rssMib,
      seedCpuSeconds: after.reduce((sum, cpu, i) => sum + cpu - before[i]!, 0),
      seedPrivateMib: seedPeaks.privateMib,
      seedRssMib: seedPeaks.rssMib,
    },
  };
}

function peaksOf(members: readonly Member[]): { readonly privateMib: number; readonly rssMib: number } {
  const peaks = members.map(({ program }) => program.peaks);
  return {
    privateMib: Math.max(...peaks.map(({ privateMib }) => privateMib)),
    rssMib: Math.max(...peaks.map(({ rssMib }) => rssMib)),
  };
}

/** Waits for `condition`; gives why it did not come. */
async function watch(
  members: readonly Member[],
  condition: () => boolean,
  timeoutMs: number,
  everyMs: number,
): Promise<string | null> {
  let isMet = false;
  const isOver = (): boolean => {
    isMet = condition();
    return isMet || members.some(({ program }) => program.ended);
  };
  const inTime = await wait(isOver, timeoutMs, everyMs);
  if (isMet) return null;
  if (!inTime) return NOT_DONE;
  const dead = members.find(({ program }) => program.ended)?.program;
  return `${dead?.name} ended by itself: ${dead?.lastWords()}`;
}

function start(scene: Scene, run: string, index: number, role: Role, part: Part, job: TransferJob): Member {
  const home = join(run, `${role}-${index}`);
  mkdirSync(home);
  const folder = role === 'seed' ? dirname(job.content) : join(home, 'content');
  mkdirSync(folder, { recursive: true });
  const done = join(home, 'done');
  const doneScript = join(home, 'done.sh');
  writeFileSync(doneScript, `#!/bin/sh\n: > '${done}'\n`);
  chmodSync(doneScript, 0o755);
  const own: Job = {
    torrent: job.torrent,
    contentPath: join(folder, basename(job.content)),
    folder,
    home,
    ...scene.address(index),
    uploadBytesPerSecond: part.uploadBytesPerSecond ?? 0,
    downloadBytesPerSecond: part.downloadBytesPerSecond ?? 0,
    done,
    doneScript,
  };
  const name = `${part.client.name} ${role}`;
  return { program: new Program(name, part.client.command(own, role), home, join(home, 'log')), job: own };
}

/** Programs name an unfinished file as they like. A folder counts as soon as it is there. */
function hasBlocks(contentPath: string): boolean {
  for (const ending of ['', '.part', '.!qB']) {
    const info = statSync(contentPath + ending, { throwIfNoEntry: false });
    if (info !== undefined && (info.blocks > 0 || info.isDirectory())) return true;
  }
  return false;
}
