// The benches, inside their network: reads the options, plays the suites one after the other, prints, writes, cleans up.

import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { CLIENTS, versions } from './clients/index.ts';
import { HELP, type Options, readOptions, type SuiteName } from './options.ts';
import { toSvg } from './report/plot.ts';
import { digits } from './report/stats.ts';
import { goalsTable } from './report/table.ts';
import { HOME } from './run/home.ts';
import { Program } from './run/program.ts';
import type { Row } from './run/rounds.ts';
import { Scene } from './run/scene.ts';
import { create } from './suites/create.ts';
import { crowd } from './suites/crowd.ts';
import { idle } from './suites/idle.ts';
import { leech } from './suites/leech.ts';
import { limits } from './suites/limits.ts';
import { manySeeds } from './suites/many-seeds.ts';
import { pair } from './suites/pair.ts';
import { profile } from './suites/profile.ts';
import { seed } from './suites/seed.ts';
import { smallFiles } from './suites/small-files.ts';
import { startUp } from './suites/start-up.ts';
import { QUICK, type Report, type Suite } from './suites/suite.ts';
import { swarm } from './suites/swarm.ts';
import { tracker } from './suites/tracker.ts';
import { trackerStore } from './suites/tracker-store.ts';
import { trackerTurns } from './suites/tracker-turns.ts';
import { verify } from './suites/verify.ts';
import { wire } from './suites/wire.ts';

const SUITES: Readonly<Record<SuiteName, Suite>> = {
  create,
  verify,
  leech,
  seed,
  pair,
  'many-seeds': manySeeds,
  swarm,
  crowd,
  limits,
  'small-files': smallFiles,
  idle,
  'start-up': startUp,
  wire,
  tracker,
  'tracker-turns': trackerTurns,
  'tracker-store': trackerStore,
  profile,
};

/** With --quick, all together: set-up and build are not in it. */
const QUICK_SECONDS = 160;
/** Content, its copy, and some room. */
const NEED_BYTES = 6 * 2 ** 30;
const QUICK_NEED_BYTES = 2 ** 30;

try {
  const options = readOptions(process.argv.slice(2));
  if (options.help) process.stdout.write(HELP);
  else process.exitCode = await run(options);
} catch (error) {
  console.error(`bench: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 2;
}

async function run(options: Options): Promise<number> {
  const ownNetwork = process.env.BENCH_NETWORK === 'own';
  const scene = await Scene.open(ownNetwork, options.quick ? QUICK_NEED_BYTES : NEED_BYTES);
  const close = (): void => {
    Program.killAll();
    scene.close();
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      close();
      process.exit(130);
    });
  }
  // Nor does it outlive who started it.
  const parent = process.ppid;
  setInterval(() => process.ppid === parent || process.kill(process.pid, 'SIGTERM'), 500).unref();
  try {
    const facts = describe(options, scene);
    for (const [name, value] of Object.entries(facts.machine)) print(`${name}: ${value}`);
    for (const note of facts.notes) print(`note: ${note}`);
    const reports = await playSuites(options, scene);
    const file = options.json ?? join(HOME, 'results', `bench-${facts.at.replaceAll(':', '-').slice(0, 19)}.json`);
    mkdirSync(dirname(file), { recursive: true });
    const text = JSON.stringify(
      { ...facts, suites: reports.map(({ name, report }) => ({ name, ...report, plots: undefined })) },
      null,
      1,
    );
    writeFileSync(file, `${text}\n`);
    const pictures = await draw(
      reports,
      options.plots ?? join(HOME, ...(options.quick ? ['results'] : ['docs', 'performance'])),
    );
    print(`\n## Goals\n\n${goalsTable(reports.flatMap(({ report }) => report.goals))}`);
    print(`\nfigures: ${file}${pictures.map((path) => `\npicture: ${path}`).join('')}`);
    return reports.some(({ report }) => report.rows.some((row) => row.program.startsWith('shoal') && row.why !== null))
      ? 1
      : 0;
  } finally {
    close();
  }
}

interface Played {
  readonly name: SuiteName;
  readonly report: Report;
}

async function playSuites(options: Options, scene: Scene): Promise<readonly Played[]> {
  const played: Played[] = [];
  const isWanted = (program: string): boolean =>
    program.startsWith('shoal') || options.programs === null || options.programs.some((name) => program.includes(name));
  const here = CLIENTS.filter(({ missing }) => missing() === null);
  const clients = here.filter(({ name }) => isWanted(name));
  const quickAll = options.suites.reduce((sum, name) => sum + SUITES[name].quickSeconds, 0);
  for (const name of options.suites) {
    const suite = SUITES[name];
    const quickSeconds = Math.min(1, QUICK_SECONDS / quickAll) * suite.quickSeconds;
    const seconds = options.minutes !== null ? options.minutes * 60 : options.quick ? quickSeconds : suite.minutes * 60;
    const deadlineMs = performance.now() + seconds * 1000;
    print(`\n## ${name}: ${suite.title}\n`);
    const report = await suite.run({ scene, options, here, clients, isWanted, deadlineMs, tell: tellRow });
    scene.clear();
    for (const { title, text } of report.tables) print(`\n${title}\n\n${text}`);
    for (const note of report.notes) print(`note: ${note}`);
    for (const sentence of report.conclusions ?? []) print(sentence);
    played.push({ name, report });
  }
  return played;
}

/** Progress, on stderr: the tables alone go to stdout. */
function tellRow(row: Row): void {
  const figures = Object.entries(row.figures ?? {})
    .slice(0, 4)
    .map(([name, value]) => `${name} ${digits(value)}`);
  console.error(
    `round ${row.round}, ${row.what}, ${row.program}: ${row.why === null ? figures.join(', ') : `FAILED: ${row.why}`}`,
  );
}

async function draw(reports: readonly Played[], folder: string): Promise<readonly string[]> {
  const files: string[] = [];
  mkdirSync(folder, { recursive: true });
  for (const plot of reports.flatMap(({ report }) => report.plots ?? [])) {
    const file = join(folder, `${plot.file}.svg`);
    writeFileSync(file, `${await toSvg(plot)}\n`);
    files.push(file);
  }
  return files;
}

function describe(options: Options, scene: Scene) {
  const git = spawnSync('git', ['describe', '--always', '--dirty'], { cwd: HOME, encoding: 'utf8' });
  const missing = CLIENTS.flatMap(({ name, missing }) =>
    missing() === null ? [] : [`${name} is not measured: ${missing()}`],
  );
  const network = scene.ownNetwork
    ? []
    : ['no right to make a network: on the loopback of this machine, clocked by the first block on disk'];
  const disk = scene.place.inMemory ? [] : ['not enough room in memory: the content lies on a disk'];
  const quick = options.quick ? [`with --quick only ${QUICK.join(', ')} are measured as peers`] : [];
  const busy = loadavg()[0]! > 0.5 ? [`the machine was busy at the start: load ${digits(loadavg()[0]!)}`] : [];
  return {
    at: new Date().toISOString(),
    command: `npm run bench ${process.argv.slice(2).join(' ')}`.trim(),
    commit: git.status === 0 ? git.stdout.trim() : 'no git',
    machine: {
      processor: `${availableParallelism()} × ${cpus()[0]?.model ?? 'unknown'}`,
      memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
      kernel: release(),
      programs: Object.entries(versions())
        .map(([name, version]) => `${name} ${version}`)
        .join('; '),
    },
    options,
    notes: [...missing, ...network, ...disk, ...quick, ...busy],
  };
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
