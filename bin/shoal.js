#!/usr/bin/env node
// Starts Shoal: checks the Node version, answers --version at once, and hands over to the built program.
import { existsSync, readFileSync } from 'node:fs';

const args = process.argv.slice(2);
const home = new URL('../', import.meta.url);
const [major, minor] = process.versions.node.split('.').map(Number);

if (major < 20 || (major === 20 && minor < 19)) {
  fail(`NODE_TOO_OLD: this is Node ${process.versions.node}, Shoal needs 20.19 or newer; see https://nodejs.org`);
} else if (args.length === 1 && (args[0] === '--version' || args[0] === '-V')) {
  console.log(JSON.parse(readFileSync(new URL('package.json', home), 'utf8')).version);
} else if (!existsSync(new URL('dist/bundle/main.js', home))) {
  fail("NOT_BUILT: the folder dist is missing; run 'npm ci && npm run build' in Shoal's folder first");
} else {
  // Where things went wrong is told in the words of the sources.
  if (process.env.SHOAL_DEBUG === '1') process.setSourceMapsEnabled(true);
  const { main } = await import(new URL('dist/bundle/main.js', home).href);
  await main(args);
}

function fail(message) {
  process.stderr.write(`shoal: ${message}\n`);
  process.exitCode = 1;
}
