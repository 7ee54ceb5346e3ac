// Makes a bare clone ready: installs the npm packages where they are missing or older than the lock file. As root on Debian,
// --interop, --browser and --bench also install the programs that Shoal is tested against and compared with. Safe to run again.
import { existsSync, lstatSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { installDebian } from './debian.mjs';
import { installNpmFolder } from './npm-folder.mjs';
import { HOME, run } from './run.mjs';

const INTEROP_PACKAGES = [
  'transmission-daemon',
  'transmission-cli',
  'aria2',
  'python3-libtorrent',
  'opentracker',
  'mktorrent',
  'redis-server',
];
/** For the tests of the web page. */
const BROWSER_PACKAGES = ['chromium'];
const BENCH_PACKAGES = [...INTEROP_PACKAGES, 'qbittorrent-nox', 'rtorrent', 'wrk'];

installPackages();
if (process.argv.includes('--interop')) {
  installDebian(INTEROP_PACKAGES, { purpose: 'interop', consequence: 'interop tests will skip what needs' });
  if (!installNpmFolder('interop-npm', 'test/interop/npm')) {
    console.log('setup: no bittorrent-tracker and webtorrent from npm; tests with them are skipped');
  }
}
if (process.argv.includes('--browser')) {
  installDebian(BROWSER_PACKAGES, { purpose: 'browser', consequence: 'tests of the web page are skipped, they need' });
}
if (process.argv.includes('--bench')) {
  installDebian(BENCH_PACKAGES, { purpose: 'bench', consequence: 'the benches go without' });
}

function installPackages() {
  const folder = join(HOME, 'node_modules');
  // Through a link, npm would empty the folder of another clone.
  if (lstatSync(folder, { throwIfNoEntry: false })?.isSymbolicLink()) return;
  const installed = join(folder, '.package-lock.json');
  const lock = join(HOME, 'package-lock.json');
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs) return;
  console.log('setup: installing npm packages');
  if (!run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'])) {
    console.error('setup: npm ci failed; see above');
    process.exit(1);
  }
}
