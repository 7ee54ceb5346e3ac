// Debian packages of other BitTorrent programs, for the interop tests and the benches: installed as root, never as services.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { HOME, outputOf, run } from './run.mjs';

/** Debian asks this file before it starts a service: the programs are run by us alone. */
const POLICY = '/usr/sbin/policy-rc.d';

/**
 * Installs what is missing and says what could not be; that is remembered, so that the next run does not try again.
 * @param {readonly string[]} names
 * @param {{ purpose: string, consequence: string }} words purpose: names the memory; consequence: what is told of packages that are missing
 */
export function installDebian(names, { purpose, consequence }) {
  const memory = join(HOME, '.cache', `${purpose}-tried`);
  const missing = names.filter((name) => !isInstalled(name));
  const tried = existsSync(memory) ? readFileSync(memory, 'utf8').split('\n') : [];
  const wanted = missing.filter((name) => !tried.includes(name));
  if (wanted.length === 0) return;
  if (process.getuid?.() !== 0 || outputOf('which', ['apt-get']) === null) {
    console.log(`setup: not root on Debian; ${consequence} ${missing.join(', ')}`);
    return;
  }
  console.log(`setup: installing ${wanted.join(', ')}`);
  withoutServices(() => {
    run('apt-get', ['update', '-qq'], { quiet: true });
    for (const name of wanted) aptInstall(name);
  });
  const still = names.filter((name) => !isInstalled(name));
  if (still.length > 0) console.log(`setup: could not be installed; ${consequence} ${still.join(', ')}`);
  mkdirSync(join(HOME, '.cache'), { recursive: true });
  writeFileSync(memory, still.join('\n'));
}

/** @param {string} name */
function isInstalled(name) {
  return outputOf('dpkg', ['-s', name])?.includes('Status: install ok installed') ?? false;
}

/** @param {string} name */
function aptInstall(name) {
  const args = ['install', '-y', '-qq', '--no-install-recommends', name];
  return run('apt-get', args, { quiet: true, env: { DEBIAN_FRONTEND: 'noninteractive' } });
}

/** @param {() => void} work */
function withoutServices(work) {
  const ours = !existsSync(POLICY);
  if (ours) writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    work();
  } finally {
    if (ours) rmSync(POLICY, { force: true });
  }
}
