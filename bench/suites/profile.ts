// profile: where the CPU time of a seed and of a leech goes, function by function; drawn as flame graphs.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Client } from '../clients/client.ts';
import { type CpuProfile, flamePlot, hottest, type Thread } from '../report/flame.ts';
import type { Plot } from '../report/plot.ts';
import { digits } from '../report/stats.ts';
import { rowsTable } from '../report/table.ts';
import { peerFile } from '../run/home.ts';
import { clientOf, play, playTransfer, type Stage, type Suite, uncapped } from './suite.ts';

const SIZE_MIB = 1024;
const QUICK_SIZE_MIB = 128;
const PIECE_BYTES = 1 << 20;
const TIMEOUT_MS = 60_000;
const HOTTEST = 15;
const ROLES = ['seed', 'leech'] as const;

export const profile: Suite = {
  title: 'where the time of a seed and of a leech goes',
  minutes: 3,
  quickSeconds: 15,
  async run(stage) {
    const folders = { seed: stage.scene.place.fresh('profile-seed'), leech: stage.scene.place.fresh('profile-leech') };
    const pieceBytes = stage.options.pieceBytes ?? PIECE_BYTES;
    const shape = { sizeMib: sizeMib(stage), pieceBytes, timeoutMs: TIMEOUT_MS };
    const { rows, notes } = await play(
      stage,
      [
        {
          what: `Shoal to Shoal, ${shape.sizeMib} MiB`,
          program: 'shoal',
          run(leftMs) {
            const part = (role: 'seed' | 'leech') => uncapped(profiled(clientOf(stage, 'shoal')!, folders[role]));
            return playTransfer(stage, shape, [part('seed')], [part('leech')], leftMs);
          },
        },
      ],
      1,
    );
    const tables = [{ title: 'with profiling, so slower', text: rowsTable(rows, COLUMNS) }];
    const plots: Plot[] = [];
    for (const role of ROLES) {
      const threads = threadsOf(folders[role]);
      if (threads.length === 0) continue;
      plots.push(
        flamePlot(`flame-${role}`, `${role}, ${shape.sizeMib} MiB in pieces of ${pieceBytes / 1024} KiB`, threads),
      );
      const lines = hottest(threads, HOTTEST).map(({ name, share }) => `| ${name} | ${digits(100 * share)} |`);
      tables.push({
        title: `${role}: functions by their own time`,
        text: `| function | % |\n|---|---|\n${lines.join('\n')}`,
      });
    }
    return { rows, notes, tables, goals: [], plots };
  },
};

const COLUMNS = [
  { title: 'MB/s', figure: 'megabytesPerSecond' },
  { title: 'CPU s, leech', figure: 'leechCpuSeconds' },
  { title: 'CPU s, seed', figure: 'seedCpuSeconds' },
];

function sizeMib(stage: Stage): number {
  return stage.options.sizeMib ?? (stage.options.quick ? QUICK_SIZE_MIB : SIZE_MIB);
}

/** Node writes a profile for each of its threads when it ends. Not of the bundle, in which names are short. */
function profiled(client: Client, folder: string): Client {
  return {
    ...client,
    command(job, role) {
      const command = client.command(job, role);
      const [node, , ...words] = command.argv;
      const options = ['--cpu-prof', `--cpu-prof-dir=${folder}`];
      return { ...command, argv: [node!, ...options, peerFile('unbundled.mjs'), ...words] };
    },
  };
}

/** The threads of one process, the main thread first: the file's name ends in thread and number. */
function threadsOf(folder: string): readonly Thread[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.cpuprofile'))
    .map((name) => ({ name, thread: Number(name.split('.')[4]) }))
    .sort((a, b) => a.thread - b.thread)
    .map(({ name, thread }) => ({
      name: thread === 0 ? 'main thread' : `worker ${thread}`,
      profile: JSON.parse(readFileSync(join(folder, name), 'utf8')) as CpuProfile,
    }));
}
