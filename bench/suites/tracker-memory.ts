// What a tracker's memory grows by for a peer: a million of them in large swarms, and in swarms of one.

import { Stand } from '../load/stand.ts';
import type { TrackerProgram } from '../load/trackers.ts';
import { figureGoal, type Goal } from '../report/goals.ts';
import { rowsTable } from '../report/table.ts';
import type { Case, Row } from '../run/rounds.ts';
import type { Outcome } from '../run/transfer.ts';
import { pause } from '../run/wait.ts';
import type { Stage } from './suite.ts';

const PEERS = 1_000_000;
const QUICK_PEERS = 100_000;
const PEERS_PER_TORRENT = [50, 1];
const FILL_SECONDS = 240;
/** Before memory is looked at. */
const REST_MS = 2000;
const QUICK_REST_MS = 500;
const MIB = 1 << 20;
/** A program that has just started grows by code that it compiles and buffers that it makes: so many come before the first look. */
const FIRST_PART = 1 / 50;

const COLUMNS = [
  { title: 'bytes a peer', figure: 'bytesPerPeer' },
  { title: 'RSS MiB', figure: 'rssMib' },
  { title: 'RSS MiB, 2 % of them', figure: 'firstMib' },
];

/** Of programs that differ in how they are asked only, the first alone. */
export function memoryCases(stage: Stage, trackers: readonly TrackerProgram[]): readonly Case[] {
  const kinds = trackers.filter(({ name }, i) => trackers.findIndex((one) => kindOf(one.name) === kindOf(name)) === i);
  return PEERS_PER_TORRENT.flatMap((each) =>
    kinds.map((program) => ({
      what: caseName(each),
      program: program.name,
      run: () => weigh(stage, program, each),
    })),
  );
}

function kindOf(name: string): string {
  return name.split(',')[0]!;
}

async function weigh(stage: Stage, program: TrackerProgram, each: number): Promise<Outcome<object>> {
  const peers = stage.options.quick ? QUICK_PEERS : PEERS;
  const stand = await Stand.open(stage.scene, program, peers / each);
  const rest = (): Promise<void> => pause(stage.options.quick ? QUICK_REST_MS : REST_MS);
  try {
    const looks: number[] = [];
    for (const part of [FIRST_PART, 1]) {
      const filled = await stand.fill((peers / each) * part, each, FILL_SECONDS);
      if (!filled.ok) return filled;
      await rest();
      looks.push(stand.program.usage().rssMib);
    }
    const [firstMib, rssMib] = looks as [number, number];
    const bytesPerPeer = ((rssMib - firstMib) * MIB) / (peers * (1 - FIRST_PART));
    return { ok: true, figures: { bytesPerPeer, rssMib, firstMib } };
  } finally {
    await stand.program.stop();
  }
}

export function memoryTable(rows: readonly Row[]): readonly { title: string; text: string }[] {
  return rows.length === 0 ? [] : [{ title: 'memory, filled over UDP', text: rowsTable(rows, COLUMNS) }];
}

function caseName(each: number): string {
  return each === 1 ? 'one peer a torrent' : `${each} peers a torrent`;
}

export function memoryGoals(rows: readonly Row[]): readonly Goal[] {
  const [many = '', one = ''] = PEERS_PER_TORRENT.map(caseName);
  const ours = (what: string) => ({ what, program: 'shoal' });
  const aim = (title: string, figure: string, atMost: number) => ({ title, figure, atMost });
  return [
    figureGoal(rows, aim(`bytes a peer, ${many}`, 'bytesPerPeer', 32), ours(many)),
    figureGoal(rows, aim(`RSS MiB, ${many}`, 'rssMib', 256), ours(many)),
    figureGoal(rows, aim(`RSS MiB, ${one}`, 'rssMib', 256), ours(one)),
  ];
}
