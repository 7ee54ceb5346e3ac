// Flame graphs of the CPU profiles that Node writes (`--cpu-prof`): one column a thread, callers above what they call,
// as wide as their share of the time in which any thread was busy. What the event loop reads from sockets by itself is no
// function's time and is not in it.

import type { TopLevelSpec } from 'vega-lite';
import type { Plot } from './plot.ts';

const WIDTH_PIXELS = 1200;
const ROW_PIXELS = 17;
const CHARACTER_PIXELS = 6;
/** Narrower frames would be a smear without a name. */
const LEAST_SHARE = 0.002;
/** Deeper frames are left out. */
const MOST_ROWS = 28;

const KINDS = {
  shoal: '#f783ac',
  node: '#74c0fc',
  native: '#ffd43b',
  'garbage collector': '#ced4da',
  thread: '#e9ecef',
} as const;
type Kind = keyof typeof KINDS;

/** What is used of a .cpuprofile file. */
export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string };
    readonly children?: readonly number[];
  }[];
  /** The node that was running, at each look. */
  readonly samples: readonly number[];
  /** Microseconds since the look before. */
  readonly timeDeltas: readonly number[];
}

export interface Thread {
  readonly name: string;
  readonly profile: CpuProfile;
}

/** Calls with the same callers, together. */
interface Frame {
  readonly name: string;
  readonly kind: Kind;
  microseconds: number;
  readonly callees: Map<string, Frame>;
}

/** A flame graph of threads that ran side by side. */
export function flamePlot(file: string, title: string, threads: readonly Thread[]): Plot {
  const roots = threads.map(({ name, profile }) => threadFrame(name, profile));
  const total = roots.reduce((sum, root) => sum + root.microseconds, 0);
  const cells: Cell[] = [];
  let left = 0;
  for (const root of [...roots].sort((a, b) => b.microseconds - a.microseconds)) {
    place(root, left / total, 0, total, cells);
    left += root.microseconds;
  }
  const busySeconds = total / 1e6;
  return {
    file,
    spec: spec(
      `${title}: ${busySeconds.toFixed(2)} s in functions, ${threads.length} ${threads.length === 1 ? 'thread' : 'threads'}`,
      cells,
    ),
  };
}

/** Where time went by itself, most first: name and share of the busy time. */
export function hottest(threads: readonly Thread[], count: number): readonly { name: string; share: number }[] {
  const own = new Map<string, number>();
  let total = 0;
  const add = (frame: Frame): void => {
    const below = [...frame.callees.values()].reduce((sum, callee) => sum + callee.microseconds, 0);
    if (frame.kind !== 'thread') own.set(frame.name, (own.get(frame.name) ?? 0) + frame.microseconds - below);
    for (const callee of frame.callees.values()) add(callee);
  };
  for (const { name, profile } of threads) {
    const root = threadFrame(name, profile);
    total += root.microseconds;
    add(root);
  }
  return [...own]
    .sort((a, b) => b[1] - a[1])
    .slice(0, count)
    .map(([name, microseconds]) => ({ name, share: microseconds / total }));
}

function threadFrame(name: string, profile: CpuProfile): Frame {
  const root: Frame = { name, kind: 'thread', microseconds: 0, callees: new Map() };
  const byId = new Map(profile.nodes.map((node) => [node.id, node]));
  const callers = new Map<number, number>();
  for (const node of profile.nodes) for (const child of node.children ?? []) callers.set(child, node.id);
  profile.samples.forEach((sample, i) => {
    const stack: CpuProfile['nodes'][number]['callFrame'][] = [];
    for (let id: number | undefined = sample; id !== undefined; id = callers.get(id))
      stack.push(byId.get(id)!.callFrame);
    // The outermost is V8's "(root)"; idle and waiting for the system is not CPU.
    stack.pop();
    if (stack.length === 0 || stack[0]!.functionName === '(idle)') return;
    const microseconds = Math.max(0, profile.timeDeltas[i]!);
    let frame = root;
    frame.microseconds += microseconds;
    for (const call of stack.reverse()) {
      const label = nameOf(call);
      let callee = frame.callees.get(label);
      if (!callee) {
        callee = { name: label, kind: kindOf(call), microseconds: 0, callees: new Map() };
        frame.callees.set(label, callee);
      }
      callee.microseconds += microseconds;
      frame = callee;
    }
  });
  return root;
}

function nameOf({ functionName, url }: { readonly functionName: string; readonly url: string }): string {
  if (functionName === '(program)') return 'system and native code';
  const name = functionName === '' ? '(anonymous)' : functionName;
  const file = url.slice(url.lastIndexOf('/') + 1).replace(/\.js$/u, '');
  return file === '' ? name : `${name} ${file}`;
}

function kindOf({ functionName, url }: { readonly functionName: string; readonly url: string }): Kind {
  if (functionName === '(garbage collector)') return 'garbage collector';
  if (url.startsWith('file:')) return 'shoal';
  return url.startsWith('node:') ? 'node' : 'native';
}

interface Cell {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
  readonly label: string;
  readonly colour: string;
}

function place(frame: Frame, left: number, row: number, total: number, cells: Cell[]): void {
  const share = frame.microseconds / total;
  if (share < LEAST_SHARE || row >= MOST_ROWS) return;
  const room = Math.floor((share * WIDTH_PIXELS - 4) / CHARACTER_PIXELS);
  const text = row === 0 ? `${frame.name} ${(100 * share).toFixed(0)} %` : frame.name;
  const label = room < 3 ? '' : text.length <= room ? text : `${text.slice(0, room - 1)}…`;
  cells.push({ left, right: left + share, top: row, bottom: row + 1, label, colour: KINDS[frame.kind] });
  let at = left;
  for (const callee of [...frame.callees.values()].sort((a, b) => b.microseconds - a.microseconds)) {
    place(callee, at, row + 1, total, cells);
    at += callee.microseconds / total;
  }
}

function spec(title: string, cells: readonly Cell[]): TopLevelSpec {
  const rows = cells.reduce((most, cell) => Math.max(most, cell.bottom), 1);
  const x = { field: 'left', type: 'quantitative' as const, axis: null, scale: { domain: [0, 1] } };
  const y = { field: 'top', type: 'quantitative' as const, axis: null, scale: { domain: [rows, 0] } };
  return {
    title,
    width: WIDTH_PIXELS,
    height: rows * ROW_PIXELS,
    padding: 12,
    background: 'white',
    data: { values: [...cells] },
    config: { view: { stroke: null }, font: 'monospace', title: { font: 'system-ui, sans-serif', anchor: 'start' } },
    layer: [
      {
        mark: { type: 'rect', stroke: 'white', strokeWidth: 0.5 },
        encoding: {
          x,
          x2: { field: 'right' },
          y,
          y2: { field: 'bottom' },
          color: { field: 'colour', type: 'nominal', scale: null, legend: null },
        },
      },
      {
        mark: { type: 'text', align: 'left', baseline: 'middle', dx: 3, dy: ROW_PIXELS / 2, fontSize: 10 },
        encoding: { x, y, text: { field: 'label', type: 'nominal' } },
      },
    ],
  };
}
