// npm run bench: set-up, the programs to compare with, build, then bench/main.ts in a network of its own. `--help` tells more.
import { spawn } from 'node:child_process';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { installNpmFolder, npmFolder } from './npm-folder.mjs';
import { forgetCertificates, HOME, run } from './run.mjs';

/** bench/ compiled, with what it imports of src/ and test/: Node 20 runs no TypeScript. */
const COMPILED = join(HOME, '.cache', 'bench');
const args = process.argv.slice(2);

process.exitCode = (args.includes('--help') || prepare()) && compile() ? await runInOwnNetwork() : 1;

function prepare() {
  if (!run('node', ['scripts/setup.mjs', '--bench'])) return false;
  // The native module of webrtc-polyfill would need its install script; nothing here uses WebRTC.
  const stub = join(HOME, 'bench', 'npm', 'webrtc-stub.mjs');
  const finish = (/** @type {string} */ folder) => cpSync(stub, `${folder}/node_modules/webrtc-polyfill/index.js`);
  if (!installNpmFolder('bench-npm', 'bench/npm', finish)) console.log('setup: no npm peers; the benches go without');
  return args.includes('--no-build') || run('npm', ['run', '-s', 'build']);
}

function compile() {
  return run('node', [join('node_modules', 'typescript', 'bin', 'tsc'), '-p', 'bench']);
}

/** Without the right to make one: on the loopback of this machine, which the output says. */
async function runInOwnNetwork() {
  forgetCertificates();
  const load = async (/** @type {string} */ file) => await import(pathToFileURL(join(COMPILED, file)).href);
  const { canMakeNetworks, Network } = await load('test/interop/harness/network.js');
  const network = canMakeNetworks() ? await Network.open() : null;
  const words = [...(network?.entrance ?? []), process.execPath, join(COMPILED, 'bench', 'main.js'), ...args];
  const env = {
    ...process.env,
    BENCH_NPM: npmFolder('bench-npm', 'bench/npm'),
    ...(network ? { BENCH_NETWORK: 'own' } : {}),
  };
  const child = spawn(words[0], words.slice(1), { cwd: HOME, stdio: 'inherit', env });
  // It cleans up by itself; this process must only outlive it.
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']))
    process.on(signal, () => child.kill(signal));
  // npm's shell does not pass signals on.
  const parent = process.ppid;
  setInterval(() => process.ppid === parent || child.kill('SIGTERM'), 500).unref();
  const code = await new Promise((done) => child.on('exit', done));
  await network?.close();
  return code ?? 1;
}
