// The command line of `npm run bench`.

import { parseArgs } from 'node:util';

export const SUITE_NAMES = [
  'create',
  'verify',
  'leech',
  'seed',
  'pair',
  'many-seeds',
  'swarm',
  'crowd',
  'limits',
  'small-files',
  'idle',
  'start-up',
  'wire',
  'tracker',
  'tracker-turns',
  'tracker-store',
  'profile',
] as const;
export type SuiteName = (typeof SUITE_NAMES)[number];

/** Nothing of use comes of these in a few seconds. */
const LONG: readonly string[] = ['crowd', 'limits', 'small-files', 'tracker-turns', 'tracker-store', 'profile'];

export const HELP = `npm run bench [SUITE…] [-- OPTIONS]

Suites: ${SUITE_NAMES.join(' ')}
Without any: all of them; with --quick all but ${LONG.join(', ')}.

  --quick            everything small; ends in 3 minutes
  --rounds N         rounds of every suite (default: 5; with --quick 2)
  --size MIB         size of the content
  --piece BYTES      length of the pieces
  --leeches N        swarms of so many only
  --programs A,B     only these programs beside shoal
  --minutes N        at most so long for every suite
  --json FILE        where the figures go (default: results/bench-DATE.json)
  --plots DIR        where the pictures go (default: docs/performance; with --quick results)
  --no-build         measure what is built already
`;

export interface Options {
  readonly suites: readonly SuiteName[];
  readonly quick: boolean;
  readonly rounds: number;
  readonly sizeMib: number | null;
  readonly pieceBytes: number | null;
  readonly leeches: number | null;
  readonly programs: readonly string[] | null;
  readonly minutes: number | null;
  readonly json: string | null;
  readonly plots: string | null;
  readonly help: boolean;
}

/** Throws an Error with a sentence for the user. */
export function readOptions(args: readonly string[]): Options {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      quick: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      size: { type: 'string' },
      piece: { type: 'string' },
      leeches: { type: 'string' },
      programs: { type: 'string' },
      minutes: { type: 'string' },
      json: { type: 'string' },
      plots: { type: 'string' },
      'no-build': { type: 'boolean' },
      help: { type: 'boolean', default: false },
    },
  });
  const unknown = positionals.find((name) => !isSuite(name));
  if (unknown !== undefined) throw new Error(`no suite ${unknown}; there are ${SUITE_NAMES.join(', ')}`);
  const all = values.quick ? SUITE_NAMES.filter((name) => !LONG.includes(name)) : SUITE_NAMES;
  const chosen = positionals.length === 0 ? all : SUITE_NAMES.filter((name) => positionals.includes(name));
  const asksAll = chosen.includes('swarm') && values.leeches === undefined;
  return {
    // The swarm's questions include the rate against many seeds.
    suites: SUITE_NAMES.filter((name) => chosen.includes(name) || (name === 'many-seeds' && asksAll)),
    quick: values.quick,
    rounds: number(values.rounds, '--rounds') ?? (values.quick ? 2 : 5),
    sizeMib: number(values.size, '--size'),
    pieceBytes: number(values.piece, '--piece'),
    leeches: number(values.leeches, '--leeches'),
    programs: values.programs?.split(',') ?? null,
    minutes: number(values.minutes, '--minutes'),
    json: values.json ?? null,
    plots: values.plots ?? null,
    help: values.help,
  };
}

function isSuite(name: string): name is SuiteName {
  return (SUITE_NAMES as readonly string[]).includes(name);
}

function number(text: string | undefined, option: string): number | null {
  if (text === undefined) return null;
  const value = Number(text);
  if (!(Number.isInteger(value) && value > 0)) throw new Error(`${option} takes a positive whole number`);
  return value;
}
