// The demo, step by step: what is done, and what is said about it.

import { statfs } from 'node:fs/promises';
import colors from 'picocolors';
import { ShoalError } from '../../base/errors.ts';
import type { TorrentFacts } from '../facts.ts';
import {
  count,
  formatBytes,
  formatDuration,
  formatPercent,
  formatPieceLength,
  formatRate,
} from '../render/quantities.ts';
import type { StopWatch } from '../signals.ts';
import { type Caps, capsFor } from './caps.ts';
import { type Content, chooseContent, exactly } from './content.ts';
import { allOut, type Kill, killInWindow } from './kills.ts';
import { compareAll } from './proof.ts';
import { conclusion, type DemoReport, killsTable, reportOf, timesTable, trafficTable } from './report.ts';
import type { Screen } from './screen.ts';
import type { Stage } from './stage.ts';
import { DemoSwarm, type Leech, type Member } from './swarm.ts';
import { SwarmView } from './views.ts';

const LEECHES: readonly string[] = ['leech A', 'leech B', 'leech C'];
/** With fewer pieces one of three leeches may well have them all before they are out. */
const FEWEST_PIECES = 8;
/** Leeches meet within a second; the machine may be busy. */
const MEET_SECONDS = 15;
/** Tracker 2 hears of a leech when that next asks tracker 1 in vain: within seconds of its completion. */
const TAKEOVER_MS = 30_000;

/** What `create --json` prints. */
export interface Made extends TorrentFacts {
  readonly altered: readonly string[];
}

/** What `peers --json` prints. */
interface Asked {
  readonly trackers: readonly { readonly seeds: number | null }[];
}

export class Demo {
  readonly #stage: Stage;
  readonly #screen: Screen;
  readonly #stop: StopWatch;
  readonly #swarm: DemoSwarm;

  constructor(stage: Stage, screen: Screen, stop: StopWatch) {
    this.#stage = stage;
    this.#screen = screen;
    this.#stop = stop;
    this.#swarm = new DemoSwarm(stage, stop.signal);
  }

