// The whole program: reads the command line, runs one command, says one line about a failure, ends.

import type { Command } from 'commander';
import { EXIT_DONE, EXIT_USAGE, failureOf } from './errors.ts';
import { flush, silenceBrokenPipes } from './output.ts';
import { buildProgram, type CommandModules } from './program.ts';
import { packageVersion } from './version.ts';

/** Loaded when called for: `shoal inspect` must not wait for the engine. */
const MODULES: CommandModules = {
  create: () => import('./commands/create.ts'),
  inspect: () => import('./commands/inspect.ts'),
  magnet: () => import('./commands/magnet.ts'),
  verify: () => import('./commands/verify.ts'),
  get: () => import('./commands/get.ts'),
  seed: () => import('./commands/seed.ts'),
  share: () => import('./commands/share.ts'),
  tracker: () => import('./commands/tracker.ts'),
  'tracker-admin': () => import('./commands/tracker-admin.ts'),
  publish: () => import('./commands/publish.ts'),
  search: () => import('./commands/search.ts'),
  peers: () => import('./commands/peers.ts'),
  list: () => import('./commands/list.ts'),
  remove: () => import('./commands/remove.ts'),
  demo: () => import('./commands/demo.ts'),
  completion: () => import('./commands/completion.ts'),
};

/** Ends the process with the exit code of the command; never rejects. */
export async function main(args: readonly string[]): Promise<void> {
  silenceBrokenPipes();
  // A command runs until it says so itself, even while nothing but timers is under way.
  setInterval(() => undefined, 2 ** 30);
  const exitCode = await runProgram(args);
  await flush();
  process.exit(exitCode);
}

async function runProgram(args: readonly string[]): Promise<number> {
  const program = buildProgram(packageVersion(), MODULES);
  if (args.length === 0) {
    process.stderr.write(`${program.helpInformation()}\nshoal: USAGE: a command is missing\n`);
    return EXIT_USAGE;
  }
  try {
    await program.parseAsync(args, { from: 'user' });
    return EXIT_DONE;
  } catch (error) {
    const failure = failureOf(error, commandName(program, args));
    if (failure.line !== null) process.stderr.write(`${failure.line}\n`);
    if (process.env.SHOAL_DEBUG === '1' && failure.exitCode !== 0) console.error(error);
    return failure.exitCode;
  }
}

function commandName(program: Command, args: readonly string[]): string {
  return program.commands.find((command) => command.name() === args[0])?.name() ?? '';
}
