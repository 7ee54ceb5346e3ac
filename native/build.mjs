// npm run build:native, and a part of every build: compiles the optional native module where a C compiler and Node's headers
// are. Without them, or where it fails, Shoal goes without: this never ends with an error.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = dirname(fileURLToPath(import.meta.url));
const SOURCE = join(HERE, 'udp_batch.c');
const TARGET = join(HERE, 'build', `udp_batch-${process.platform}-${process.arch}.node`);
/** Node's own distributions have the headers beside the program, Debian and NodeSource below /usr. */
const HEADERS = [
  join(dirname(process.execPath), '..', 'include', 'node'),
  '/usr/include/node',
  '/usr/include/nodejs/src',
];

const reason = build();
if (reason !== null) console.log(`native module: ${reason}; UDP goes through Node alone`);

/** Null where it is built; else why not. */
function build() {
  if (process.platform !== 'linux') return 'it is for Linux only';
  if (existsSync(TARGET) && statSync(TARGET).mtimeMs > statSync(SOURCE).mtimeMs) return null;
  const headers = HEADERS.find((folder) => existsSync(join(folder, 'uv.h')) && existsSync(join(folder, 'node_api.h')));
  if (headers === undefined) return "no headers of Node's";
  return compile(headers);
}

/** @param {string} headers */
function compile(headers) {
  mkdirSync(dirname(TARGET), { recursive: true });
  // Renamed when whole: a program that starts meanwhile finds the old one or none.
  const beside = `${TARGET}.${process.pid}`;
  const options = ['-std=gnu11', '-O2', '-Wall', '-Wextra', '-shared', '-fPIC', '-DNAPI_VERSION=8', `-I${headers}`];
  const { status, error, stderr } = spawnSync(process.env.CC ?? 'cc', [...options, '-o', beside, SOURCE], {
    encoding: 'utf8',
  });
  if (status === 0) renameSync(beside, TARGET);
  else rmSync(beside, { force: true });
  if (error) return 'no C compiler';
  if (status !== 0) return `it could not be compiled:\n${stderr}`;
  console.log('native module: built');
  return null;
}
