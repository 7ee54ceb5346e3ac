// verify: complete content is checked against its torrent; the page cache is warm.

import { dirname, join } from 'node:path';
import { missingLibtorrent, missingPrograms } from '../clients/here.ts';
import { type Goal, ratioGoal } from '../report/goals.ts';
import { rowsTable } from '../report/table.ts';
import { PYTHON, peerFile, SHOAL } from '../run/home.ts';
import { lastWords, measure } from '../run/measured.ts';
import type { Case, Row } from '../run/rounds.ts';
import type { Made } from '../run/scene.ts';
import { showSize } from './shape.ts';
import { play, type Stage, type Suite } from './suite.ts';

const FULL_MIB = 4096;
const QUICK_MIB = 256;
const PIECE_BYTES = 1 << 20;
const TIMEOUT_MS = 120_000;

export interface Verifier {
  readonly name: string;
  readonly what: string;
  missing(): string | null;
  argv(made: Made): readonly string[];
}

const VERIFIERS: readonly Verifier[] = [
  {
    name: 'shoal',
    what: 'verify',
    missing: () => null,
    argv: ({ torrent, content }) => [process.execPath, SHOAL, 'verify', torrent, content],
  },
  {
    name: 'shoal',
    what: 'create',
    missing: () => null,
    argv: ({ content }) => [
      process.execPath,
      SHOAL,
      'create',
      content,
      '-o',
      '-',
      '--piece-length',
      String(PIECE_BYTES),
    ],
  },
  {
    name: 'libtorrent',
    what: 'verify',
    missing: missingLibtorrent,
    argv: ({ torrent, content }) => [PYTHON, peerFile('libtorrent_verify.py'), torrent, dirname(content)],
  },
  {
    name: 'aria2',
    what: 'verify',
    missing: () => missingPrograms('aria2c'),
    argv: ({ torrent, content }) => {
      const quiet = ['--no-conf', '--enable-dht=false', '--summary-interval=0', '--console-log-level=warn'];
      const check = ['--check-integrity=true', '--hash-check-only=true', `--dir=${dirname(content)}`];
      return ['aria2c', ...quiet, ...check, `--torrent-file=${torrent}`];
    },
  },
];

/** Everybody who can, wanted or not; Shoal's `create` to compare with. */
export function verifiers(): readonly Verifier[] {
  return VERIFIERS;
}

export const verify: Suite = {
  title: 'content checked against its torrent',
  minutes: 6,
  quickSeconds: 15,
  async run(stage) {
    const { options, scene } = stage;
    const sizeMib = options.sizeMib ?? (options.quick ? QUICK_MIB : FULL_MIB);
    const pieceBytes = options.pieceBytes ?? PIECE_BYTES;
    const made = await scene.torrent(sizeMib, pieceBytes);
    const wanted = VERIFIERS.filter(({ name }) => stage.isWanted(name));
    const missing = wanted.flatMap((one) => (one.missing() === null ? [] : [`${one.name}: ${one.missing()}`]));
    const cases = wanted.filter((one) => one.missing() === null).map((one) => verifyCase(stage, one, made));
    const { rows, notes } = await play(stage, cases);
    const columns = [
      { title: 's', figure: 'seconds' },
      { title: 'MB/s', figure: 'megabytesPerSecond' },
      { title: 'CPU s', figure: 'cpuSeconds' },
      { title: 'private MiB', figure: 'privateMib' },
    ];
    const title = `${sizeMib} MiB in pieces of ${showSize(pieceBytes)}, v1`;
    return {
      rows,
      notes: [...missing, ...notes],
      goals: goals(rows),
      tables: [{ title, text: rowsTable(rows, columns) }],
    };
  },
};

export function verifyCase(stage: Stage, one: Verifier, made: Made): Case {
  const home = stage.scene.place.fresh('verify');
  return {
    what: one.what,
    program: one.name,
    async run(leftMs) {
      const log = join(home, 'log');
      const timeoutMs = Math.min(TIMEOUT_MS, leftMs);
      const { code, ...figures } = await measure(one.argv(made), { log, home, timeoutMs });
      const why = `exit ${code}: ${lastWords(log)}`;
      if (code !== 0) return { ok: false, why, ...(code !== null && { wrong: true }) };
      return { ok: true, figures: { ...figures, megabytesPerSecond: made.lengthBytes / 1e6 / figures.seconds } };
    },
  };
}

function goals(rows: readonly Row[]): readonly Goal[] {
  const ours = { what: 'verify', program: 'shoal' };
  const rate = { title: 'rate of verify, against create', figure: 'megabytesPerSecond', atLeast: 0.95 };
  const time = { title: 'time to verify', figure: 'seconds', atMost: 0.6 };
  return [
    ratioGoal(rows, rate, ours, { what: 'create', program: 'shoal' }),
    ratioGoal(rows, time, ours, { what: 'verify', program: 'libtorrent' }),
  ];
}
