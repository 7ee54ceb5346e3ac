// tracker: announces a second, their latency, and what they cost, of trackers that know 10,000 torrents with 50 peers each.

import { byStep, LEAST, PEERS_PER_TORRENT, StepFigures, torrentsOf, WANTED } from '../load/filled.ts';
import type { LoadFigures } from '../load/generator.ts';
import { type Generator, type Load, OWN, PATIENT_SECONDS, SECOND } from '../load/generator.ts';
import { type AskedFigures, hasCores, Stand, standNotes } from '../load/stand.ts';
import {
  NPM_DEFAULT,
  NPM_NO_STATS,
  OPENTRACKER,
  TRACKERS,
  type TrackerProgram,
  TWO_WORKERS,
} from '../load/trackers.ts';
import { type Aim, figureGoal, type Goal, ratioGoal, type Side } from '../report/goals.ts';
import { rowsTable } from '../report/table.ts';
import type { Case, Row } from '../run/rounds.ts';
import type { Outcome } from '../run/transfer.ts';
import { play, type Stage, type Suite } from './suite.ts';
import { memoryCases, memoryGoals, memoryTable } from './tracker-memory.ts';

const SECONDS = 4;
const QUICK_SECONDS = 1;
const STEADY = 5000;
const FILL_SECONDS = 240;
const UDP_WINDOW = 128;
const CONNECTIONS = 64;
/** Over WebSocket: so many connections, each a peer of one of so many torrents, and the offers that clients send. */
const WS_CONNECTIONS = 256;
const WS_TORRENTS = 8;
const WS_OFFERS = 5;
/** At a set rate nothing waits for a slow reply. */
const STEADY_WINDOW = 512;

const UDP = 'UDP';
const KEPT = 'HTTP, kept connections';
const EACH = 'HTTP, a connection each';
const UDP_STEADY = `UDP, ${STEADY}/s`;
const HTTP_STEADY = `HTTP, ${STEADY}/s`;
const WS = 'WebSocket, 5 offers';

type Step = Pick<Load, 'protocol' | 'closes' | 'window' | 'perSecond'> & Partial<Load>;

const STEPS: Readonly<Record<string, Step>> = {
  [UDP]: { protocol: 'udp', closes: false, window: UDP_WINDOW, perSecond: null },
  [KEPT]: {
    protocol: 'http',
    closes: false,
    window: CONNECTIONS,
    perSecond: null,
    patienceSeconds: PATIENT_SECONDS,
  },
  [EACH]: { protocol: 'http', closes: true, window: CONNECTIONS, perSecond: null },
  [UDP_STEADY]: { protocol: 'udp', closes: false, window: STEADY_WINDOW, perSecond: STEADY },
  [HTTP_STEADY]: { protocol: 'http', closes: false, window: STEADY_WINDOW, perSecond: STEADY },
  [WS]: {
    protocol: 'ws',
    closes: false,
    window: WS_CONNECTIONS,
    perSecond: null,
    torrents: WS_TORRENTS,
    numWant: WS_OFFERS,
    leastPeers: WS_OFFERS,
  },
};

const COLUMNS = [
  { title: 'announces/s', figure: 'perSecond' },
  { title: 'second generator', figure: 'secondPerSecond' },
  { title: 'p50 ms', figure: 'p50Ms' },
  { title: 'p99 ms', figure: 'p99Ms' },
  { title: 'CPU µs each', figure: 'cpuMicroseconds' },
  { title: 'core of the tracker', figure: 'trackerCore' },
  { title: 'of the generator', figure: 'core' },
  { title: 'RSS MiB', figure: 'rssMib' },
  { title: 'waited for a core', figure: 'waited' },
];

export const tracker: Suite = {
  title: 'trackers',
  minutes: 45,
  quickSeconds: 45,
  async run(stage) {
    const here = TRACKERS.filter(({ name, missing }) => stage.isWanted(name) && missing() === null);
    const torrents = torrentsOf(stage.options);
    const failed: Row[] = [];
    const speed = await play(
      stage,
      here.map((program) => speedCase(stage, program, torrents, failed)),
    );
    const rows = [...speed.rows.flatMap((row) => byStep(row, Object.keys(STEPS))), ...failed];
    const memory = await play(stage, memoryCases(stage, here), 1);
    const title = `${torrents} torrents × ${PEERS_PER_TORRENT} peers, replies of ${WANTED}; one core for the tracker, one for the generator`;
    return {
      rows: [...rows, ...memory.rows],
      tables: [{ title, text: rowsTable(rows, COLUMNS) }, ...memoryTable(memory.rows)],
      goals: [...goals(rows), ...memoryGoals(memory.rows)],
      notes: [...missing(stage), ...standNotes(), ...speed.notes, ...memory.notes],
    };
  },
};

