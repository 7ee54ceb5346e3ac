// Leeches of other programs, one copy after the other: aria2 and libtorrent, where they are installed.

import { spawnSync } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Actor, HERE } from './actor.ts';
import { type Content, differenceOf } from './content.ts';
import type { Run } from './run.ts';
import { freePort } from './stay.ts';

/** Debian's python3-libtorrent belongs to Debian's Python, whatever else PATH has. */
const PYTHON = '/usr/bin/python3';
/** They are not ours to judge: one that takes so long is left, and counted. */
const PATIENCE_MS = 120_000;
const STAY_MS = 3000;
const LOOK_MS = 200;

interface Program {
  readonly name: string;
  /** Null: here; else what is missing. */
  readonly missing: () => string | null;
  /** Versions that it can fetch. */
  readonly metas: readonly Content['meta'][];
  /** Ends of the names of its own files. */
  readonly ownFiles: string | null;
  readonly argv: (content: Content, folder: string, port: number, home: string) => readonly string[];
}

const lacks = (name: string, command: string, args: readonly string[]): string | null =>
  spawnSync(command, args, { stdio: 'ignore' }).status === 0 ? null : `no ${name}`;

const aria2: Program = {
  name: 'aria2',
  missing: () => lacks('aria2', 'aria2c', ['--version']),
  // Of a hybrid torrent it computes an info hash that nobody else has.
  metas: ['v1'],
  ownFiles: '.aria2',
  argv: (content, folder, port, home) => [
    ...['aria2c', '--no-conf', `--dir=${folder}`, '--interface=127.0.5.1', `--listen-port=${port}`],
    ...['--enable-dht=false', '--enable-dht6=false', '--bt-enable-lpd=false', '--enable-peer-exchange=false'],
    ...['--disable-ipv6=true', '--file-allocation=none', '--summary-interval=0', '--show-console-readout=false'],
    ...['--seed-ratio=0.0', `--on-bt-download-complete=${join(home, 'done.sh')}`, content.file],
  ],
};

const libtorrent: Program = {
  name: 'libtorrent',
  missing: () => lacks('python3-libtorrent', PYTHON, ['-c', 'import libtorrent']),
  metas: ['v1', 'v2', 'hybrid'],
  ownFiles: null,
  argv: (content, folder, port) => {
    const script = new URL('../interop/peers/libtorrent_peer.py', HERE).pathname;
    const peer = { source: content.file, parent: folder, ip: '127.0.5.2', listen: `127.0.5.2:${port}` };
    return [PYTHON, script, JSON.stringify(peer)];
  },
};

const PROGRAMS = [aria2, libtorrent];
/** Refuses peers on 127.0.0.0/8, where all of this happens. */
const NEVER = 'transmission: it takes no peers on the loopback';

/** Those that are here; and who is not, and why. */
export function foreignPrograms(): { readonly here: readonly Program[]; readonly skipped: readonly string[] } {
  const skipped = PROGRAMS.flatMap(({ name, missing }) => {
    const lack = missing();
    return lack === null ? [] : [`${name}: ${lack}`];
  });
  return { here: PROGRAMS.filter(({ missing }) => missing() === null), skipped: [...skipped, NEVER] };
}

/** Runs until the run is over. */
export async function foreignLeech(run: Run, program: Program, contents: readonly Content[]): Promise<void> {
  const chance = run.chance(program.name);
  const home = await run.newFolder(program.name);
  await writeFile(join(home, 'done.sh'), `#!/bin/sh\necho '{"event":"complete"}'\n`, { mode: 0o755 });
  const possible = contents.filter(({ meta }) => program.metas.includes(meta));
  while (!run.isOver) {
    const content = chance.pick(possible);
    const folder = await run.newFolder(program.name);
    const argv = program.argv(content, folder, await freePort(), home);
    const actor = new Actor({ name: `${program.name} of ${content.meta}`, argv, cwd: home });
    await fetchOnce(run, program, actor, content, folder);
    await actor.kill();
    await rm(folder, { recursive: true, force: true });
  }
}

async function fetchOnce(
  run: Run,
  { name, ownFiles }: Program,
  actor: Actor,
  content: Content,
  folder: string,
): Promise<void> {
  const complete = actor.event('complete');
  const untilMs = performance.now() + PATIENCE_MS;
  for (;;) {
    const done = await Promise.race([complete, run.wait(LOOK_MS)]);
    if (done) break;
    if (run.isOver) return;
    if (actor.hasEnded || performance.now() > untilMs) {
      run.count(`${name} gave up`);
      run.options.say(`${actor.name} gave up: ${actor.lastWords.trim().split('\n').pop() ?? ''}`);
      return;
    }
  }
  const difference = await differenceOf(content, folder, ownFiles);
  if (difference !== null) run.fail(`${actor.name}: ${difference}`);
  else run.count(`copies by ${name}`);
  await run.wait(STAY_MS);
}
