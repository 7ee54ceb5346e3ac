// A tracker that is filled with peers and then asked: it has cores of its own, and the generator has the last one.

import { get } from 'node:http';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { missingPrograms } from '../clients/here.ts';
import { Program } from '../run/program.ts';
import type { Scene } from '../run/scene.ts';
import type { Outcome } from '../run/transfer.ts';
import { pause } from '../run/wait.ts';
import { type Generator, generate, infoHash, type Load, type LoadFigures, OWN, SECOND } from './generator.ts';
import type { TrackerProgram } from './trackers.ts';

const READY_MS = 30_000;
const LOOK_MS = 20;
/** Trackers may limit what one address asks, though not their own machine, from where all the peers of the generators come. */
const IP = '127.0.0.1';
const PORT = 6969;
const FILL_WINDOW = 64;

export interface AskedFigures extends LoadFigures {
  /** Of the tracker, while it was asked: time of a core for one announce. */
  readonly cpuMicroseconds: number;
  /** Of the tracker: the share of one core. */
  readonly trackerCore: number;
  readonly rssMib: number;
  /** Its main thread could have run, and had no core: the share of the time. What a busy machine costs it. */
  readonly waited: number;
}

interface Place {
  readonly ip: string;
  readonly port: number;
}

export class Stand {
  readonly program: Program;
  readonly #pin: readonly string[];
  readonly #at: Place;

  /** Rejects where the tracker does not answer. `number`: of several at a time. */
  static async open(scene: Scene, tracker: TrackerProgram, torrents: number, number = 0): Promise<Stand> {
    const home = scene.place.fresh(`tracker-${number}`);
    const at = { ip: IP, port: PORT + number };
    const { argv, ...rest } = tracker.command({ ...at, home, torrents });
    const program = new Program(
      tracker.name,
      { argv: [...pinTracker(tracker.cores), ...argv], ...rest },
      home,
      join(home, 'log'),
    );
    const stand = new Stand(program, at);
    const deadlineMs = performance.now() + READY_MS;
    while (!(await isAnswering(at))) {
      if (program.ended || performance.now() > deadlineMs) {
        await program.stop();
        throw new Error(`it does not answer: ${program.lastWords()}`);
      }
      await pause(LOOK_MS);
    }
    return stand;
  }

  private constructor(program: Program, at: Place) {
    this.program = program;
    this.#at = at;
    this.#pin = pinGenerator();
  }

  /** Every peer announces once, over UDP. */
  async fill(
    torrents: number,
    peersPerTorrent: number,
    seconds: number,
    isSharing = false,
  ): Promise<Outcome<AskedFigures>> {
    const shape = { protocol: 'udp', torrents, peersPerTorrent, seconds, numWant: 0, leastPeers: 0 } as const;
    const load = { ...shape, window: FILL_WINDOW, perSecond: null, closes: false, isFill: true, isSharing };
    return this.ask(OWN.missing(load) === null ? OWN : SECOND, load);
  }

  async ask(generator: Generator, load: Load): Promise<Outcome<AskedFigures>> {
    const before = this.program.usage().cpuSeconds;
    const waitedBefore = this.program.waitedSeconds();
    const beganMs = performance.now();
    const outcome = await generate(generator, load, this.#at, this.#pin);
    const seconds = (performance.now() - beganMs) / 1000;
    const { cpuSeconds, rssMib } = this.program.usage();
    const waited = (this.program.waitedSeconds() - waitedBefore) / seconds;
    if (this.program.ended) return { ok: false, why: `it ended: ${this.program.lastWords()}` };
    if (!outcome.ok) return outcome;
    const cpu = cpuSeconds - before;
    const cpuMicroseconds = (1e6 * cpu) / outcome.figures.answered;
    return { ok: true, figures: { ...outcome.figures, cpuMicroseconds, trackerCore: cpu / seconds, rssMib, waited } };
  }
}

/** Whether it answers over HTTP; all of them open UDP before or at once. */
function isAnswering({ ip, port }: Place): Promise<boolean> {
  const hash = infoHash(0).toString('hex').replace(/../g, '%$&');
  return new Promise((done) => {
    const request = get({ host: ip, port, path: `/scrape?info_hash=${hash}`, agent: false, timeout: 1000 });
    request.on('response', (response) => {
      response.resume();
      done(true);
    });
    request.on('error', () => done(false));
    request.on('timeout', () => request.destroy());
  });
}

/** What is not as it should be for a measurement. */
export function standNotes(): readonly string[] {
  const noPin = missingPrograms('taskset') === null ? [] : ['no taskset: tracker and generator share their cores'];
  const oneCore = availableParallelism() < 2 ? ['one core alone: tracker and generator share it'] : [];
  return [...noPin, ...oneCore];
}

/** Whether a tracker of so many cores and a generator have cores of their own. */
export function hasCores(cores: number): boolean {
  return availableParallelism() > cores;
}

/** Where there are too few, it has the generator's too. */
function pinTracker(cores: number): readonly string[] {
  return pin(`0-${Math.min(cores, availableParallelism()) - 1}`);
}

/** Words before a command that is to run on the generator's core. */
export function pinGenerator(): readonly string[] {
  return pin(String(availableParallelism() - 1));
}

function pin(list: string): readonly string[] {
  return availableParallelism() < 2 || missingPrograms('taskset') !== null ? [] : ['taskset', '-c', list];
}
