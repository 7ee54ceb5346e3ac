// The house keeps its rules (docs/architecture.md).

import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { checkHouse } from './checker.ts';
import { checkWeb } from './web-checker.ts';

const HOME: string = fileURLToPath(new URL('../../', import.meta.url));
/** Of the whole page, compressed: what a phone loads before it shows anything. */
const MOST_PAGE_BYTES = 40_000;

function readSources(folder: string): Map<string, string> {
  const paths = readdirSync(`${HOME}${folder}`, { recursive: true, encoding: 'utf8' })
    .map((path) => path.replaceAll('\\', '/'))
    .filter((path) => /\.tsx?$/.test(path))
    .sort();
  return new Map(paths.map((path) => [path, readFileSync(`${HOME}${folder}/${path}`, 'utf8')]));
}

it('finds no import upwards or sideways, no cycle, no banned name and no shapeless file', () => {
  const sources = readSources('src');
  expect(sources.size).toBeGreaterThan(20);
  expect(checkHouse(sources)).toEqual([]);
});

it('lets the page see types of the tracker, libraries of its own, and nothing else', () => {
  const sources = readSources('web/src');
  expect(sources.size).toBeGreaterThan(20);
  expect(checkWeb(sources)).toEqual([]);
});

it('keeps the page small', () => {
  const folder = `${HOME}dist/web/`;
  const zipped = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.gz'));
  expect(zipped.length, 'npm run build writes the page').toBeGreaterThan(3);
  const sizes = zipped.map((path) => readFileSync(`${folder}${path}`).length);
  expect(sizes.reduce((sum, size) => sum + size)).toBeLessThan(MOST_PAGE_BYTES);
});
