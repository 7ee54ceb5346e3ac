// Starts programs for the other scripts. Plain JavaScript: it runs before anything is installed.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Shoal's folder. */
export const HOME = fileURLToPath(new URL('..', import.meta.url));

/**
 * Runs a program in Shoal's folder with its output on ours.
 * @param {string} program
 * @param {readonly string[]} args
 * @param {{ quiet?: boolean, env?: Record<string, string> }} [options] quiet: show the output only when it fails
 * @returns {boolean} whether it ended with exit code 0
 */
export function run(program, args, options = {}) {
  const result = spawnSync(program, args, {
    cwd: HOME,
    stdio: options.quiet ? 'pipe' : 'inherit',
    env: { ...process.env, ...options.env },
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  if (result.status === 0) return true;
  if (options.quiet) process.stderr.write(`${result.stdout ?? ''}${result.stderr ?? ''}`);
  if (result.error) process.stderr.write(`cannot run ${program}: ${result.error.message}\n`);
  return false;
}

/**
 * What a program prints on stdout; null where it cannot be run or fails.
 * @param {string} program
 * @param {readonly string[]} args
 * @returns {string | null}
 */
export function outputOf(program, args) {
  const result = spawnSync(program, args, { cwd: HOME, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  return result.status === 0 ? result.stdout.trim() : null;
}

/**
 * Programs started from now on read no additional certificates: on machines that name some, each Node process would
 * spend a tenth of a second on them, and whoever speaks to this machine alone needs none. To be called after installing.
 */
export function forgetCertificates() {
  delete process.env.NODE_EXTRA_CA_CERTS;
}
