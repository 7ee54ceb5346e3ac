// wire: the inner works by themselves: decoder, picker, bitfield.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { missingNpm } from '../clients/here.ts';
import { ratioGoal } from '../report/goals.ts';
import { rowsTable } from '../report/table.ts';
import { npmPeerFile } from '../run/home.ts';
import { lastWords, measure } from '../run/measured.ts';
import { play, type Suite } from './suite.ts';

const WORK = fileURLToPath(new URL('../micro/work.js', import.meta.url));
const TIMEOUT_MS = 30_000;
const PROTOCOL = 'bittorrent-protocol/index.js';

const BLOCKS = 'decoder, blocks of 16 KiB: MB/s';
const HAVES = 'decoder, HAVEs: million/s';

/** Program and work. */
const WORKS = [
  [BLOCKS, 'shoal', 'shoal blocks'],
  [BLOCKS, 'webtorrent', 'webtorrent blocks'],
  [BLOCKS, 'floor: one copy', 'copy blocks'],
  [HAVES, 'shoal', 'shoal haves'],
  [HAVES, 'webtorrent', 'webtorrent haves'],
  ['picker, blocks picked and arrived from 50 peers: million/s', 'shoal', 'shoal picks'],
  ['bitfield, bits set and asked: million/s', 'shoal', 'shoal bits'],
] as const;

export const wire: Suite = {
  title: 'inner works',
  minutes: 3,
  quickSeconds: 20,
  async run(stage) {
    const home = stage.scene.place.fresh('wire');
    const missing = missingNpm('bittorrent-protocol');
    const cases = WORKS.filter(
      ([, program]) => program !== 'webtorrent' || (missing === null && stage.isWanted(program)),
    ).map(([what, program, work]) => ({
      what,
      program,
      async run() {
        const log = join(home, 'log');
        const argv = [process.execPath, WORK, work, npmPeerFile(PROTOCOL)];
        const { code } = await measure(argv, { log, home, timeoutMs: TIMEOUT_MS });
        if (code !== 0) return { ok: false as const, why: `exit ${code}: ${lastWords(log)}` };
        return { ok: true as const, figures: JSON.parse(readFileSync(log, 'utf8')) as Record<string, number> };
      },
    }));
    const { rows, notes } = await play(stage, cases);
    const figure = 'perSecond';
    const goals = [BLOCKS, HAVES].map((what) =>
      ratioGoal(rows, { title: what, figure, atLeast: 1 }, { what, program: 'shoal' }, { what, program: 'webtorrent' }),
    );
    const text = rowsTable(rows, [{ title: 'a second', figure }]);
    return {
      rows,
      notes: [...(missing === null ? [] : [`webtorrent: ${missing}`]), ...notes],
      goals,
      tables: [{ title: 'one core', text }],
    };
  },
};
