// npm run soak: set-up, build, then test/soak/main.ts, bundled because Node 20 runs no TypeScript. `--help` tells more.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { HOME, run } from './run.mjs';

const args = process.argv.slice(2);
const ready = args.includes('--help') || args.includes('--no-build') || build();
process.exit(ready ? await play() : 1);

function build() {
  return run('node', ['scripts/setup.mjs', '--interop']) && run('npm', ['run', '-s', 'build']);
}

async function play() {
  const { rolldown } = await import('rolldown');
  const file = join(HOME, '.cache', 'soak', 'main.js');
  const bundle = await rolldown({ cwd: HOME, input: join(HOME, 'test', 'soak', 'main.ts'), platform: 'node' });
  await bundle.write({ file, format: 'esm' });
  await bundle.close();
  // Where the programs are that it starts.
  process.env.SHOAL_SOAK_SOURCES = pathToFileURL(join(HOME, 'test', 'soak/')).href;
  const { main } = await import(pathToFileURL(file).href);
  return await main(args);
}