/** One tracker is filled once a round, and then asked in every way. A way that fails goes to `failed`; the others go on. */
function speedCase(stage: Stage, program: TrackerProgram, torrents: number, failed: Row[]): Case {
  let round = 0;
  return {
    what: 'filled',
    program: program.name,
    async run() {
      round++;
      const stand = await Stand.open(stage.scene, program, torrents);
      try {
        const filled = await stand.fill(torrents, PEERS_PER_TORRENT, FILL_SECONDS);
        if (!filled.ok) return filled;
        const figures = new StepFigures();
        for (const [what, step] of Object.entries(STEPS)) {
          if (program.closes && what === KEPT) continue;
          if (step.protocol === 'ws' && !program.hasWebSocket) continue;
          if (step.perSecond !== null && !hasCores(program.cores)) continue;
          const outcome = await askTwice(stage, stand, { ...step, closes: step.closes || program.closes }, torrents);
          if (!outcome.ok) {
            failed.push({ what, program: program.name, round, figures: null, why: outcome.why });
            stage.tell(failed.at(-1)!);
            continue;
          }
          figures.add(what, outcome.figures);
        }
        return { ok: true, figures: figures.all };
      } finally {
        await stand.program.stop();
      }
    },
  };
}

/** By our generator and the second one, as far as they are here; a set rate is for ours alone. */
async function askTwice(
  stage: Stage,
  stand: Stand,
  step: Step,
  torrents: number,
): Promise<Outcome<Partial<AskedFigures>>> {
  const seconds = stage.options.quick ? QUICK_SECONDS : SECONDS;
  const shape = { torrents, peersPerTorrent: PEERS_PER_TORRENT, numWant: WANTED, leastPeers: LEAST, isFill: false };
  const load: Load = { ...shape, ...step, seconds };
  const can = (generator: Generator): boolean => generator.missing(load) === null;
  const none: Outcome<Partial<AskedFigures>> = { ok: true, figures: {} };
  const own = can(OWN) ? await stand.ask(OWN, load) : none;
  if (!own.ok || load.perSecond !== null || !can(SECOND)) return own;
  const second = await stand.ask(SECOND, load);
  if (!second.ok) return second;
  return { ok: true, figures: { ...own.figures, ...asSecond(second.figures) } };
}

function asSecond({ perSecond, p50Ms, p99Ms }: LoadFigures): Record<string, number> {
  return { secondPerSecond: perSecond, secondP50Ms: p50Ms, secondP99Ms: p99Ms };
}

function missing(stage: Stage): readonly string[] {
  const generators = [OWN, SECOND].flatMap((one) => [
    one.missing({ protocol: 'udp' }),
    one.missing({ protocol: 'http' }),
  ]);
  const trackers = TRACKERS.filter(({ name }) => stage.isWanted(name)).map(({ name, cores, missing }) => {
    const why = missing();
    if (why !== null) return `${name} is not measured: ${why}`;
    return hasCores(cores)
      ? null
      : `${name} shares its cores with the generator: its CPU time counts, its rate does not`;
  });
  return [...new Set([...generators, ...trackers])].filter((why) => why !== null);
}

function goals(rows: readonly Row[]): readonly Goal[] {
  const rate = (title: string, atLeast: number) => ({ title, figure: 'perSecond', atLeast });
  const ratio = (title: string, atLeast: number, what: string, other: string, otherWhat: string = what): Goal =>
    ratioGoal(rows, rate(title, atLeast), { what, program: 'shoal' }, { what: otherWhat, program: other });
  const latency = (what: string, figure: string, atMost: number): Goal =>
    figureGoal(rows, { title: `${figure.slice(0, 3)} ms, ${what}`, figure, atMost }, { what, program: 'shoal' });
  return [
    ratio('announces over UDP', 0.8, UDP, OPENTRACKER),
    ratio('announces over UDP', 15, UDP, NPM_DEFAULT),
    ratio('announces over HTTP, kept connections; opentracker: a connection each', 1.5, KEPT, OPENTRACKER, EACH),
    ratio('announces over HTTP, kept connections', 8, KEPT, NPM_NO_STATS),
    ratio('announces over HTTP, a connection each', 0.6, EACH, OPENTRACKER),
    ratio('announces over WebSocket', 3, WS, NPM_NO_STATS),
    ...workerGoals(rows, rate('announces over UDP, 2 workers', 1.6)),
    latency(UDP_STEADY, 'p50Ms', 0.2),
    latency(UDP_STEADY, 'p99Ms', 2),
    latency(HTTP_STEADY, 'p50Ms', 0.2),
    latency(HTTP_STEADY, 'p99Ms', 2),
  ];
}

/** Too few cores show no rate of two workers, but what each announce costs them: at 1.25 of one worker's, twice the cores give 1.6 of its rate. */
function workerGoals(rows: readonly Row[], rate: Aim): readonly Goal[] {
  const [two, one] = [TWO_WORKERS, 'shoal'].map((program) => ({ what: UDP, program })) as [Side, Side];
  if (!rows.some(({ program }) => program === two.program)) return [];
  const cost: Aim = { title: 'CPU of an announce over UDP, 2 workers', figure: 'cpuMicroseconds', atMost: 1.25 };
  return [ratioGoal(rows, hasCores(2) ? rate : cost, two, one)];
}
