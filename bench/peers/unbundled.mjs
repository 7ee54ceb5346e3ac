// Shoal from the files that tsc writes, whose functions have their names, with threads that keep Node's options: for profiles.

import { syncBuiltinESMExports } from 'node:module';
import threads from 'node:worker_threads';

threads.Worker = class extends threads.Worker {
  /** @param {string | URL} file @param {threads.WorkerOptions} [options] */
  constructor(file, options) {
    super(file, { ...options, execArgv: process.execArgv });
  }
};
syncBuiltinESMExports();
const { main } = await import('../../dist/cli/main.js');
await main(process.argv.slice(2));
