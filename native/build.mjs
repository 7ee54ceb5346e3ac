// npm run build:native, and a part of every build: compiles the optional native modules where a C compiler and Node's headers
// are. Without them, or where it fails, Shoal goes without: this never ends with an error.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = dirname(fileURLToPath(import.meta.url));
const BATCHES = ['batch_call.c', 'batch_call.h'];
/** Names of the modules, and what each is made of. */
const MODULES = {
  udp_batch: ['udp_batch.c', ...BATCHES],
  tcp_batch: ['tcp_batch.c', 'tcp_server.c', 'tcp_server.h', ...BATCHES],
  hash_lanes: ['hash_lanes.c', 'lane_kernels.h', 'bytes_of.h'],
  block_copy: ['block_copy.c', 'bytes_of.h'],
  file_batch: ['file_batch.c', 'file_writes.c', 'file_batch.h'],
};
/** Node's own distributions have the headers beside the program, Debian and NodeSource below /usr. */
const HEADERS = [
  join(dirname(process.execPath), '..', 'include', 'node'),
  '/usr/include/node',
  '/usr/include/nodejs/src',
];

const headers = HEADERS.find((folder) => existsSync(join(folder, 'uv.h')) && existsSync(join(folder, 'node_api.h')));
if (process.platform !== 'linux') console.log('native modules: they are for Linux only; Shoal goes without');
else for (const [name, files] of Object.entries(MODULES)) build(name, files);

/** One that cannot be built keeps no other from being built. @param {string} name @param {readonly string[]} files */
function build(name, files) {
  const target = join(HERE, 'build', `${name}-${process.platform}-${process.arch}.node`);
  const sources = files.map((file) => join(HERE, file));
  /** @type {string | null} */
  let failure;
  try {
    if (existsSync(target) && sources.every((file) => statSync(target).mtimeMs > statSync(file).mtimeMs)) return;
    failure = headers === undefined ? "no headers of Node's" : compile(target, sources, headers);
  } catch (error) {
    // A folder that may not be written to.
    failure = error instanceof Error ? error.message : String(error);
  }
  console.log(
    `native modules: ${name} ${failure === null ? 'is built' : `is not built, Shoal goes without: ${failure}`}`,
  );
}

/** Null where it is built; else why not. @param {string} target @param {readonly string[]} sources @param {string} headers */
function compile(target, sources, headers) {
  mkdirSync(dirname(target), { recursive: true });
  // Renamed when whole: a program that starts meanwhile finds the old one or none.
  const beside = `${target}.${process.pid}`;
  const options = ['-std=gnu11', '-O2', '-Wall', '-Wextra', '-shared', '-fPIC', '-DNAPI_VERSION=8', `-I${headers}`];
  const units = sources.filter((file) => file.endsWith('.c'));
  const { status, error, stderr } = spawnSync(process.env.CC ?? 'cc', [...options, '-o', beside, ...units], {
    encoding: 'utf8',
  });
  if (status === 0) renameSync(beside, target);
  else rmSync(beside, { force: true });
  if (error) return 'no C compiler';
  return status === 0 ? null : `it could not be compiled:\n${stderr}`;
}