  /** All steps, or an error: UNFINISHED where it could not be shown. That all is equal is for the caller to look at. */
  async perform(path: string | undefined): Promise<DemoReport> {
    this.#screen.line(
      colors.bold('Shoal at work: two trackers, one seed and three leeches, each a process of its own'),
    );
    const content = await chooseContent(path, this.#stop.signal);
    const made = await this.#create(content);
    const caps = capsFor(made.length!);
    await this.#seed(content, caps);
    await this.#discover(made, caps);
    const { kills, outSeconds } = await this.#distribute(caps);
    const { differences, seedsAtTracker2 } = await this.#prove(content, made);
    const { seconds } = this.#screen;
    const report = reportOf(made, content, caps, this.#swarm, {
      seconds,
      outSeconds,
      kills,
      differences,
      seedsAtTracker2,
    });
    this.#conclude(report);
    return report;
  }

  // ---- step 1

  async #create(content: Content): Promise<Made> {
    const screen = this.#screen;
    screen.step(
      '1  Creation',
      'The content becomes a torrent file: the trackers, the names, and a hash of every piece.',
    );
    const { path, caches, tooLarge } = content;
    const trackers = [await this.#swarm.startTracker('tracker 1'), await this.#swarm.startTracker('tracker 2')];
    const urls = trackers.flatMap(({ ready }) => ['--tracker', ready.urls![0]!]);
    const excludes = [...caches, ...tooLarge].flatMap((name) => ['--exclude', exactly(name)]);
    const beganMs = performance.now();
    const made = (await this.#run(['create', path, '-o', this.#torrent, ...urls, ...excludes])) as Made;
    const took = formatDuration((performance.now() - beganMs) / 1000);
    await this.#checkUse(path, made);
    const executable = made.files!.filter((file) => file.executable).length;
    const files = `${count(made.files!.length, 'file')}, ${executable} of them executable`;
    screen.done(`${path}: ${formatBytes(made.length!)} in ${files}`);
    if (caches.length > 0) screen.done(`left out, being caches: ${caches.join(', ')}`);
    if (tooLarge.length > 0) screen.done(`left out, being so large that it would take long: ${tooLarge.join(', ')}`);
    const pieces = `${count(made.pieceCount!, 'piece')} of ${formatPieceLength(made.pieceLength!)}`;
    screen.done(`${pieces}, hashed in ${took}; info hash ${made.infoHashV1}`);
    return made;
  }

  async #checkUse(path: string, made: Made): Promise<void> {
    if (made.pieceCount! < FEWEST_PIECES) {
      const least = formatBytes(FEWEST_PIECES * made.pieceLength!);
      throw new ShoalError('UNFINISHED', `"${path}" is too small to be shared out in pieces; take ${least} or more`);
    }
    if (made.altered.length > 0) {
      const name = made.altered[0]!;
      throw new ShoalError('UNFINISHED', `"${name}" has another name where it is fetched; take content without such`);
    }
    const { folder } = this.#stage;
    const { bavail, bsize } = await statfs(folder);
    const needed = made.length! * LEECHES.length;
    if (bavail * bsize > needed) return;
    throw new ShoalError('DISK_FULL', `three copies need ${formatBytes(needed)} in "${folder}"; set TMPDIR elsewhere`);
  }

  get #torrent(): string {
    return this.#stage.path('demo.torrent');
  }

  #run(args: readonly string[]): Promise<unknown> {
    return this.#stop.race(this.#stage.run(`shoal ${args[0]}`, args));
  }

  // ---- step 2

  async #seed(content: Content, caps: Caps): Promise<void> {
    const screen = this.#screen;
    screen.step('2  Seeding', 'Who has the content, the seed, checks it against the torrent file and tells a tracker.');
    const { actor, ready } = await this.#swarm.startSeed(this.#torrent, content.path, caps);
    for (const tracker of this.#swarm.trackers) {
      screen.done(`${tracker.name}  process ${tracker.actor.pid}, ${tracker.ready.urls![0]}`);
    }
    screen.done(`seed       process ${actor.pid}, ${ready.listen[0]}, may send ${formatRate(caps.seedBytesPerSecond)}`);
    // A leech that came before it would hear of nobody, and may ask again only later.
    await this.#askUntil(([first]) => first! > 0, 'tracker 1 does not list the seed');
    screen.done('tracker 1 lists the seed; tracker 2 is told when tracker 1 does not answer');
  }

  /** Asks both trackers how many seeds they list, until it is as expected. */
  async #askUntil(expected: (seeds: readonly number[]) => boolean, failure: string): Promise<readonly number[]> {
    const beganMs = performance.now();
    for (;;) {
      const { trackers } = (await this.#run(['peers', this.#torrent])) as Asked;
      const seeds = trackers.map((tracker) => tracker.seeds ?? 0);
      if (expected(seeds)) return seeds;
      if (performance.now() - beganMs > TAKEOVER_MS) throw new ShoalError('UNFINISHED', failure);
      await this.#swarm.pause(0.3);
    }
  }

  // ---- step 3

  async #discover(made: Made, caps: Caps): Promise<void> {
    const swarm = this.#swarm;
    this.#screen.step(
      '3  Discovery',
      'Three leeches have only the torrent file; tracker 1 tells them of the seed and of each other.',
    );
    await swarm.startLeeches(LEECHES, this.#torrent, made.pieceCount!, caps);
    const isLate = (): boolean => swarm.seconds > MEET_SECONDS || swarm.out.isFull;
    await swarm.until(() => swarm.leeches.every((leech) => leech.metAllAtSeconds !== null) || isLate());
    for (const leech of swarm.leeches) {
      const where = `process ${leech.actor.pid}, ${leech.ready!.listen[0]}`;
      const rate = `may send ${formatRate(caps.leechBytesPerSecond)}`;
      const met = swarm.connected(leech).map(({ name }) => name);
      const whom = leech.metAllAtSeconds !== null ? 'the seed and the others' : met.join(', ') || 'nobody';
      const after = formatDuration(leech.metAllAtSeconds ?? swarm.seconds);
      this.#screen.done(`${leech.name}    ${where}, ${rate}; met ${whom} in ${after}`);
    }
  }

  // ---- step 4

  async #distribute(caps: Caps): Promise<{ kills: Kill[]; outSeconds: number }> {
    const swarm = this.#swarm;
    this.#screen.step(
      '4  Distribution',
      'Leeches pass on what they have; when all pieces are among them, tracker 1 and the seed can go.',
    );
    this.#screen.show(new SwarmView(swarm));
    await allOut(swarm);
    const outSeconds = swarm.seconds;
    this.#screen.done(`${formatDuration(outSeconds)}: all ${swarm.out.length} pieces are out, no leech has them all`);
    const kills = [await this.#kill(swarm.trackers[0]!)];
    await swarm.pause(caps.pauseSeconds);
    kills.push(await this.#kill(swarm.seed!));
    const told = new Set<Leech>();
    const next = (): Leech | undefined => swarm.leeches.find((leech) => leech.complete && !told.has(leech));
    while (told.size < swarm.leeches.length) {
      await swarm.until(() => next() !== undefined);
      const leech = next()!;
      told.add(leech);
      this.#screen.done(`${formatDuration(leech.completeAtSeconds)}: ${leech.name} is complete and seeds on`);
    }
    await swarm.nextWords();
    this.#screen.end();
    return { kills, outSeconds };
  }

  async #kill(member: Member): Promise<Kill> {
    const kill = await killInWindow(this.#swarm, member);
    const had = kill.leeches.map(({ before }) => formatPercent(before / kill.piecesOut));
    const text = `${member.name}, process ${kill.pid}, is killed with kill -9; the leeches have ${had.join(', ')}`;
    this.#screen.accident(`${formatDuration(kill.atSeconds)}: ${text}`);
    return kill;
  }

  // ---- step 5

  async #prove(
    content: Content,
    made: Made,
  ): Promise<{ differences: ReadonlyMap<string, readonly string[]>; seedsAtTracker2: number }> {
    const screen = this.#screen;
    screen.step('5  Proof', 'Every file of every copy against the source: name, executable bit, all bytes by SHA-256.');
    const { leeches } = this.#swarm;
    const differences = await this.#stop.race(compareAll(content, made, leeches, screen, this.#stop.signal));
    for (const [name, wrong] of differences) {
      if (wrong.length === 0) screen.done(`${name}: ${count(made.files!.length, 'file')}, all equal`);
      else screen.accident(`${name}: ${wrong.length} differ, first: ${wrong[0]}`);
    }
    const all = leeches.length;
    const [, seedsAtTracker2 = 0] = await this.#askUntil(([, second]) => second === all, 'tracker 2 was not told');
    screen.done(`tracker 2 has taken over from tracker 1: it lists ${count(seedsAtTracker2, 'seed')}`);
    await this.#stop.race(Promise.all(leeches.map((leech) => leech.actor.stop())));
    await this.#stop.race(this.#swarm.trackers[1]!.actor.stop());
    screen.done('leeches and tracker 2 were told to stop, and took their leave');
    return { differences, seedsAtTracker2 };
  }

  #conclude(report: DemoReport): void {
    const screen = this.#screen;
    screen.block('Who sent how much to whom', trafficTable(report));
    screen.block('The leeches', timesTable(report));
    screen.block('What was killed, and what the leeches had then', killsTable(report));
    screen.block(report.ok ? 'All is equal' : 'NOT all is equal', conclusion(report));
  }
}
