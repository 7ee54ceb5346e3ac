// Where one test plays: a network, a folder, programs. All of it is gone when the test ends, however it ends.

import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Family, Network, type Place } from './network.ts';
import { Program, type ProgramOptions } from './program.ts';
import { until } from './until.ts';

export class Stage {
  /** Empty at first; goes away at the end. */
  readonly folder: string;
  readonly network: Network;
  /** What the programs find in their environment. */
  readonly env: Record<string, string> = {};
  readonly #programs: Program[] = [];
  #folders = 0;

  constructor(folder: string, network: Network) {
    this.folder = folder;
    this.network = network;
  }

  /** A fresh folder whose name begins with `name`. */
  async newFolder(name: string): Promise<string> {
    const path = join(this.folder, `${name}-${++this.#folders}`);
    await mkdir(path);
    return path;
  }

  /** Starts a program in the network of this stage; it is expected to run on until it is stopped. */
  start(name: string, command: string, args: readonly string[], options: ProgramOptions = {}): Program {
    const env = { ...this.env, ...options.env };
    const where = { cwd: this.folder, entrance: this.network.entrance };
    const program = new Program(name, command, args, { ...where, ...options, env });
    this.#programs.push(program);
    return program;
  }

  /** Runs a program to its end and gives its output; rejects when it fails. */
  async run(command: string, args: readonly string[], options: ProgramOptions = {}): Promise<string> {
    const program = this.start(command, command, args, options);
    const code = await program.exit();
    if (code !== 0) throw new Error(program.report());
    this.#programs.splice(this.#programs.indexOf(program), 1);
    return program.stdout;
  }

  /** Waits as {@link until}, and rejects at once when one of `programs` ends meanwhile. */
  until<T>(
    what: string,
    programs: readonly Program[],
    condition: () => T | Promise<T>,
  ): Promise<Exclude<T, false | null | undefined>> {
    return until(what, async () => {
      const dead = programs.find((program) => program.endedByItself);
      const value = await condition();
      if (dead && (value === false || value === null || value === undefined)) {
        throw new Error(`${dead.name} ended while the test waited for ${what}`);
      }
      return value;
    });
  }

  async listening(program: Program, place: Place, protocol: 'tcp' | 'udp' = 'tcp'): Promise<void> {
    const what = `${program.name} to listen on ${protocol} ${place.text}`;
    await this.until(what, [program], () => this.network.listens(place, protocol));
  }

  report(): string {
    return this.#programs.map((program) => program.report()).join('\n');
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#programs.map((program) => program.stop()));
    await this.network.close();
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** Runs a test on a fresh stage; shows what all programs said when it fails. */
export async function onStage(play: (stage: Stage) => Promise<void>, family: Family = 'IPv4'): Promise<void> {
  const network = await Network.open(family);
  const stage = new Stage(await mkdtemp(join(tmpdir(), 'shoal-interop-')), network);
  try {
    await play(stage);
  } catch (error) {
    console.error(stage.report());
    throw error;
  } finally {
    await stage.close();
  }
}
