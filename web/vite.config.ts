// The web page of the tracker: built into dist/web, each file with its gzip beside it. References are relative, so that
// the page works below any path of a reverse proxy.

import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { defineConfig, type Plugin } from 'vite';

const OUTPUT: string = fileURLToPath(new URL('../dist/web', import.meta.url));
/** Put in the other's place at the end: a tracker that starts meanwhile finds all its files. */
const BESIDE = `${OUTPUT}.${process.pid}`;

/** What is fetched one step below the root refers to files one step up. */
const DEEP_START = 'torrent/index.html';

/** Adds what is served besides: the page one step down, and all of it compressed, once for all requests. */
function readyToServe(): Plugin {
  return {
    name: 'ready to serve',
    apply: 'build',
    closeBundle() {
      const start = readFileSync(join(BESIDE, 'index.html'), 'utf8');
      mkdirSync(dirname(join(BESIDE, DEEP_START)), { recursive: true });
      writeFileSync(join(BESIDE, DEEP_START), start.replaceAll('="./', '="../'));
      for (const entry of readdirSync(BESIDE, { recursive: true, withFileTypes: true })) {
        if (!entry.isFile()) continue;
        const path = join(entry.parentPath, entry.name);
        writeFileSync(`${path}.gz`, gzipSync(readFileSync(path), { level: 9 }));
      }
      rmSync(OUTPUT, { recursive: true, force: true });
      renameSync(BESIDE, OUTPUT);
    },
  };
}

export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  base: './',
  logLevel: 'warn',
  build: {
    outDir: BESIDE,
    emptyOutDir: true,
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: false,
    reportCompressedSize: false,
  },
  plugins: [readyToServe()],
});
