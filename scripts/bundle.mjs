// Bundles the program into dist/bundle: a process that loads few files starts fast (docs/decisions/0009).
// dist/ itself, which tsc writes, stays what `import 'shoal'` gets.
import { readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { rolldown } from 'rolldown';
import { HOME } from './run.mjs';

const OUTPUT = join(HOME, 'dist', 'bundle');
/** Put in the other's place at the end: a program that starts meanwhile finds all its files. */
const BESIDE = `${OUTPUT}.${process.pid}`;
const MAIN = join(HOME, 'src', 'cli', 'main.ts');
const WORKER = join(HOME, 'src', 'platform', 'node', 'content', 'piece-worker.ts');
const TRACKER_WORKER = join(HOME, 'src', 'cli', 'tracker-worker.ts');
const SITE_THREAD = join(HOME, 'src', 'tracker', 'site', 'site-thread.ts');
/** What these need lies in one file with the main program: they do little, and starting is most of it. */
const QUICK_COMMANDS = ['inspect', 'magnet'].map((name) => join(HOME, 'src', 'cli', 'commands', `${name}.ts`));

/** They look for programs of theirs beside themselves: they stay where npm has put them. */
const { optionalDependencies = {} } = JSON.parse(readFileSync(join(HOME, 'package.json'), 'utf8'));

/** Of commander's, for commands that are programs of their own: Shoal has none, and the module takes long to load. */
const NO_CHILD_PROCESS = {
  name: 'no child processes of commander',
  /** @param {string} source @param {string | undefined} importer */
  resolveId: (source, importer) =>
    source === 'node:child_process' && importer?.includes('/node_modules/commander/') ? '\0empty' : null,
  /** @param {string} id */
  load: (id) => (id === '\0empty' ? 'module.exports = {};' : null),
};

try {
  await write({ main: MAIN }, quickStart());
  // A bundle of its own: a worker shares no file with the program, and loads just one.
  await write({ 'piece-worker': WORKER }, undefined);
  await write({ 'tracker-worker': TRACKER_WORKER }, undefined);
  await write({ 'site-thread': SITE_THREAD }, undefined);
  rmSync(OUTPUT, { recursive: true, force: true });
  renameSync(BESIDE, OUTPUT);
} finally {
  rmSync(BESIDE, { recursive: true, force: true });
}

/**
 * @param {Record<string, string>} input
 * @param {import('rolldown').OutputOptions['codeSplitting']} codeSplitting
 */
async function write(input, codeSplitting) {
  const bundle = await rolldown({
    cwd: HOME,
    input,
    platform: 'node',
    external: Object.keys(optionalDependencies),
    transform: { target: 'node20' },
    plugins: [NO_CHILD_PROCESS],
  });
  const names = { entryFileNames: '[name].js', chunkFileNames: '[name]-[hash].js' };
  await bundle.write({ dir: BESIDE, format: 'esm', minify: true, sourcemap: true, ...names, codeSplitting });
  await bundle.close();
}

/** One chunk for everything that the quick commands load. @returns {import('rolldown').OutputOptions['codeSplitting']} */
function quickStart() {
  /** @type {Set<string> | null} */
  let wanted = null;
  return {
    groups: [
      {
        debugName: 'start',
        name: (id, context) => {
          wanted ??= withImports(
            [MAIN, ...QUICK_COMMANDS],
            (module) => context.getModuleInfo(module)?.importedIds ?? [],
          );
          return wanted.has(id) ? 'start' : null;
        },
      },
    ],
  };
}

/**
 * Modules and all that they import, but not what they load later.
 * @param {readonly string[]} roots
 * @param {(id: string) => readonly string[]} importsOf
 */
function withImports(roots, importsOf) {
  const found = new Set(roots);
  for (const id of found) for (const imported of importsOf(id)) found.add(imported);
  return found;
}
