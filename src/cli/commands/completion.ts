// shoal completion: a script that makes a shell complete commands, options and paths.

import type { Command } from 'commander';
import { completionScript, type Shell } from '../completion.ts';
import { print } from '../output.ts';

export async function run(shell: Shell, _options: object, command: Command): Promise<void> {
  print(completionScript(command.parent!, shell).trimEnd());
}
