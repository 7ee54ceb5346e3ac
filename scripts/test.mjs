// npm test: set-up, build, check, then every suite; the last line is the sum: `N passed, N failed[, N skipped]`.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { findNode24, NODE_24 } from './node24.mjs';
import { forgetCertificates, HOME, run } from './run.mjs';

const SUITES = ['unit', 'contract', 'sim', 'e2e', 'browser', 'interop', 'soak'];
/** These run again on Node 24: what differs between versions shows in them. */
const SUITES_ON_24 = ['unit', 'contract'];
/** Of a failed test's message: its first lines say what was expected and where. */
const MESSAGE_LINES = 12;
const VITEST = join('node_modules', 'vitest', 'vitest.mjs');

const sum = { passed: 0, failed: 0, skipped: 0 };
/** What failed, told again at the end, where it is not lost among a thousand lines. @type {string[]} */
const failures = [];
const results = mkdtempSync(join(tmpdir(), 'shoal-test-'));

try {
  if (
    step('set-up', 'node', ['scripts/setup.mjs', '--interop', '--browser']) &&
    step('build', 'npm', ['run', '-s', 'build'])
  ) {
    const other = process.versions.node.startsWith('24.') ? null : findNode24();
    forgetCertificates();
    step('check', 'npm', ['run', '-s', 'check']);
    for (const name of SUITES) suite(name, process.execPath, process.versions.node);
    if (other) suitesOn24(other);
  }
} finally {
  rmSync(results, { recursive: true, force: true });
}
process.exitCode = sum.failed > 0 || sum.passed === 0 ? 1 : 0;
if (failures.length > 0) console.log(`\n== what failed\n${failures.join('\n')}\n`);
const skipped = sum.skipped > 0 ? `, ${sum.skipped} skipped` : '';
console.log(`${sum.passed} passed, ${sum.failed} failed${skipped}`);

/**
 * Something to be done before the tests, or beside them; counts only when it fails.
 * @param {string} name
 * @param {string} program
 * @param {readonly string[]} args
 */
function step(name, program, args) {
  console.log(`\n== ${name}`);
  const done = run(program, args);
  if (!done) {
    sum.failed++;
    failures.push(`${name}: see above`);
    console.error(`${name} failed; see above`);
  }
  return done;
}

/** @param {ReturnType<typeof findNode24>} node */
function suitesOn24(node) {
  for (const name of SUITES_ON_24) {
    if ('path' in node) suite(name, node.path, NODE_24);
    else {
      sum.skipped++;
      console.log(`\n== skipped: ${name} on Node 24: ${node.missing}`);
    }
  }
}

/**
 * @param {string} name
 * @param {string} node the program to run it with
 * @param {string} version
 */
function suite(name, node, version) {
  console.log(`\n== ${name} on Node ${version}`);
  if (name !== 'unit' && !hasTests(join(HOME, 'test', name))) {
    console.log('no tests');
    return;
  }
  const file = join(results, `${name}-${version}.json`);
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
  const good = run(node, [VITEST, 'run', '--project', name, ...reporters]);
  const { passed, failed, skipped, told } = countsOf(file);
  sum.passed += passed;
  sum.failed += good || failed > 0 ? failed : 1;
  sum.skipped += skipped;
  for (const line of told) failures.push(`${name} on Node ${version}: ${line}`);
  if (!good && failed === 0) failures.push(`${name} on Node ${version}: the run itself failed; see above`);
}

/** @param {string} folder */
function hasTests(folder) {
  return (
    existsSync(folder) && readdirSync(folder, { recursive: true }).some((path) => String(path).endsWith('.test.ts'))
  );
}

/**
 * @typedef {{ status: string, fullName: string, failureMessages?: string[] }} TestReport
 * @typedef {{ name: string, status: string, message?: string, assertionResults: TestReport[] }} FileReport
 */

/**
 * Tests by outcome, and what failed in words; a file that could not be loaded is one failure.
 * @param {string} file
 */
function countsOf(file) {
  if (!existsSync(file)) return { passed: 0, failed: 0, skipped: 0, told: [] };
  const report = JSON.parse(readFileSync(file, 'utf8'));
  const files = /** @type {FileReport[]} */ (report.testResults);
  const broken = files.filter((one) => one.status === 'failed' && one.assertionResults.length === 0);
  const told = broken.map((one) => `${relative(HOME, one.name)}: ${one.message ?? 'could not be run'}`);
  for (const one of files) {
    for (const test of one.assertionResults.filter((result) => result.status === 'failed')) {
      const why = (test.failureMessages ?? []).join('\n').split('\n').slice(0, MESSAGE_LINES).join('\n    ');
      told.push(`${relative(HOME, one.name)}: ${test.fullName}\n    ${why}`);
    }
  }
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + broken.length,
    skipped: report.numPendingTests + report.numTodoTests,
    told,
  };
}
