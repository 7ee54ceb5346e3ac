// The soak of a tracker: two of them, an open one and a private one, hostile load on both, and honest clients that must not notice.

import { Actor, type Event, HERE } from '../actor.ts';
import { SHOAL } from '../content.ts';
import { playSoak, type Result, type Waits, type Watched, type Watching } from '../frame.ts';
import type { Run, SoakOptions } from '../run.ts';
import { freePort } from '../stay.ts';
import { HonestSwarm, type Way } from './honest.ts';
import { httpWay, udpWay } from './ways.ts';

/** So short that swarms are swept while we look, fewer connections than the attackers would like, and less memory. */
const MOST_CONNECTIONS = 1000;
const LIMITS = [
  ...['--interval', '60', '--min-interval', '30', '--max-connections', String(MOST_CONNECTIONS)],
  ...['--max-websocket-memory', '2MiB'],
];
/** Beside those of HTTP: connections handed on (WebSocket, pages), files, ports. */
const MOST_OTHER_DESCRIPTORS = 400;
/** What honest clients may wait. A run too short to be judged, on a machine that does other things, bounds only the absurd. */
const MOST_P99_MS = 50;
const MOST_P99_UNJUDGED_MS = 2000;
/** Of a tracker under attack; quiet, it has 60. */
const MOST_RESIDENT_MIB = 400;
const ATTACKS = [
  'noise over UDP',
  'forged connection ids',
  "connection ids of others' addresses",
  'giant scrapes over UDP',
  'slow heads',
  'huge queries',
  'giant scrapes',
  'requests and no reading',
  'broken upgrades',
  'messages without end over WebSocket',
  'scrapes over WebSocket and no reading',
  'wrong passkeys',
];

/** `share`: of the full hostile load. */
export function soakTracker(options: SoakOptions, share = 1): Promise<Result> {
  let swarms: readonly HonestSwarm[] = [];
  const waits = (): readonly Waits[] => swarms.flatMap((swarm) => swarm.waits().map((waiting) => waiting.figures()));
  return playSoak(options, {
    what: 'tracker',
    skipped: [],
    async begin(run, long) {
      swarms = [new HonestSwarm(run), new HonestSwarm(run)];
      return begin(run, long, swarms[0]!, swarms[1]!, share);
    },
    // As many as the attackers hold just now.
    unsteady: ['descriptors', 'timers'],
    progress: ({ counts }) => {
      const worstMs = Math.max(0, ...waits().map(({ p99Ms }) => p99Ms)).toFixed(1);
      return `${counts['honest announces'] ?? 0} honest announces, p99 ${worstMs} ms, ${counts.datagrams ?? 0} hostile datagrams`;
    },
    demand: (run, watched, judged) => demand(run, watched, judged, waits()),
    waits,
  });
}

async function begin(
  run: Run,
  long: Watching,
  open: HonestSwarm,
  closed: HonestSwarm,
  share: number,
): Promise<readonly Promise<unknown>[]> {
  const [port, privatePort] = [await freePort(), await freePort()];
  const infoHash = run.chance('info hash').bytes(20);
  const prefix = `/${await newUser(run, infoHash)}`;
  await start(run, long, 'tracker', port, []);
  await start(run, long, 'private tracker', privatePort, ['--access', 'private']);
  const openWays = ['HTTP, kept', 'HTTP, a connection each', 'UDP'].flatMap((who): Way[] => {
    const way = who === 'UDP' ? udpWay(who, run, port) : httpWay(who, port, who === 'HTTP, kept');
    return [way, way];
  });
  const closedWay = httpWay('HTTP, kept, with a passkey', privatePort, true, prefix);
  const client = (index: number) => ({ ip: `127.1.0.${1 + index}`, port: 7000 + index, infoHash });
  const honest = [
    ...(await open.begin(openWays, client)),
    ...(await closed.begin([closedWay, closedWay], (index) => client(100 + index))),
  ];
  return [...honest, attack(run, { port, privatePort, share })];
}

/** Registers the torrent and a user with the private tracker; resolves with the passkey. */
async function newUser(run: Run, infoHash: Uint8Array): Promise<string> {
  const shoal = async (...words: readonly string[]): Promise<Event | null> => {
    const argv = [process.execPath, SHOAL, 'tracker', ...words, '--state', `${run.folder}/private tracker-state`];
    const actor = new Actor({ name: words.join(' '), argv: [...argv, '--json'], cwd: run.folder });
    const said = actor.event(undefined);
    if ((await actor.ended) !== 0) throw new Error(`shoal tracker ${words.join(' ')}: ${actor.lastWords}`);
    return said;
  };
  await shoal('allow', 'add', Buffer.from(infoHash).toString('hex'));
  return String((await shoal('user', 'add', 'ann'))?.passkey);
}

async function start(run: Run, long: Watching, name: string, port: number, more: readonly string[]): Promise<void> {
  const words = ['tracker', '--listen', `127.0.0.1:${port}`, '--state', `${run.folder}/${name}-state`, '--json'];
  const argv = [process.execPath, SHOAL, ...words, ...LIMITS, ...more];
  const actor = new Actor({ name, argv, cwd: run.folder, watched: true });
  if ((await actor.event('ready')) === null) throw new Error(`the ${name} does not start: ${actor.lastWords}`);
  long.set(name, { actor, samples: [] });
}

/** Runs until the run is over. */
async function attack(run: Run, targets: { port: number; privatePort: number; share: number }): Promise<void> {
  const job = JSON.stringify({ ...targets, seed: run.chance('attacks').below(1 << 30) });
  let faults = 0;
  const onEvent = ({ event, what, counts }: Event): void => {
    if (event === 'counts') Object.assign(run.counts, counts);
    if (event === 'fault' && faults++ < 5) run.fail(`a tracker must not: ${String(what)}`);
  };
  const argv = [process.execPath, new URL('tracker/attacks.mjs', HERE).pathname, job];
  const actor = new Actor({ name: 'attackers', argv, cwd: run.folder, onEvent });
  await run.wait(run.options.minutes * 60_000 * 2);
  if (actor.hasEnded) run.fail(`the attackers ended by themselves: ${actor.lastWords}`);
  await actor.stop();
}

function demand(run: Run, watched: readonly Watched[], judged: boolean, waits: readonly Waits[]): void {
  for (const name of ATTACKS) if (!run.counts[name]) run.fail(`nothing of this happened: ${name}`);
  const mostMs = judged ? MOST_P99_MS : MOST_P99_UNJUDGED_MS;
  for (const { who, answers, p99Ms } of waits) {
    if (answers === 0) run.fail(`${who}: no answers`);
    if (p99Ms > mostMs) run.fail(`${who}: one in a hundred waits ${p99Ms.toFixed(1)} ms or longer, not ${mostMs}`);
  }
  for (const { name, samples } of watched) {
    const mib = Math.max(0, ...samples.map(({ residentMib }) => residentMib));
    const descriptors = Math.max(0, ...samples.map((sample) => sample.descriptors));
    if (descriptors > MOST_CONNECTIONS + MOST_OTHER_DESCRIPTORS) run.fail(`the ${name} has ${descriptors} descriptors`);
    if (mib > MOST_RESIDENT_MIB) run.fail(`the ${name} has ${mib.toFixed(0)} MiB`);
  }
}
