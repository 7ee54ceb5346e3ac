// idle: many small torrents are seeded and nobody comes: the time to start, to start again, the memory, the CPU.

import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encode } from '../../src/bencode/encode.ts';
import { libtorrentArgv } from '../clients/libtorrent.ts';
import { webtorrentArgv } from '../clients/webtorrent.ts';
import { figureGoal, type Goal } from '../report/goals.ts';
import { rowsTable } from '../report/table.ts';
import { SHOAL } from '../run/home.ts';
import { Program } from '../run/program.ts';
import type { Row } from '../run/rounds.ts';
import type { Scene } from '../run/scene.ts';
import type { Outcome } from '../run/transfer.ts';
import { pause, wait } from '../run/wait.ts';
import { clientOf, play, type Stage, type Suite } from './suite.ts';

const TORRENTS = 1000;
const QUICK_TORRENTS = 200;
const FILE_BYTES = 64 * 1024;
const PIECE_BYTES = 16 * 1024;
const READY_MS = 120_000;
/** Before memory and CPU are looked at. */
const REST_MS = 5000;
const QUICK_REST_MS = 500;
const LOOK_MS = 5000;
const QUICK_LOOK_MS = 2000;
const NO_LIMITS = { uploadBytesPerSecond: 0, downloadBytesPerSecond: 0 };

interface Many {
  readonly folder: string;
  readonly torrents: readonly string[];
  readonly contents: readonly string[];
}

interface Idler {
  readonly name: string;
  /** Words for a start; `again`: what was found good before is taken for good. */
  argv(scene: Scene, many: Many, home: string, again: boolean): readonly string[];
  isReady(home: string, log: string): boolean;
}

const IDLERS: readonly Idler[] = [
  {
    name: 'shoal',
    argv(scene, many, home, again) {
      const list = join(home, 'list');
      writeFileSync(list, many.torrents.map((torrent, i) => `${torrent}\t${many.contents[i]}\n`).join(''));
      const { ip, port } = scene.address(0);
      const words = ['seed', '--listen', `${ip}:${port}`, '--state', join(home, 'state'), '--json'];
      // What is named is verified; without names everything of the last run is taken up again.
      return [process.execPath, SHOAL, ...words, ...(again ? [] : ['--list', list])];
    },
    isReady: (_, log) => readFileSync(log, 'latin1').includes('"ready"'),
  },
  {
    name: 'libtorrent',
    argv: (scene, many, home, again) =>
      libtorrentArgv({ ...peerJob(many), ...scene.address(0), ...NO_LIMITS, trust: again, done: join(home, 'done') }),
    isReady: (home) => existsSync(join(home, 'done')),
  },
  {
    name: 'webtorrent',
    argv: (scene, many, home, again) =>
      webtorrentArgv({ ...peerJob(many), ...scene.address(0), ...NO_LIMITS, trust: again, done: join(home, 'done') }),
    isReady: (home) => existsSync(join(home, 'done')),
  },
];

/** One argument of a program has room for a thousand paths, not for twice as many. */
function peerJob({ folder, torrents }: Many) {
  return { folder, torrents };
}

export const idle: Suite = {
  title: 'many idle torrents',
  minutes: 8,
  quickSeconds: 20,
  async run(stage) {
    const count = stage.options.quick ? QUICK_TORRENTS : TORRENTS;
    const many = makeMany(stage.scene, count);
    const what = `${count} torrents`;
    const cases = IDLERS.filter(({ name }) => clientOf(stage, name) !== null).map((idler) => ({
      what,
      program: idler.name,
      run: () => playIdle(stage, idler, many),
    }));
    const { rows, notes } = await play(stage, cases);
    const columns = [
      { title: 's to verify and be ready', figure: 'firstSeconds' },
      { title: 's to be ready again', figure: 'againSeconds' },
      { title: 's until all were announced again', figure: 'announcedSeconds' },
      { title: 'RSS MiB', figure: 'rssMib' },
      { title: 'private MiB', figure: 'privateMib' },
      { title: '% of a core', figure: 'corePercent' },
    ];
    const title = `${what} of ${FILE_BYTES / 1024} KiB each, seeded, one tracker`;
    return { rows, notes, goals: goals(rows, what), tables: [{ title, text: rowsTable(rows, columns) }] };
  },
};

