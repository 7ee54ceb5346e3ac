// start-up: the whole life of a process that does nothing much.

import { join } from 'node:path';
import { missingLibtorrent, missingPrograms } from '../clients/here.ts';
import { differenceGoal, type Goal } from '../report/goals.ts';
import { rowsTable } from '../report/table.ts';
import { PYTHON, SHOAL } from '../run/home.ts';
import { measure } from '../run/measured.ts';
import type { Row } from '../run/rounds.ts';
import { play, type Suite } from './suite.ts';

const ROUNDS = 15;
const QUICK_ROUNDS = 5;
const TIMEOUT_MS = 20_000;
const SMALL_MIB = 8;
const PIECE_BYTES = 1 << 20;

const FLOOR = 'node -e 0';
const VERSION = 'shoal --version';
const INSPECT = 'shoal inspect';
/** Beside the floor, in ms. */
const MOST_MORE_MS = 60;

interface Start {
  readonly argv: readonly string[];
  readonly missing: string | null;
}

export const startUp: Suite = {
  title: 'start-up',
  minutes: 3,
  quickSeconds: 12,
  async run(stage) {
    const { torrent } = await stage.scene.torrent(SMALL_MIB, PIECE_BYTES);
    const node = (...args: readonly string[]): Start => ({ argv: [process.execPath, ...args], missing: null });
    const program = (...argv: readonly string[]): Start => ({ argv, missing: missingPrograms(argv[0]!) });
    const starts: Record<string, Start> = {
      [FLOOR]: node('-e', '0'),
      [VERSION]: node(SHOAL, '--version'),
      [INSPECT]: node(SHOAL, 'inspect', torrent),
      'aria2c --version': program('aria2c', '--version'),
      'transmission-cli --version': program('transmission-cli', '--version'),
      'transmission-show': program('transmission-show', torrent),
      'mktorrent -h': program('mktorrent', '-h'),
      'qbittorrent-nox --version': program('qbittorrent-nox', '--version'),
      'python3, libtorrent': { argv: [PYTHON, '-c', 'import libtorrent'], missing: missingLibtorrent() },
    };
    const home = stage.scene.place.fresh('start-up');
    const cases = Object.entries(starts)
      .filter(([, { missing }]) => missing === null)
      .map(([name, { argv }]) => ({
        what: 'start-up',
        program: name,
        async run() {
          const { code, seconds, cpuSeconds } = await measure(argv, {
            log: join(home, 'log'),
            home,
            timeoutMs: TIMEOUT_MS,
          });
          if (code !== 0 && name !== 'mktorrent -h') return { ok: false as const, why: `exit ${code}` };
          return { ok: true as const, figures: { ms: seconds * 1000, cpuMs: cpuSeconds * 1000 } };
        },
      }));
    const rounds = Math.max(stage.options.rounds, stage.options.quick ? QUICK_ROUNDS : ROUNDS);
    const { rows, notes } = await play(stage, cases, rounds);
    const missing = Object.entries(starts).flatMap(([name, { missing }]) =>
      missing === null ? [] : [`${name}: ${missing}`],
    );
    const columns = [
      { title: 'ms', figure: 'ms' },
      { title: 'CPU ms', figure: 'cpuMs' },
    ];
    return {
      rows,
      notes: [...missing, ...notes],
      goals: goals(rows),
      tables: [{ title: 'the whole process', text: rowsTable(rows, columns) }],
    };
  },
};

function goals(rows: readonly Row[]): readonly Goal[] {
  const side = (program: string) => ({ what: 'start-up', program });
  return [VERSION, INSPECT].map((name) => {
    const aim = { title: `ms of ${name} more than ${FLOOR}`, figure: 'ms', atMost: MOST_MORE_MS };
    return differenceGoal(rows, aim, side(name), side(FLOOR));
  });
}
