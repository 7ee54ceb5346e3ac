// small-files: one torrent of very many small files: created, verified, fetched.

import { type Goal, ratioGoal } from '../report/goals.ts';
import { rowsTable } from '../report/table.ts';
import type { Case, Row } from '../run/rounds.ts';
import { transfer } from '../run/transfer.ts';
import { createCase, creators } from './create.ts';
import { expectedHashes } from './hashes-of.ts';
import { clientOf, clientsFor, play, type Stage, type Suite, uncapped } from './suite.ts';
import { verifiers, verifyCase } from './verify.ts';

const FILES = 100_000;
const QUICK_FILES = 3000;
const FILE_BYTES = 2048;
const PIECE_BYTES = 256 * 1024;
const TIMEOUT_MS = 180_000;
const CREATORS = ['shoal', 'libtorrent', 'transmission-create', 'mktorrent -t 1'];
const LEECHES = ['shoal', 'libtorrent', 'aria2', 'transmission'];
const RIVALS = ['libtorrent', 'transmission', 'transmission-create'];

export const smallFiles: Suite = {
  title: 'very many small files',
  minutes: 30,
  quickSeconds: 20,
  async run(stage) {
    const count = stage.options.quick ? QUICK_FILES : FILES;
    const content = stage.scene.smallFiles(count, FILE_BYTES);
    const torrent = await stage.scene.torrentOf(content, PIECE_BYTES);
    const expected = expectedHashes(content, PIECE_BYTES);
    const creating = creators()
      .filter(
        (one) => one.meta === 'v1' && CREATORS.includes(one.name) && stage.isWanted(one.name) && one.missing() === null,
      )
      .map((one) => ({
        ...createCase(stage.scene.place.fresh('create'), one, content, count * FILE_BYTES, PIECE_BYTES, expected),
        what: 'create',
      }));
    const verifying = verifiers()
      .filter((one) => one.what === 'verify' && stage.isWanted(one.name) && one.missing() === null)
      .map((one) => verifyCase(stage, one, { torrent, content, lengthBytes: count * FILE_BYTES }));
    const cases = [...creating, ...verifying, ...fetching(stage, torrent, content, count * FILE_BYTES)];
    const { rows, notes } = await play(stage, cases);
    const columns = [
      { title: 's', figure: 'seconds' },
      { title: 's with start-up', figure: 'wallSeconds' },
      {
        title: 'CPU s',
        figure: (of: Readonly<Record<string, number>>) => of.cpuSeconds ?? of.leechCpuSeconds ?? Number.NaN,
      },
      {
        title: 'private MiB',
        figure: (of: Readonly<Record<string, number>>) => of.privateMib ?? of.leechPrivateMib ?? Number.NaN,
      },
    ];
    const title = `${count} files of ${FILE_BYTES} bytes, pieces of ${PIECE_BYTES} bytes, v1`;
    return { rows, notes, goals: goals(rows), tables: [{ title, text: rowsTable(rows, columns) }] };
  },
};

function fetching(stage: Stage, torrent: string, content: string, lengthBytes: number): readonly Case[] {
  const seed = clientOf(stage, 'libtorrent') ?? stage.here[0]!;
  return clientsFor(stage)
    .filter(({ name }) => LEECHES.includes(name))
    .map((client) => ({
      what: `get, from ${seed.name}`,
      program: client.name,
      run: (leftMs: number) => {
        const timeoutMs = Math.min(TIMEOUT_MS, leftMs);
        const parts = { seeds: [uncapped(seed)], leeches: [uncapped(client)] };
        return transfer(stage.scene, { torrent, content, lengthBytes, ...parts, timeoutMs });
      },
    }));
}

/** Each work against each rival that did it. */
function goals(rows: readonly Row[]): readonly Goal[] {
  return [...new Set(rows.map(({ what }) => what))].flatMap((what) =>
    [...new Set(rows.filter((row) => row.what === what).map(({ program }) => program))]
      .filter((program) => RIVALS.includes(program))
      .map((program) => {
        const aim = { title: `time for many small files: ${what}`, figure: 'seconds', atMost: 1 };
        return ratioGoal(rows, aim, { what, program: 'shoal' }, { what, program });
      }),
  );
}
