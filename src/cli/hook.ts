// `--on-complete`: a command of the user's, run once through the shell.

import { spawn } from 'node:child_process';
import { ShoalError } from '../base/errors.ts';

export interface HookFacts {
  readonly path: string;
  readonly name: string;
  readonly infoHashV1: string | null;
  readonly infoHashV2: string | null;
}

export interface HookOptions {
  /** True: stdout belongs to a JSON document, and what the command prints goes to stderr. */
  readonly json: boolean;
  /** Ends the command (SIGTERM) when it aborts. */
  readonly signal: AbortSignal;
}

/**
 * The environment has SHOAL_PATH, SHOAL_NAME, SHOAL_INFO_HASH (v1 where there is one, else v2), SHOAL_INFO_HASH_V1 and
 * SHOAL_INFO_HASH_V2. Throws HOOK_FAILED when the command cannot be run or fails.
 */
export function runHook(command: string, facts: HookFacts, options: HookOptions): Promise<void> {
  const env = {
    ...process.env,
    SHOAL_PATH: facts.path,
    SHOAL_NAME: facts.name,
    SHOAL_INFO_HASH: facts.infoHashV1 ?? facts.infoHashV2 ?? '',
    SHOAL_INFO_HASH_V1: facts.infoHashV1 ?? '',
    SHOAL_INFO_HASH_V2: facts.infoHashV2 ?? '',
  };
  return new Promise((resolve, reject) => {
    const fail = (what: string, cause?: unknown): void =>
      reject(new ShoalError('HOOK_FAILED', `the --on-complete command ${what}; the content itself is complete`, cause));
    const child = spawn(command, { shell: true, env, stdio: ['ignore', options.json ? 2 : 'inherit', 'inherit'] });
    const end = (): void => void child.kill('SIGTERM');
    options.signal.addEventListener('abort', end, { once: true });
    child.on('error', (error) => fail(`cannot be run: ${error.message}`, error));
    child.on('close', (code, signal) => {
      options.signal.removeEventListener('abort', end);
      if (code === 0) resolve();
      else fail(code === null ? `was ended by ${signal ?? 'a signal'}` : `ended with exit code ${code}`);
    });
  });
}
