// Makes a bare clone ready: installs the npm packages where they are missing or older than the lock file.
// With --interop, as root on Debian, also the programs that the interop tests run against. Safe to run again.
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { HOME, outputOf, run } from './run.mjs';

const INTEROP_PACKAGES = [
  'transmission-daemon',
  'transmission-cli',
  'aria2',
  'python3-libtorrent',
  'opentracker',
  'mktorrent',
];
/** Remembers what could not be installed, so that the next run does not try again. */
const TRIED = join(HOME, '.cache', 'interop-tried');
/** Debian asks this file before it starts a service: the programs are run by the tests alone. */
const POLICY = '/usr/sbin/policy-rc.d';

installPackages();
if (process.argv.includes('--interop')) installInterop();

function installPackages() {
  const installed = join(HOME, 'node_modules', '.package-lock.json');
  const lock = join(HOME, 'package-lock.json');
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs) return;
  console.log('setup: installing npm packages');
  if (!run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'])) {
    console.error('setup: npm ci failed; see above');
    process.exit(1);
  }
}

function installInterop() {
  const missing = INTEROP_PACKAGES.filter((name) => !isInstalled(name));
  const tried = existsSync(TRIED) ? readFileSync(TRIED, 'utf8').split('\n') : [];
  const wanted = missing.filter((name) => !tried.includes(name));
  if (wanted.length === 0) return;
  if (process.getuid?.() !== 0 || outputOf('which', ['apt-get']) === null) {
    console.log(`setup: not root on Debian; interop tests will skip what needs ${missing.join(', ')}`);
    return;
  }
  console.log(`setup: installing ${wanted.join(', ')}`);
  withoutServices(() => {
    run('apt-get', ['update', '-qq'], { quiet: true });
    for (const name of wanted) aptInstall(name);
  });
  const still = INTEROP_PACKAGES.filter((name) => !isInstalled(name));
  if (still.length > 0) console.log(`setup: could not install ${still.join(', ')}; interop tests skip what needs them`);
  mkdirSync(join(HOME, '.cache'), { recursive: true });
  writeFileSync(TRIED, still.join('\n'));
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
