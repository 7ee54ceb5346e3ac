// create: one large file in memory becomes a torrent; every program must come to the hashes that Node's crypto counts.

import { existsSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { missingLibtorrent, missingNpm, missingPrograms } from '../clients/here.ts';
import { type Goal, ratioGoal } from '../report/goals.ts';
import { barPlot } from '../report/plot.ts';
import { rowsTable } from '../report/table.ts';
import { HOME, npmPeerFile, PYTHON, peerFile, SHOAL } from '../run/home.ts';
import { lastWords, measure } from '../run/measured.ts';
import type { Case, Row } from '../run/rounds.ts';
import { expectedHashes, hashesOf } from './hashes-of.ts';
import { showSize } from './shape.ts';
import { play, type Suite } from './suite.ts';

const FULL_MIB = 4096;
const QUICK_MIB = 256;
const PIECE_BYTES = 1 << 20;
const TIMEOUT_MS = 120_000;
const TRACKER = 'http://127.0.0.1:6969/announce';
const THREADS = availableParallelism();
const LIBTORRENT = join(HOME, 'test', 'interop', 'peers', 'libtorrent_torrents.py');

export interface Creator {
  readonly name: string;
  readonly meta: string;
  /** Makes no torrent: the time that Node needs for the hashes alone. */
  readonly isFloor?: boolean;
  missing(): string | null;
  argv(content: string, output: string, pieceBytes: number): readonly string[];
}

export const create: Suite = {
  title: 'a torrent of one file',
  minutes: 12,
  quickSeconds: 25,
  async run(stage) {
    const { options, scene } = stage;
    const sizeMib = options.sizeMib ?? (options.quick ? QUICK_MIB : FULL_MIB);
    const pieceBytes = options.pieceBytes ?? PIECE_BYTES;
    const wanted = creators().filter(({ name }) => stage.isWanted(name));
    const missing = wanted.flatMap((one) => (one.missing() === null ? [] : [`${one.name}: ${one.missing()}`]));
    const content = scene.payload(sizeMib);
    const expected = expectedHashes(content, pieceBytes);
    const cases = wanted
      .filter((one) => one.missing() === null)
      .map((one) => createCase(scene.place.fresh('create'), one, content, sizeMib * 2 ** 20, pieceBytes, expected));
    const { rows, notes } = await play(stage, cases);
    const columns = [
      { title: 's', figure: 'seconds' },
      { title: 'MB/s', figure: 'megabytesPerSecond' },
      { title: 'CPU s', figure: 'cpuSeconds' },
      { title: 'private MiB', figure: 'privateMib' },
      { title: 'RSS MiB', figure: 'rssMib' },
    ];
    return {
      rows,
      notes: [...missing, ...notes],
      tables: [{ title: `${sizeMib} MiB in pieces of ${showSize(pieceBytes)}`, text: rowsTable(rows, columns) }],
      goals: goals(rows),
      plots: [
        barPlot({
          file: 'create',
          title: `Creating a torrent of ${sizeMib} MiB`,
          x: 'seconds',
          rows,
          figure: 'seconds',
        }),
      ],
    };
  },
};

/** Everybody who can, wanted or not. */
export function creators(): readonly Creator[] {
  const ours = ['v1', 'v2', 'hybrid'].map((meta) => ({
    name: 'shoal',
    meta,
    missing: () => null,
    argv: (content: string, output: string, pieceBytes: number) => {
      const shape = ['--piece-length', String(pieceBytes), '--meta', meta, '--tracker', TRACKER];
      return [process.execPath, SHOAL, 'create', content, '-o', output, ...shape];
    },
  }));
  const libtorrent = ['v1', 'v2', 'hybrid'].map((meta) => ({
    name: 'libtorrent',
    meta,
    missing: missingLibtorrent,
    argv: (path: string, output: string, pieceLength: number) => {
      const job = JSON.stringify({ make: [{ path, output, meta, pieceLength, tracker: TRACKER }] });
      return ['sh', '-c', 'echo "$1" | "$2" "$3"', 'sh', job, PYTHON, LIBTORRENT];
    },
  }));
  return [...ours, ...libtorrent, ...[...new Set([1, THREADS])].map(mktorrent), transmission, npm, floor];
}

function mktorrent(threads: number): Creator {
  return {
    name: `mktorrent -t ${threads}`,
    meta: 'v1',
    missing: () => missingPrograms('mktorrent'),
    argv: (content, output, pieceBytes) => {
      const piece = String(Math.log2(pieceBytes));
      return ['mktorrent', '-t', String(threads), '-l', piece, '-a', TRACKER, '-o', output, content];
    },
  };
}

const transmission: Creator = {
  name: 'transmission-create',
  meta: 'v1',
  missing: () => missingPrograms('transmission-create'),
  argv: (content, output, pieceBytes) => {
    return ['transmission-create', '-s', String(pieceBytes / 1024), '-t', TRACKER, '-o', output, content];
  },
};

const npm: Creator = {
  name: 'create-torrent (npm)',
  meta: 'v1',
  missing: () => missingNpm('create-torrent'),
  argv: (content, output, pieceBytes) => {
    const module = npmPeerFile('create-torrent/index.js');
    return [process.execPath, peerFile('create_torrent.mjs'), module, content, output, String(pieceBytes), TRACKER];
  },
};

const floor: Creator = {
  name: 'floor: Node hashes alone',
  meta: 'v1',
  isFloor: true,
  missing: () => null,
  argv: (content, _, pieceBytes) => {
    return [process.execPath, peerFile('node_hash.mjs'), content, String(pieceBytes), String(THREADS), 'sha1'];
  },
};

/** `home`: a folder of its own; `expected`: the hashes that its torrent must have, by kind. */
export function createCase(
  home: string,
  one: Creator,
  content: string,
  lengthBytes: number,
  pieceBytes: number,
  expected: Readonly<Record<string, string>>,
): Case {
  return {
    what: one.meta,
    program: one.name,
    async run(leftMs) {
      const [output, log] = [join(home, 'out.torrent'), join(home, 'log')];
      rmSync(output, { force: true });
      const options = { log, home, timeoutMs: Math.min(TIMEOUT_MS, leftMs) };
      const { code, ...figures } = await measure(one.argv(content, output, pieceBytes), options);
      if (code !== 0 || (!one.isFloor && !existsSync(output)))
        return { ok: false, why: `exit ${code}: ${lastWords(log)}`, ...(code !== null && { wrong: true }) };
      if (!one.isFloor) {
        const other = Object.entries(hashesOf(readFileSync(output))).find(([kind, hash]) => expected[kind] !== hash);
        if (other !== undefined) return { ok: false, why: `its ${other[0]} is not that of the content`, wrong: true };
      }
      const megabytesPerSecond = lengthBytes / 1e6 / figures.seconds;
      return { ok: true, figures: { ...figures, megabytesPerSecond } };
    },
  };
}

function goals(rows: readonly Row[]): readonly Goal[] {
  const aim = { figure: 'seconds' };
  const fastest = { what: 'v1', program: `mktorrent -t ${THREADS}` };
  const ours = (what: string) => ({ what, program: 'shoal' });
  const theirs = (what: string) => ({ what, program: 'libtorrent' });
  return [
    ratioGoal(rows, { ...aim, title: 'time to create v1', atMost: 1.15 }, ours('v1'), fastest),
    ratioGoal(rows, { ...aim, title: 'time to create v1', atMost: 0.6 }, ours('v1'), theirs('v1')),
    ratioGoal(rows, { ...aim, title: 'time to create hybrid', atMost: 0.6 }, ours('hybrid'), theirs('hybrid')),
  ];
}
