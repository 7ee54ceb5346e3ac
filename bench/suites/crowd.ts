// crowd: one leech among 50 and 200 seeds that send as fast as they are asked: its memory, and how long its event loop is held up.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { toHex } from '../../src/base/bytes.ts';
import { parseMetainfo } from '../../src/metainfo/parse.ts';
import { nodeHashes } from '../../src/platform/node/hashes.ts';
import { ANY_SIZE, type Client } from '../clients/client.ts';
import type { Crowd } from '../micro/crowd.ts';
import { figureGoal, type Goal } from '../report/goals.ts';
import { rowsTable } from '../report/table.ts';
import { peerFile } from '../run/home.ts';
import type { Case, Row } from '../run/rounds.ts';
import { clientsFor, play, playTransfer, type Stage, type Suite, uncapped } from './suite.ts';

const PROGRAM = fileURLToPath(new URL('../micro/crowd.js', import.meta.url));
const SEEDS = [50, 200];
const SIZE_MIB = 1024;
const QUICK_SIZE_MIB = 128;
const PIECE_BYTES = 1 << 20;
const TIMEOUT_MS = 90_000;
/** aria2 never begins: it does not reach addresses of 127.0.0.0/8 from the one it is given. */
const LEECHES = ['shoal', 'libtorrent', 'webtorrent'];

const MOST_DELAY_MS = 20;
const MOST_PRIVATE_MIB = 256;

export const crowd: Suite = {
  title: 'one leech among many seeds',
  minutes: 12,
  quickSeconds: 20,
  async run(stage) {
    const leeches = clientsFor(stage).filter(({ name }) => LEECHES.includes(name));
    const cases = SEEDS.flatMap((count) => leeches.map((client) => oneCase(stage, client, count)));
    const { rows, notes } = await play(stage, cases);
    const columns = [
      { title: 'MB/s', figure: 'megabytesPerSecond' },
      { title: 'private MiB', figure: 'leechPrivateMib' },
      { title: 'RSS MiB', figure: 'leechRssMib' },
      { title: 'CPU s/GiB', figure: 'leechCpuPerGib' },
      { title: 'event loop held up at full speed, p99 ms', figure: 'delayP99Ms' },
      { title: 'most ms', figure: 'delayMostMs' },
      { title: 'before the first payload byte, most ms', figure: 'startDelayMostMs' },
    ];
    const title = `${shape(stage).sizeMib} MiB in pieces of ${PIECE_BYTES} bytes; all seeds are one small program of the bench`;
    return { rows, notes, goals: goals(rows), tables: [{ title, text: rowsTable(rows, columns) }] };
  },
};

function shape(stage: Stage) {
  const { options } = stage;
  const sizeMib = options.sizeMib ?? (options.quick ? QUICK_SIZE_MIB : SIZE_MIB);
  return { sizeMib, pieceBytes: PIECE_BYTES, timeoutMs: TIMEOUT_MS };
}

function oneCase(stage: Stage, client: Client, count: number): Case {
  return {
    what: caseName(count),
    program: client.name,
    async run(leftMs) {
      const { scene } = stage;
      const { torrent, content } = await scene.torrent(shape(stage).sizeMib, PIECE_BYTES);
      const file = join(scene.place.fresh('loop-delay'), 'delay');
      const leech = client.name === 'shoal' ? observed(client, file) : client;
      const seeds = crowdOf(scene.tracker.url, torrent, content, count);
      let [fromMs, untilMs] = [0, 0];
      const span = (from: number, until: number): void => {
        [fromMs, untilMs] = [from, until];
      };
      const outcome = await playTransfer(
        stage,
        { ...shape(stage), span },
        [uncapped(seeds)],
        [uncapped(leech)],
        leftMs,
      );
      if (!outcome.ok || !existsSync(file)) return outcome;
      const looks = JSON.parse(readFileSync(file, 'utf8')) as readonly number[];
      return { ok: true, figures: { ...outcome.figures, ...delays(looks, fromMs, untilMs) } };
    },
  };
}

/** Of pairs of when and how late: at full speed, and before. What comes after the end, an idle program, is not counted. */
function delays(looks: readonly number[], fromMs: number, untilMs: number): Record<string, number> {
  const during: number[] = [];
  let before = 0;
  for (let i = 0; i < looks.length; i += 2) {
    const [atMs, lateMs] = [looks[i]!, looks[i + 1]!];
    if (atMs <= fromMs) before = Math.max(before, lateMs);
    else if (atMs <= untilMs) during.push(lateMs);
  }
  during.sort((a, b) => a - b);
  const p99 = during[Math.floor(during.length * 0.99)] ?? 0;
  return { delayP99Ms: p99, delayMostMs: during.at(-1) ?? 0, startDelayMostMs: before };
}

/** The same program, with a look at its event loop from its start to its end. */
function observed(client: Client, file: string): Client {
  const env = { NODE_OPTIONS: `--import=${peerFile('loop_delay.mjs')}`, LOOP_DELAY_FILE: file };
  return { ...client, command: (job, role) => ({ ...client.command(job, role), env }) };
}

function crowdOf(tracker: string, torrent: string, content: string, count: number): Client {
  const { info } = parseMetainfo(readFileSync(torrent), nodeHashes);
  const job = (port: number): Crowd => ({
    tracker,
    infoHash: toHex(info.infoHashV1!),
    content,
    pieceLength: info.pieceLengthBytes,
    pieceCount: info.pieceCount,
    // All of 127.0.0.0/8 is there without any set-up, and two seeds at one address would look like one.
    ips: Array.from({ length: count }, (_, i) => `127.0.2.${i + 1}`),
    port,
  });
  return {
    name: 'crowd',
    mostMib: ANY_SIZE,
    missing: () => null,
    command: ({ port }) => ({ argv: [process.execPath, PROGRAM, JSON.stringify(job(port))] }),
  };
}

function caseName(count: number): string {
  return `${count} seeds`;
}

function goals(rows: readonly Row[]): readonly Goal[] {
  const ours = (count: number) => ({ what: caseName(count), program: 'shoal' });
  const delay = { title: 'event loop held up among 50 seeds, p99 ms', figure: 'delayP99Ms', atMost: MOST_DELAY_MS };
  const memory = { title: 'private MiB among 200 seeds', figure: 'leechPrivateMib', atMost: MOST_PRIVATE_MIB };
  return [figureGoal(rows, delay, ours(50)), figureGoal(rows, memory, ours(200))];
}