async function playIdle(stage: Stage, idler: Idler, many: Many): Promise<Outcome<object>> {
  const home = stage.scene.place.fresh('idle');
  try {
    const first = await startIdler(stage, idler, many, home, false);
    await first.program.stop();
    if (first.seconds === null) return { ok: false, why: `not ready: ${first.program.lastWords()}` };
    rmSync(join(home, 'done'), { force: true });
    const { program, seconds, announcedSeconds } = await startIdler(stage, idler, many, home, true);
    try {
      if (seconds === null) return { ok: false, why: `not ready again: ${program.lastWords()}` };
      if (announcedSeconds === null) return { ok: false, why: `it announced ${stage.scene.tracker.torrents} torrents` };
      const { quick } = stage.options;
      await pause(quick ? QUICK_REST_MS : REST_MS);
      const beganMs = performance.now();
      const before = program.usage().cpuSeconds;
      await pause(quick ? QUICK_LOOK_MS : LOOK_MS);
      const { cpuSeconds, rssMib, privateMib } = program.usage();
      const corePercent = ((cpuSeconds - before) / (performance.now() - beganMs)) * 1e5;
      return {
        ok: true,
        figures: {
          firstSeconds: first.seconds,
          againSeconds: seconds,
          announcedSeconds,
          rssMib,
          privateMib,
          corePercent,
        },
      };
    } finally {
      await program.stop();
    }
  } finally {
    stage.scene.place.discard(home);
  }
}

async function startIdler(stage: Stage, idler: Idler, many: Many, home: string, again: boolean) {
  const log = join(home, again ? 'log-again' : 'log');
  const { tracker } = stage.scene;
  tracker.forget();
  const program = new Program(idler.name, { argv: idler.argv(stage.scene, many, home, again) }, home, log);
  const since = (): number => (Date.now() - program.startedMs) / 1000;
  let seconds: number | null = null;
  let announcedSeconds: number | null = null;
  await wait(
    () => {
      if (seconds === null && idler.isReady(home, log)) seconds = since();
      if (announcedSeconds === null && tracker.torrents >= many.torrents.length) announcedSeconds = since();
      return program.ended || (seconds !== null && announcedSeconds !== null);
    },
    READY_MS,
    5,
  );
  return { program, seconds: program.ended ? null : seconds, announcedSeconds };
}

function makeMany(scene: Scene, count: number): Many {
  const folder = scene.place.fresh('idle-content');
  const torrentFolder = scene.place.fresh('idle-torrents');
  mkdirSync(folder, { recursive: true });
  const torrents: string[] = [];
  const contents: string[] = [];
  for (let i = 0; i < count; i++) {
    const name = `small-${String(i).padStart(5, '0')}.bin`;
    const content = randomBytes(FILE_BYTES);
    contents.push(join(folder, name));
    torrents.push(join(torrentFolder, `${name}.torrent`));
    writeFileSync(contents[i]!, content);
    writeFileSync(torrents[i]!, smallTorrent(name, content, scene.tracker.url));
  }
  return { folder, torrents, contents };
}

/** v1, private. */
function smallTorrent(name: string, content: Uint8Array, announce: string): Uint8Array {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < content.length; at += PIECE_BYTES) {
    pieces.push(
      createHash('sha1')
        .update(content.subarray(at, at + PIECE_BYTES))
        .digest(),
    );
  }
  const info = { length: content.length, name, 'piece length': PIECE_BYTES, pieces: Buffer.concat(pieces), private: 1 };
  return encode({ announce, info });
}

function goals(rows: readonly Row[], what: string): readonly Goal[] {
  const ours = { what, program: 'shoal' };
  return [
    figureGoal(rows, { title: `s to be ready again, ${what}`, figure: 'againSeconds', atMost: 1.5 }, ours),
    figureGoal(rows, { title: `RSS MiB, ${what}`, figure: 'rssMib', atMost: 120 }, ours),
    figureGoal(rows, { title: `% of a core, ${what}`, figure: 'corePercent', atMost: 1 }, ours),
  ];
}
