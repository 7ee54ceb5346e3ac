// The house keeps its rules (docs/architecture.md).

import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { checkHouse } from './checker.ts';

const SRC: string = fileURLToPath(new URL('../../src/', import.meta.url));

function readSources(): Map<string, string> {
  const paths = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
    .map((path) => path.replaceAll('\\', '/'))
    .filter((path) => path.endsWith('.ts'))
    .sort();
  return new Map(paths.map((path) => [path, readFileSync(`${SRC}${path}`, 'utf8')]));
}

it('finds no import upwards or sideways, no cycle, no banned name and no shapeless file', () => {
  const sources = readSources();
  expect(sources.size).toBeGreaterThan(20);
  expect(checkHouse(sources)).toEqual([]);
});
