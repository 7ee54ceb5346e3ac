// Checks source files against the plan of the house. Every fault is a sentence that says what to do instead.

import { posix } from 'node:path';
import {
  BANNED,
  MAX_LINES,
  MAX_TEST_LINES,
  NEVER_AWAIT,
  RANKS,
  roomOf,
  WITH_PACKAGES,
  WITH_PLATFORM,
  WORLDLY,
} from './rooms.ts';
import { type Import, importsOf, type Token, tokensOf } from './tokens.ts';

/** Paths below src (`peer/peer.ts`) and their texts. */
export type Sources = ReadonlyMap<string, string>;

/** `path:line: sentence` for every fault, in the order of the files. */
export function checkHouse(sources: Sources): string[] {
  const faults: string[] = [];
  const graph = new Map<string, string[]>();
  for (const [path, text] of sources) {
    const say = (line: number, sentence: string): void => void faults.push(`src/${path}:${line}: ${sentence}`);
    checkShape(path, text, say);
    if (isTest(path)) continue;
    const room = roomOf(path);
    if (room === null) {
      say(1, 'this folder is not in the plan; give it a rank in docs/architecture.md and test/architecture/rooms.ts');
      continue;
    }
    const tokens = tokensOf(text);
    const imports = importsOf(tokens);
    graph.set(path, localTargets(path, imports));
    for (const entry of imports) checkImport(path, room, entry, sources, say);
    if (!WORLDLY.has(room)) checkNames(room, tokens, say);
    if (NEVER_AWAIT.has(room)) checkAwait(room, tokens, say);
  }
  return [...faults, ...cycles(graph)];
}

type Say = (line: number, sentence: string) => void;

function isTest(path: string): boolean {
  return path.endsWith('.test.ts');
}

function checkShape(path: string, text: string, say: Say): void {
  const lines = text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
  const most = isTest(path) ? MAX_TEST_LINES : MAX_LINES;
  if (lines > most)
    say(most + 1, `${lines} lines are more than ${most}: find the second idea in it and give it a file`);
  if (/(^|[/-])(utils?|helpers?|managers?|misc|common)\.ts$/.test(path)) {
    say(1, 'a file is named after its one idea: utils, helpers, manager, misc, common are none');
  }
  if (!isTest(path) && !text.startsWith('// ')) say(1, 'a file begins with a comment that says its idea');
}

function checkImport(path: string, room: string, entry: Import, sources: Sources, say: Say): void {
  const { from, line } = entry;
  if (entry.everything) say(line, "'export *' hides what is public: name it");
  if (from.startsWith('node:')) {
    if (!WORLDLY.has(room))
      say(line, `${room} names ${from}: only platform/node, daemon and cli may; take it from Env`);
    return;
  }
  if (!from.startsWith('.')) {
    if (!WITH_PACKAGES.has(room)) {
      say(line, `${room} imports the package '${from}': base to session import none; ask for it through a port`);
    }
    return;
  }
  const target = posix.normalize(posix.join(posix.dirname(path), from));
  if (!sources.has(target)) {
    if (!target.startsWith('../package.json')) say(line, `${from} is no file below src`);
    return;
  }
  if (isTest(target)) say(line, 'code does not import tests');
  if (target.endsWith('index.ts') && room !== 'the public index') {
    say(line, `inside the house import the file itself, not ${target}`);
  }
  checkRank(room, roomOf(target), line, say);
}

function checkRank(room: string, target: string | null, line: number, say: Say): void {
  if (target === null || target === room) return;
  if (target.startsWith('platform/')) {
    if (!WITH_PLATFORM.has(room)) {
      say(
        line,
        `${room} makes its own world with ${target}: it gets Env as an argument from cli, daemon, lab or a test`,
      );
    }
    return;
  }
  const [own, other] = [RANKS[room]!, RANKS[target]!];
  if (other < own) return;
  const what = other === own ? 'sideways' : 'upwards';
  say(
    line,
    `${room} (rank ${own}) imports ${what} from ${target} (rank ${other}): declare here the interface that you need, ` +
      'and let the room above both hand it over',
  );
}

function checkNames(room: string, tokens: readonly Token[], say: Say): void {
  const own = declaredNames(tokens);
  tokens.forEach((token, i) => {
    if (token.kind !== 'word' || own.has(token.text) || isProperty(tokens, i)) return;
    const next = tokens[i + 1]?.text === '.' ? tokens[i + 2]?.text : null;
    const clock =
      token.text === 'Date' && (next === 'now' || (tokens[i - 1]?.text === 'new' && isCallWithoutArguments(tokens, i)));
    const chance = token.text === 'Math' && next === 'random';
    if (!(clock || chance || BANNED.has(token.text))) return;
    const name = next === null || BANNED.has(token.text) ? token.text : `${token.text}.${next}`;
    say(token.line, `${room} names ${name}: time, chance, network and disk are arguments; take it from Env`);
  });
}

/** Names that the file gives to things of its own: `const process = …`, `(process: SimProcess)`, `function fetch`. */
function declaredNames(tokens: readonly Token[]): ReadonlySet<string> {
  const out = new Set<string>();
  tokens.forEach((token, i) => {
    const before = tokens[i - 1]?.text ?? '';
    const parameter = before === '(' && tokens[i + 1]?.text === ':';
    if (token.kind === 'word' && (parameter || /^(const|let|var|function)$/.test(before))) out.add(token.text);
  });
  return out;
}

/** `a.fetch`, `{ fetch: …` and `fetch?: …` are not the global. */
function isProperty(tokens: readonly Token[], i: number): boolean {
  const before = tokens[i - 1]?.text;
  if (before === '.') return tokens[i - 2]?.text !== '.';
  const key = tokens[i + 1]?.text === '?' ? tokens[i + 2]?.text : tokens[i + 1]?.text;
  return key === ':' && (before === '{' || before === ',' || before === ';' || before === 'readonly' || before === '(');
}

function isCallWithoutArguments(tokens: readonly Token[], i: number): boolean {
  return tokens[i + 1]?.text !== '(' || tokens[i + 2]?.text === ')';
}

function checkAwait(room: string, tokens: readonly Token[], say: Say): void {
  tokens.forEach((token, i) => {
    if (token.kind !== 'word' || (token.text !== 'await' && token.text !== 'async') || isProperty(tokens, i)) return;
    say(token.line, `${room} has '${token.text}': bytes and rules never wait; who calls them does`);
  });
}

function localTargets(path: string, imports: readonly Import[]): string[] {
  return imports
    .filter((entry) => entry.from.startsWith('.'))
    .map((entry) => posix.normalize(posix.join(posix.dirname(path), entry.from)));
}

/** Each file that is part of a cycle is told once, with the way round. */
function cycles(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const faults: string[] = [];
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (file: string): void => {
    const at = path.indexOf(file);
    if (at >= 0) {
      const round = [...path.slice(at), file].join(' -> ');
      faults.push(`src/${file}:1: imports go in a circle: ${round}; move what both need into a third file`);
      return;
    }
    if (done.has(file)) return;
    path.push(file);
    for (const target of graph.get(file) ?? []) visit(target);
    path.pop();
    done.add(file);
  };
  for (const file of graph.keys()) visit(file);
  return faults;
}
